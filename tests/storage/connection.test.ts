/** Connections: a setting that did not take is refused loudly, and those that durability rests on are what they must be. */

import * as assert from 'uvu/assert';
import { checkSettings, createConnection, openConnection } from '../../src/storage/connection.js';
import { PAGE_BYTES } from '../../src/storage/schema.js';
import { StoreRefused } from '../../src/storage/storage.js';
import { suite } from '../support/suite.js';
import { newStore, OPTIONS } from './story.js';

const test = suite('storage/connection');

function isSettings(error: unknown): boolean {
  return error instanceof StoreRefused && error.reason === 'settings';
}

test('a setting that did not take is refused with its name, its value and what it must be', () => {
  const source = { pragma: (name: string) => ({ journal_mode: 'delete', synchronous: 1, mmap_size: 0 })[name] };
  assert.throws(
    () => checkSettings(source, { journal_mode: 'wal', synchronous: 2, mmap_size: 0 }),
    (error: Error) =>
      isSettings(error) && /journal_mode is delete and must be wal, synchronous is 1 and must be 2$/.test(error.message),
  );
  assert.throws(() => checkSettings({ pragma: () => undefined }, { cell_size_check: 1 }), isSettings);
});

test('the writer fsyncs every commit, moves the WAL only when told, and maps no memory', (t) => {
  const { path, store } = newStore(t.folder());
  store.close();
  const db = openConnection(path, 'write', OPTIONS);
  t.after(() => db.close());
  const expected = {
    journal_mode: 'wal',
    synchronous: 2,
    wal_autocheckpoint: 0,
    mmap_size: 0,
    auto_vacuum: 2,
    page_size: PAGE_BYTES,
    cell_size_check: 1,
    trusted_schema: 0,
    foreign_keys: 1,
    busy_timeout: 5_000,
  };
  for (const [name, value] of Object.entries(expected)) assert.is(db.pragma(name, { simple: true }), value, name);
});

test('a reader cannot write', (t) => {
  const { path, store } = newStore(t.folder());
  t.after(() => store.close());
  const db = openConnection(path, 'read', OPTIONS);
  t.after(() => db.close());
  assert.throws(() => db.exec('DELETE FROM state'), /readonly/);
});

test('a file system that cannot do what is asked is refused before tables are made', (t) => {
  assert.throws(
    () => createConnection(`${t.folder()}/none/skein.db`, OPTIONS),
    (error: StoreRefused) => error instanceof StoreRefused && error.reason === 'unwritable',
  );
});

test.run();

/** Holds docs/STORAGE_FORMAT.md to the code: its tables are the tables, and its worked example is what comes out. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { APPLICATION_ID, INDEXES, TABLES } from '../../src/storage/schema.js';
import { suite } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';
import { driver } from './raw-database.js';
import { newStore, Story } from './story.js';

const test = suite('storage/storage-format');
const page = readFileSync(join(projectFolder, 'docs', 'STORAGE_FORMAT.md'), 'utf8');

test('the page has every table and index as the code makes them', () => {
  for (const sql of [...Object.values(TABLES), ...Object.values(INDEXES)]) assert.ok(page.includes(`${sql};`), sql);
  assert.ok(page.includes(`0x${APPLICATION_ID.toString(16)}`));
});

test('the worked example is what a store holds after the two writes it names', (t) => {
  const { path, store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('birds'));
  story.commit(story.put(1, { id: 'a', vector: [1, 0, 0, -2], payload: '{"n":1}' }));
  const db = driver(path);
  t.after(() => db.close());
  const example = page.slice(page.indexOf('### A worked example'), page.indexOf('## What is promised'));
  const shown: [string, string[]][] = [
    ['points', ['key', 'payload_crc', 'crc', 'id', 'content_hash', 'payload']],
    ['vectors', ['key', 'crc', 'vector_set']],
    ['digest_pages', ['key', 'crc']],
    ['collections', ['crc', 'digest', 'data_bytes', 'points_count', 'next_label']],
    ['log', ['seq', 'crc', 'entry_crc', 'chain_hash']],
    ['state', ['crc', 'digest', 'log_bytes', 'next_uid']],
  ];
  for (const [table, columns] of shown) {
    const row = db.prepare(`SELECT * FROM ${table} ORDER BY 1 DESC LIMIT 1`).get() as Record<string, unknown>;
    for (const column of columns) {
      const cell = row[column];
      const value = Buffer.isBuffer(cell) ? cell.toString('hex') : String(cell);
      assert.ok(new RegExp(`\\b${column} +${value}\\b`).test(example), `${table}.${column} is ${value}`);
    }
  }
  const entry = db.prepare('SELECT entry FROM log WHERE seq = 2').pluck().get() as Buffer;
  const head = entry
    .subarray(0, 40)
    .toString('hex')
    .replace(/(.{16})(?=.)/g, '$1 ');
  assert.ok(example.includes(head), head);
});

test.run();

/** The door of the store: opening and refusing, exact round trips, transactions, a full file, snapshots, closing. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { encodeDefaultVector } from '../../src/codec/vector-set.js';
import { createStore, openReader, openWriter } from '../../src/storage/open-store.js';
import { FORMAT, PAGE_BYTES } from '../../src/storage/schema.js';
import { StorageFailure, StorageFull, type StoreRefused } from '../../src/storage/storage.js';
import { suite } from '../support/suite.js';
import { driver } from './raw-database.js';
import { IDENTITY, newStore, OPTIONS, SPEC, Story } from './story.js';

const test = suite('storage/open-store');

function reasonOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.is((error as Error).name, 'StoreRefused');
    return (error as StoreRefused).reason;
  }
  return 'nothing was thrown';
}

test('a new store stands at seq 0 with the identity it was given', (t) => {
  const { path, store } = newStore(t.folder());
  t.after(() => store.close());
  const state = store.state();
  assert.is(state.clusterId, IDENTITY.clusterId);
  assert.is(state.historyId, IDENTITY.historyId);
  assert.equal([state.seq, state.epoch, state.nextUid, state.logMinSeq, state.logBytes, state.reapedSeq], [0, 1, 1, 1, 0, 0]);
  assert.ok(state.chainHash.every((byte) => byte === 0) && state.chainHash.length === 32);
  assert.equal(store.collections(), []);
  assert.is(store.fileBytes().database % PAGE_BYTES, 0);
  assert.ok(existsSync(path));
});

test('openers refuse what is missing, empty, a folder, text, or another database, and never make a file', (t) => {
  const folder = t.folder();
  for (const open of [openWriter, openReader]) {
    assert.is(
      reasonOf(() => open(`${folder}/none.db`, OPTIONS)),
      'missing',
    );
    assert.not(existsSync(`${folder}/none.db`));
    writeFileSync(`${folder}/empty.db`, '');
    assert.is(
      reasonOf(() => open(`${folder}/empty.db`, OPTIONS)),
      'empty',
    );
    mkdirSync(`${folder}/folder.db`, { recursive: true });
    assert.is(
      reasonOf(() => open(`${folder}/folder.db`, OPTIONS)),
      'foreign',
    );
    writeFileSync(`${folder}/text.db`, 'This is a letter and not a database. '.repeat(200));
    assert.is(
      reasonOf(() => open(`${folder}/text.db`, OPTIONS)),
      'foreign',
    );
    const other = driver(`${folder}/other-${open.name}.db`);
    other.exec('CREATE TABLE notes (text)');
    other.close();
    assert.is(
      reasonOf(() => open(`${folder}/other-${open.name}.db`, OPTIONS)),
      'foreign',
    );
  }
});

test('a store is never made over a file that exists', (t) => {
  const { path, store } = newStore(t.folder());
  store.close();
  assert.is(
    reasonOf(() => createStore(path, IDENTITY, OPTIONS)),
    'exists',
  );
});

test('another format version, another table and another vacuum mode are refused with their own reasons', (t) => {
  const folder = t.folder();
  const { path, store } = newStore(folder);
  store.close();
  const db = driver(path);
  db.pragma(`user_version = ${FORMAT + 1}`);
  assert.is(
    reasonOf(() => openReader(path, OPTIONS)),
    'format',
  );
  db.pragma(`user_version = ${FORMAT}`);
  db.exec('CREATE TABLE notes (text)');
  assert.is(
    reasonOf(() => openWriter(path, OPTIONS)),
    'foreign',
  );
  db.exec('DROP TABLE notes');
  openReader(path, OPTIONS).close();
  db.pragma('auto_vacuum = NONE');
  db.pragma('journal_mode = DELETE');
  db.exec('VACUUM');
  db.close();
  assert.is(
    reasonOf(() => openReader(path, OPTIONS)),
    'settings',
  );
});

test('ids that are not 32 hex digits are refused before anything can be stored under them', (t) => {
  const path = `${t.folder()}/skein.db`;
  assert.throws(
    () => createStore(path, { ...IDENTITY, nodeId: 'me' }, OPTIONS),
    (error: Error) => error instanceof StorageFailure,
  );
});

test('everything written in a transaction is read back exactly, by the writer at once and by a reader after the commit', (t) => {
  const { path, store } = newStore(t.folder());
  const reader = openReader(path, OPTIONS);
  t.after(() => store.close());
  t.after(() => reader.close());
  const row = {
    uid: 3,
    label: 2 ** 31 - 1,
    id: 'käse \u{1f9c0}',
    version: Number.MAX_SAFE_INTEGER,
    labelSeq: Number.MAX_SAFE_INTEGER - 1,
    prevLabel: 0,
    expiresAtMs: Number.MAX_SAFE_INTEGER - 2,
    deadSeq: null,
    payload: Buffer.from('{"a":"ü"}'),
    contentHash: Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
  };
  const integerRow = {
    ...row,
    label: 7,
    id: Number.MAX_SAFE_INTEGER,
    prevLabel: null,
    expiresAtMs: null,
    payload: Buffer.alloc(0),
  };
  const vectorSet = encodeDefaultVector(Float32Array.of(1, -0, 3.5, 1e-45));
  const collection = {
    uid: 3,
    name: 'a.b-c_D',
    spec: SPEC,
    nextLabel: 2 ** 31,
    labelGeneration: 2,
    createdSeq: 1,
    lastSeq: 9,
    pointsCount: 2,
    dataBytes: 2 ** 53 - 1,
    digest: Buffer.alloc(16, 5),
    droppedSeq: null,
  };
  const state = { ...store.state(), seq: 12, nextUid: 4, logMinSeq: 5, logBytes: 100, reapedSeq: 3, digest: Buffer.alloc(16, 1) };
  const remembered = { scope: Buffer.alloc(32, 1), body: Buffer.alloc(32, 2), seq: 9, timeMs: 55, results: Buffer.from('[1]') };
  const sums = Buffer.alloc(1024, 3);
  store.begin();
  store.insertPoint(row);
  store.insertPoint(integerRow);
  store.insertVectorSet(3, row.label, vectorSet);
  store.insertCollection(collection);
  store.writeDigestPage(3, 63, sums);
  store.remember(remembered);
  store.writeState(state);
  assert.equal(store.pointById(3, row.id), row);
  assert.is(reader.pointById(3, row.id), undefined);
  assert.is(reader.state().seq, 0);
  store.commit();
  for (const reads of [store, reader]) {
    assert.equal(reads.pointById(3, row.id), row);
    assert.equal(reads.pointByLabel(3, 7), integerRow);
    assert.equal(reads.pointById(3, Number.MAX_SAFE_INTEGER), integerRow);
    assert.is(reads.pointById(3, String(Number.MAX_SAFE_INTEGER)), undefined);
    assert.is(reads.pointById(2, row.id), undefined);
    const read = reads.vectorSet(3, row.label);
    assert.equal(read, vectorSet);
    assert.is((read?.byteOffset ?? 1) % 4, 0);
    assert.is(reads.vectorSet(3, 7), undefined);
    assert.equal(reads.collection(3), collection);
    assert.equal(reads.collections(), [collection]);
    assert.is(reads.collection(4), undefined);
    assert.equal(reads.digestPage(3, 63), sums);
    assert.equal(reads.digestPage(3, 62), Buffer.alloc(1024));
    assert.equal(reads.remembered(remembered.scope), remembered);
    assert.is(reads.remembered(Buffer.alloc(32)), undefined);
    const { chainHash, ...rest } = reads.state();
    assert.equal({ ...rest, chainHash: Buffer.from(chainHash) }, { ...state, chainHash: Buffer.alloc(32) });
  }
});

test('numbers that would not come back as they went in are refused, and the transaction can only be rolled back', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const good = { uid: 1, label: 0, id: 1, version: 1, labelSeq: 1, prevLabel: null, expiresAtMs: null, deadSeq: null };
  const bytes = { payload: Buffer.alloc(0), contentHash: Buffer.alloc(16) };
  const bad = [
    { version: 2 ** 53 },
    { label: 2 ** 31 },
    { label: -1 },
    { expiresAtMs: 1.5 },
    { uid: 2 ** 22 },
    { version: Number.NaN },
  ];
  for (const change of bad) {
    store.begin();
    assert.throws(
      () => store.insertPoint({ ...good, ...bytes, ...change }),
      (error: Error) => error instanceof StorageFailure,
    );
    assert.throws(() => store.commit(), /failed/);
    store.rollback();
  }
  store.begin();
  store.insertPoint({ ...good, ...bytes });
  store.commit();
});

test('a full file refuses the transaction as StorageFull, serves reads, and heals when rows are removed', (t) => {
  const { store } = newStore(t.folder(), 120);
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('c'));
  const payload = JSON.stringify({ text: 'x'.repeat(3_000) });
  let stored = 0;
  const fill = (): void => {
    for (; stored < 1_000; stored++) story.commit(story.put(1, { id: stored, vector: [1, 2, 3, 4], payload }));
  };
  let full: unknown;
  try {
    fill();
  } catch (error) {
    full = error;
  }
  assert.instance(full, StorageFull);
  assert.throws(() => store.commit(), /failed/);
  store.rollback();
  assert.is(store.collection(1)?.pointsCount, stored);
  assert.is(store.pointById(1, stored - 1)?.payload.length, payload.length);
  assert.is(store.pointById(1, stored), undefined);
  const rule = { olderThanMs: 0, keepBytes: 0, hardBytes: 10_000, keepFromSeq: null };
  assert.ok(store.pruneLog(rule, 1_000) > 0);
  story.commit(story.put(1, { id: 'after', vector: [1, 2, 3, 4], payload }));
  assert.is(store.pointById(1, 'after')?.payload.length, payload.length);
});

test('changes outside a transaction, upkeep inside one, and a second begin are refused', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  assert.throws(() => store.writeState(store.state()), /between begin and commit/);
  store.begin();
  assert.throws(() => store.reapDead(1, 10), /inside a transaction/);
  assert.throws(() => store.checkpointWal(0), /inside a transaction/);
  store.rollback();
  store.begin();
  assert.throws(() => store.begin(), /inside a transaction/);
  store.rollback();
  store.rollback();
});

test('a snapshot sees one state while a writer goes on, and nests', (t) => {
  const { path, store } = newStore(t.folder());
  const reader = openReader(path, OPTIONS);
  t.after(() => store.close());
  t.after(() => reader.close());
  const story = new Story(store);
  story.commit(story.create('c'));
  reader.snapshot(() => {
    assert.is(reader.state().seq, 1);
    story.commit(story.put(1, { id: 1, vector: [1, 0, 0, 0] }));
    assert.is(reader.state().seq, 1);
    assert.is(
      reader.snapshot(() => reader.pointById(1, 1)),
      undefined,
    );
  });
  assert.is(reader.state().seq, 2);
  assert.throws(() => reader.snapshot(() => reader.pointByLabel(1, -1)), /not a label/);
  assert.is(reader.state().seq, 2);
});

test('a state that is older than what upkeep stored is refused', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  for (let i = 0; i < 5; i++) story.commit(story.create(`c${i}`));
  const stale = store.state();
  store.pruneLog({ olderThanMs: 0, keepBytes: 0, hardBytes: 0, keepFromSeq: null }, 2);
  assert.is(store.state().logMinSeq, 3);
  store.begin();
  assert.throws(() => store.writeState(stale), /older than what upkeep/);
  store.rollback();
});

test('a state with an empty log makes its chain hash what the next log row continues', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const chainHash = Buffer.alloc(32, 6);
  store.begin();
  store.writeState({ ...store.state(), seq: 70, logMinSeq: 71, chainHash });
  store.commit();
  assert.equal(store.logBaseHash(), chainHash);
  const story = new Story(store);
  story.commit(story.create('c'));
  assert.equal(store.logBaseHash(), chainHash);
  assert.is(store.state().logMinSeq, 71);
});

test('closing moves the WAL into the file, and the data is there at the next opening', (t) => {
  const { path, store } = newStore(t.folder());
  const story = new Story(store);
  story.commit(story.create('c'), story.put(1, { id: 'a', vector: [1, 2, 3, 4] }));
  assert.ok(store.fileBytes().wal > 0);
  store.close();
  assert.not(existsSync(`${path}-wal`));
  const again = openWriter(path, OPTIONS);
  t.after(() => again.close());
  assert.is(again.pointById(1, 'a')?.version, 2);
});

test.run();

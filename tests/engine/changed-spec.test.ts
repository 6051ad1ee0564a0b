/** What a collection declares, once it is in the engine: changed, kept over a restart, followed by a replica, and asked for by searches. */

import * as assert from 'uvu/assert';
import { encodeSpec } from '../../src/codec/collection-spec.js';
import { changedSpec } from '../../src/engine/changed-spec.js';
import type { CollectionInfo } from '../../src/engine/engine.js';
import { operationBytes } from '../../src/engine/operation-size.js';
import { type CollectionSpec, DEFAULT_HNSW, DEFAULT_TEXT, NOTHING_DECLARED } from '../../src/model/collection.js';
import type { CollectionChange, NewCollection } from '../../src/model/operation.js';
import { openReader } from '../../src/storage/open-store.js';
import { follow, logOf } from '../support/follow-log.js';
import { openTestEngine, SEARCH, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { checkDigests, TEST_CACHE } from '../support/open-test-store.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/changed-spec', { deadlineMs: 60_000 });

const PLAIN: CollectionSpec = {
  dimension: 2,
  distance: 'euclid',
  hnsw: DEFAULT_HNSW,
  ttlMs: null,
  createdAtMs: 1,
  ...NOTHING_DECLARED,
};
const DECLARED: CollectionSpec = {
  ...PLAIN,
  text: { ...DEFAULT_TEXT, fields: ['title'], language: 'german', k1: 2 },
  payloadIndexes: [{ path: 'year', type: 'integer' }],
  quantization: { type: 'int8', rescore: true, oversampling: 3 },
};
const NEW: NewCollection = {
  dimension: 2,
  distance: 'euclid',
  hnsw: DEFAULT_HNSW,
  ttlMs: null,
  text: DECLARED.text,
  payloadIndexes: DECLARED.payloadIndexes,
  quantization: DECLARED.quantization,
};

async function open(t: TestContext, folder = t.folder(), role: 'master' | 'replica' = 'master'): Promise<TestEngine> {
  const opened = await openTestEngine(folder, {}, role);
  t.after(() => opened.engine.stop());
  return opened;
}

const declared = ({ text, payloadIndexes, quantization }: CollectionInfo): object => ({ text, payloadIndexes, quantization });

const fault = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
};

test('a change keeps what it does not name and replaces lists as a whole', () => {
  assert.equal(changedSpec(DECLARED, {}), DECLARED);
  assert.equal(changedSpec(DECLARED, { efSearch: 7, ttlMs: 5 }), {
    ...DECLARED,
    hnsw: { ...DEFAULT_HNSW, efSearch: 7 },
    ttlMs: 5,
  });
  assert.equal(changedSpec(DECLARED, { textFields: ['a', 'b'], text: { b: 0.1 } }).text, {
    ...DECLARED.text,
    fields: ['a', 'b'],
    b: 0.1,
  });
  const wordLength = { min: 2, max: 9 };
  const bounded = changedSpec(DECLARED, { text: { wordLength } });
  assert.equal(bounded.text, { ...DECLARED.text, wordLength });
  assert.equal(changedSpec(bounded, { text: { k1: 1 } }).text, { ...DECLARED.text, wordLength, k1: 1 });
  assert.equal(changedSpec(bounded, { text: { wordLength: null } }), DECLARED, 'null takes it away');
  const payloadIndexes = [{ path: 'x', type: 'geo' as const }];
  assert.equal(changedSpec(DECLARED, { payloadIndexes }), { ...DECLARED, payloadIndexes });
  assert.equal(changedSpec(DECLARED, { quantization: { type: 'int8', rescore: false } }).quantization, {
    ...DECLARED.quantization,
    rescore: false,
  });
});

test('a collection from which everything was taken has the bytes of one that never declared anything', () => {
  const taken = changedSpec({ ...DECLARED, quantization: null }, { textFields: [], payloadIndexes: [], quantization: null });
  assert.is(encodeSpec(taken).toString(), encodeSpec(PLAIN).toString());
});

test('what cannot be changed is refused by the field of the change', () => {
  const of = (spec: CollectionSpec, change: CollectionChange): string => fault(() => changedSpec(spec, change));
  assert.match(of(DECLARED, { quantization: { type: 'float16' } }), /^quantization\.type: .*int8/);
  assert.match(of(DECLARED, { quantization: null }), /^quantization: /);
  assert.match(of(PLAIN, { quantization: { rescore: true } }), /^quantization: /);
  assert.match(of(PLAIN, { text: { k1: 1 } }), /^text: .*text_fields/);
  assert.match(of(DECLARED, { text: { k1: 1 }, textFields: [] }), /^text: /);
  assert.is(of(PLAIN, { quantization: null }), 'none');
});

test('declarations survive a restart, and a replica that follows has them and the digest', async (t) => {
  const folder = t.folder();
  const first = await open(t, folder);
  await first.engine.write([{ kind: 'create_collection', collection: 'c', spec: NEW }], WAIT);
  await first.create('plain', 2);
  assert.equal(declared(first.engine.collection('c')), declared({ ...first.engine.collection('c'), ...DECLARED }));
  const change: CollectionChange = { textFields: ['a', 'b'], payloadIndexes: [], quantization: { oversampling: 9 } };
  const { results } = await first.engine.write([{ kind: 'update_collection', collection: 'c', change }], WAIT);
  const after = changedSpec(DECLARED, change);
  const [result] = results;
  assert.ok(result?.kind === 'update_collection');
  assert.equal({ ...result.collection.spec, createdAtMs: 1 }, after);
  assert.equal(declared(first.engine.collection('c')), declared({ ...first.engine.collection('c'), ...after }));
  await first.put('c', [{ id: 1, vector: [1, 2] }]);
  const shown = declared(first.engine.collection('c'));
  const digest = Buffer.from(first.engine.log.state().digest).toString('hex');
  await first.engine.stop();

  const again = await open(t, folder);
  assert.equal(declared(again.engine.collection('c')), shown);
  assert.equal(declared(again.engine.collection('plain')), declared({ ...again.engine.collection('c'), ...NOTHING_DECLARED }));
  const replica = await open(t, t.folder(), 'replica');
  await follow(replica.engine, logOf(again.storePath), [1, 2]);
  assert.equal(declared(replica.engine.collection('c')), shown);
  assert.is(Buffer.from(replica.engine.log.state().digest).toString('hex'), digest);
  const reads = openReader(replica.storePath, TEST_CACHE);
  t.after(() => reads.close());
  checkDigests(reads);
});

test('a refused change takes no seq and changes nothing', async (t) => {
  const { engine, create } = await open(t);
  await create('c', 2);
  const before = engine.position().seq;
  const change: CollectionChange = { efSearch: 9, quantization: { type: 'int8' } };
  const refused = await engine
    .write([{ kind: 'update_collection', collection: 'c', change }], WAIT)
    .catch((error: Error) => error.name);
  assert.is(refused, 'InvalidRequest');
  assert.equal([engine.position().seq, engine.collection('c').hnsw.efSearch], [before, DEFAULT_HNSW.efSearch]);
});

test('a text is refused where there are no text fields, a search needs something to look for, and nothing is passed over in silence', async (t) => {
  const { engine, create, put } = await open(t);
  await create('c', 2);
  await put('c', [{ id: 1, vector: [1, 2] }]);
  const search = (more: object): Promise<string> =>
    engine.search('c', { ...SEARCH, ...more }).then(
      ({ mode, degraded }) => `${mode} ${degraded}`,
      (error: Error) => `${error.name} ${error.message}`,
    );
  assert.match(await search({ text: 'a house' }), /^InvalidRequest text: .*text_fields/);
  assert.match(await search({ vector: Float32Array.of(1, 2), text: 'a house' }), /^InvalidRequest text: .*text_fields/);
  assert.match(await search({}), 'InvalidRequest at least one of');
  const change: CollectionChange = { textFields: ['t'] };
  await engine.write([{ kind: 'update_collection', collection: 'c', change }], WAIT);
  assert.is(await search({ text: 'a house' }), 'text false');
  assert.is(await search({ id: 1, filter: {} }), 'vector false');
  assert.is(await search({ vector: Float32Array.of(1, 2) }), 'vector false');
  assert.is(await search({ id: 1, exact: true }), 'exact false');
});

test('a long list of stop words counts in the write queue', () => {
  const stopWords = Array.from({ length: 10_000 }, () => 'z'.repeat(64));
  const text = { ...DEFAULT_TEXT, fields: ['t'], stopWords };
  const created = operationBytes([{ kind: 'create_collection', collection: 'c', spec: { ...NEW, text } }]);
  const changed = operationBytes([{ kind: 'update_collection', collection: 'c', change: { text: { stopWords } } }]);
  for (const bytes of [created, changed]) assert.ok(bytes > 1_280_000 && bytes < 2_000_000, String(bytes));
});

test.run();

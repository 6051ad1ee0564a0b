/** Writes that look at what is there inside their transaction: upserts of new or existing points only, and changes of all points that match a filter. */

import * as assert from 'uvu/assert';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import type { Filter } from '../../src/model/filter.js';
import { FIXED } from '../../src/model/limits.js';
import type { UpsertCondition } from '../../src/model/operation.js';
import type { PayloadChange } from '../../src/model/payload-change.js';
import { openTestEngine, pointBlock, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/conditional-writes');
const isRed: Filter = { must: [{ kind: 'match_value', key: 'color', value: 'red' }] };
const bytes = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));

async function open(t: TestContext): Promise<TestEngine> {
  const opened = await openTestEngine(t.folder());
  t.after(() => opened.engine.stop());
  await opened.create('c', 1);
  return opened;
}

async function payloads({ engine }: TestEngine): Promise<Record<string, unknown>> {
  const { points } = await engine.scroll('c', { limit: 100, after: null, withPayload: true, withVector: false });
  const texts = points.map(({ id, payload }) => [id, JSON.parse(Buffer.from(payload ?? []).toString() || '{}')]);
  return Object.fromEntries(texts);
}

test('an upsert writes new points only, existing ones only, or those that match as they are', async (t) => {
  const opened = await open(t);
  await opened.put('c', [
    { id: 1, vector: [1], payload: { color: 'red' } },
    { id: 2, vector: [2], payload: { color: 'blue' } },
  ]);
  const upsert = async (only: UpsertCondition, by: string): Promise<unknown> => {
    const points = pointBlock([1, 2, 3].map((id) => ({ id, vector: [9], payload: { color: 'red', by } })));
    const { results } = await opened.engine.write([{ kind: 'upsert', collection: 'c', points, only }], WAIT);
    return results[0];
  };
  assert.equal(await upsert({ ids: 'existing', where: isRed }, 'red'), { kind: 'upsert', upserted: 1 });
  assert.equal(await payloads(opened), { 1: { color: 'red', by: 'red' }, 2: { color: 'blue' } });
  assert.equal(await upsert({ ids: 'new' }, 'new'), { kind: 'upsert', upserted: 1 });
  assert.equal((await payloads(opened))['3'], { color: 'red', by: 'new' });
  assert.equal(await upsert({ ids: 'existing' }, 'there'), { kind: 'upsert', upserted: 3 });
  assert.equal(await upsert({ where: { must: [{ kind: 'has_id', ids: [2] }] } }, 'second'), { kind: 'upsert', upserted: 1 });
  assert.equal(
    Object.values(await payloads(opened)).map((payload) => (payload as { by: string }).by),
    ['there', 'second', 'there'],
  );
});

test('all points that match are changed once, unit by unit, also by a change after which they match still', async (t) => {
  const opened = await open(t);
  const count = FIXED.patchByFilterUnitPoints + 7;
  await opened.put(
    'c',
    Array.from({ length: count }, (_, id) => ({ id, vector: [id], payload: { color: 'red', id } })),
  );
  await opened.put('c', [{ id: 'blue', vector: [0], payload: { color: 'blue' } }]);
  const change: PayloadChange = { kind: 'set', payload: bytes({ seen: true, id: null }) };
  const { results } = await opened.engine.patchByFilter('c', isRed, { change }, WAIT);
  assert.equal(results, [{ kind: 'patch', patched: count, units: 2 }]);
  const seen: Filter = { must: [{ kind: 'match_value', key: 'seen', value: true }] };
  assert.is((await opened.engine.count('c', seen)).count, count);
  assert.equal((await payloads(opened))['0'], { color: 'red', seen: true });
});

test('points with long vectors are changed by filter too, as few in a unit as must be, and one is always taken', async (t) => {
  const KIB = 1024;
  const opened = await openTestEngine(t.folder(), {
    bodyBytesMax: 128 * KIB,
    importLineBytesMax: 64 * KIB,
    writeQueueBytesMax: 200 * KIB,
  });
  t.after(() => opened.engine.stop());
  const dimension = 16 * KIB;
  const settings = { dimension, distance: 'dot', hnsw: DEFAULT_HNSW, quantization: null } as const;
  const vectors = ['a', 'b', 'c'].map((name) => ({ name, ...settings }));
  const spec = { dimension, distance: 'dot', hnsw: DEFAULT_HNSW, ttlMs: null, vectors } as const;
  await opened.engine.write([{ kind: 'create_collection', collection: 'long', spec }], WAIT);
  const values = new Array<number>(dimension).fill(0.5);
  for (let id = 0; id < 7; id++) await opened.put('long', [{ id, vector: values, payload: { color: 'red' } }]);
  // One grows to more than a whole unit may have.
  for (const { name } of vectors) {
    const patch = { id: 3, vectors: new Map([[name, { kind: 'dense', values: Float32Array.from(values) } as const]]) };
    await opened.engine.write([{ kind: 'patch', collection: 'long', patches: [patch] }], WAIT);
  }
  const change: PayloadChange = { kind: 'set', payload: bytes({ seen: true }) };
  const { results } = await opened.engine.patchByFilter('long', isRed, { change }, WAIT);
  assert.equal(results, [{ kind: 'patch', patched: 7, units: 3 }]);
  const seen: Filter = { must: [{ kind: 'match_value', key: 'seen', value: true }] };
  assert.is((await opened.engine.count('long', seen)).count, 7);
});

test('a change by filter that is repeated under its key changes nothing', async (t) => {
  const opened = await open(t);
  await opened.put('c', [{ id: 1, vector: [1], payload: { color: 'red' } }]);
  const options = { ...WAIT, idempotency: { scope: new Uint8Array(32).fill(1), body: new Uint8Array(32).fill(2) } };
  const change: PayloadChange = { kind: 'replace', payload: bytes({ color: 'red', n: 1 }) };
  const first = await opened.engine.patchByFilter('c', isRed, { change }, options);
  await opened.put('c', [{ id: 2, vector: [1], payload: { color: 'red' } }]);
  const { seq } = opened.engine.position();
  assert.equal(await opened.engine.patchByFilter('c', isRed, { change }, options), { ...first, repeated: true });
  assert.is(opened.engine.position().seq, seq);
  assert.equal(await payloads(opened), { 1: { color: 'red', n: 1 }, 2: { color: 'red' } });
});

test('a patch with a condition leaves alone what is not there, one without refuses it', async (t) => {
  const opened = await open(t);
  await opened.put('c', [{ id: 1, vector: [1], payload: { color: 'blue' } }]);
  const change: PayloadChange = { kind: 'remove', paths: [['color']] };
  const patches = [
    { id: 1, change },
    { id: 7, change },
  ];
  const write = (where?: Filter) =>
    opened.engine.write([{ kind: 'patch', collection: 'c', patches, ...(where && { where }) }], WAIT);
  assert.equal((await write(isRed)).results, [{ kind: 'patch', patched: 0 }]);
  assert.equal(await payloads(opened), { 1: { color: 'blue' } });
  const refused = await write().catch((error: Error) => error.name);
  assert.is(refused, 'PointNotFound');
  assert.equal((await write({})).results, [{ kind: 'patch', patched: 1 }]);
  assert.equal(await payloads(opened), { 1: {} });
});

test.run();

/** Probes of a real engine: what they say of indexes that answer, fail and stand still, of the store and of the digest tree. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { openTestEngine, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/engine-probes');
const FAULTS = join(mkdtempSync(join(tmpdir(), 'skein-fault-')), 'faults');
// Read by the threads that an engine starts, so it must be there before the first of them.
process.env['SKEIN_TEST_ENGINE_FAULT'] = FAULTS;
process.on('exit', () => rmSync(join(FAULTS, '..'), { recursive: true, force: true }));

const plant = (line: string): void => writeFileSync(FAULTS, line);
const heal = (): void => rmSync(FAULTS, { force: true });

async function start(t: TestContext): Promise<TestEngine> {
  heal();
  const rig = await openTestEngine(t.folder());
  t.after(() => rig.engine.stop());
  t.after(heal);
  return rig;
}

async function declare({ engine }: TestEngine, collection: string): Promise<void> {
  const text = { fields: ['title'], language: 'english', stopWords: 'default', k1: 1.2, b: 0.75 } as const;
  const spec = { dimension: 2, distance: 'cosine', hnsw: DEFAULT_HNSW, ttlMs: null, text } as const;
  await engine.write([{ kind: 'create_collection', collection, spec }], WAIT);
}

test('without collections nobody is asked, and no thread is started for it', async (t) => {
  const { engine } = await start(t);
  const nothing = { asked: 0, answered: 0, busy: 0, points: 0, latencyMs: null, failure: null };
  for (const kind of ['vector', 'text'] as const) assert.equal(await engine.probes.index(kind, 1_000), nothing);
});

test('indexes answer a real search, empty ones too, and searches are not measured by it', async (t) => {
  const rig = await start(t);
  const { engine } = rig;
  await declare(rig, 'a');
  for (const kind of ['vector', 'text'] as const) assert.is((await engine.probes.index(kind, 5_000)).answered, 1, kind);
  await rig.put('a', [{ id: 1, vector: [1, 0], payload: { title: 'red' } }]);
  const { asked, answered, points, latencyMs } = await engine.probes.index('vector', 5_000);
  assert.equal([asked, answered, points], [1, 1, 1]);
  assert.ok((latencyMs ?? -1) > 0);
  const { vector, text, fallback } = engine.status().search;
  assert.equal([vector.latencyMs, text.latencyMs, fallback.count], [null, null, 0]);
});

test('an index that fails or stands still is silent for its time, opens no breaker, and answers again when it is well', async (t) => {
  const rig = await start(t);
  const { engine } = rig;
  await declare(rig, 'a');
  plant('text fail');
  const failing = await engine.probes.index('text', 5_000);
  assert.equal([failing.asked, failing.answered, failing.failure], [1, 0, 'Internal']);
  assert.is((await engine.probes.index('vector', 5_000)).answered, 1, 'the other engine is well');
  plant('text stall');
  for (let i = 0; i < 7; i++) assert.is((await engine.probes.index('text', 20)).failure, 'Timeout');
  assert.is(engine.status().search.text.breaker, 'closed');
  heal();
  await waitUntil(async () => (await engine.probes.index('text', 1_000)).answered === 1, { what: 'it answers again' });
});

test('the store and the digest tree are whole after writes of every kind', async (t) => {
  const rig = await start(t);
  const { engine } = rig;
  assert.equal([engine.probes.store().whole, (await engine.probes.digest(1_000)).bucketsWhole], [true, null]);
  await rig.create('a', 2);
  await declare(rig, 'b');
  await rig.put(
    'a',
    Array.from({ length: 50 }, (_, id) => ({ id, vector: [id, 1] })),
  );
  await rig.remove('a', [1, 2, 3]);
  await engine.write([{ kind: 'put_alias', alias: 'c', collection: 'a' }], WAIT);
  await engine.log.registerVoters([{ nodeId: 'ab'.repeat(16), host: 'h', port: 1 }]);
  const { seq } = engine.position();
  for (let turn = 0; turn < 2; turn++) {
    const { digest, ...found } = await engine.probes.digest(1_000);
    assert.equal(found, { seq, collections: 2, whole: true, bucketsWhole: true });
    assert.is(digest, Buffer.from(engine.log.state().digest).toString('hex'));
  }
  const { latencyMs, ...store } = engine.probes.store();
  assert.equal(store, { seq, whole: true });
  assert.ok(latencyMs >= 0);
});

test('with many collections the digest is read in a thread, and is whole', async (t) => {
  const rig = await start(t);
  for (let i = 0; i < 80; i++) await rig.create(`c${i}`, 2);
  const { collections, whole, bucketsWhole } = await rig.engine.probes.digest(10_000);
  assert.equal([collections, whole, bucketsWhole], [80, true, true]);
});

test.run();

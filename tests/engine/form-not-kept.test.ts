/** A collection asks for smaller copies of its vectors on a machine whose native library keeps float32 only: it is served all the same. */

import * as assert from 'uvu/assert';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { openTestEngine, SEARCH, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('engine/form-not-kept');
const DIMENSION = 8;
const POINTS = 1_500;
const SPEC = {
  dimension: DIMENSION,
  distance: 'euclid',
  hnsw: DEFAULT_HNSW,
  ttlMs: null,
  quantization: { type: 'int8', rescore: true, oversampling: 2 },
} as const;

/** Index workers that are started from now on load this build; undefined: the best there is. */
function load(build: string | undefined): void {
  if (build === undefined) delete process.env['SKEIN_NATIVE_BUILD'];
  else process.env['SKEIN_NATIVE_BUILD'] = build;
}

/** Every way of searching finds each of some points by its own vector, with its exact score. */
async function findsAll({ engine, fatal }: TestEngine, vectors: readonly Float32Array[]): Promise<void> {
  for (let id = 0; id < POINTS; id += 100) {
    for (const request of [{}, { exact: true }, { explain: true }]) {
      const { hits, explain } = await engine.search('c', { ...SEARCH, vector: vectors[id] as Float32Array, ...request });
      assert.equal([hits[0]?.id, hits[0]?.score, hits.length], [id, 0, 10]);
      if ('explain' in request) assert.is(explain?.plan, 'graph');
    }
  }
  const { recall, sampled } = await engine.measureRecall('c', { sample: 20, limit: 10, timeoutMs: 20_000 });
  assert.ok(sampled === 20 && recall !== null && recall >= 0.95, `${recall} of ${sampled}`);
  assert.is(engine.collection('c').quantization?.type, 'int8');
  const { restarts } = engine.status().search.vector;
  assert.equal([restarts, fatal], [0, []]);
}

test('points beyond the first thousand, a store made elsewhere, and one taken back there: all are served', async (t) => {
  t.after(() => load(undefined));
  const folder = t.folder();
  const random = new Random(t.seed());
  const vectors = Array.from({ length: POINTS }, () => random.vector(DIMENSION));
  load('hnswlib-node');
  const first = await openTestEngine(folder);
  await first.engine.write([{ kind: 'create_collection', collection: 'c', spec: SPEC }], WAIT);
  await first.put(
    'c',
    vectors.map((vector, id) => ({ id, vector })),
  );
  await findsAll(first, vectors);
  await first.engine.stop();
  for (const build of [undefined, 'hnswlib-node']) {
    load(build);
    const next = await openTestEngine(folder);
    await findsAll(next, vectors);
    await next.engine.stop();
  }
});

test.run();

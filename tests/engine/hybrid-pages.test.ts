/** Lists of two engines as one: pages that belong together, and an explanation that accounts for the scores. */

import * as assert from 'uvu/assert';
import type { Explanation, SearchRequest } from '../../src/engine/engine.js';
import { DEFAULT_HNSW, DEFAULT_TEXT } from '../../src/model/collection.js';
import type { PointId } from '../../src/model/point.js';
import { openTestEngine, SEARCH, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/hybrid-pages', { deadlineMs: 60_000 });
const DIMENSION = 8;

async function start(t: TestContext, points: number, quantized: boolean): Promise<TestEngine & { query: SearchRequest }> {
  const random = new Random(t.seed());
  const rig = await openTestEngine(t.folder());
  t.after(() => rig.engine.stop());
  const quantization = quantized ? ({ type: 'int8', rescore: true, oversampling: 2 } as const) : null;
  const spec = { dimension: DIMENSION, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null, quantization } as const;
  const text = { ...DEFAULT_TEXT, fields: ['t'] };
  await rig.engine.write([{ kind: 'create_collection', collection: 'c', spec: { ...spec, text } }], WAIT);
  const words = (id: number): string => `red ${'blue '.repeat(id % 17)}${'green '.repeat(id % 5)}`;
  await rig.put(
    'c',
    Array.from({ length: points }, (_, id) => ({ id, vector: random.vector(DIMENSION), payload: { t: words(id) } })),
  );
  return { ...rig, query: { ...SEARCH, cache: false, vector: random.vector(DIMENSION), text: 'red blue' } };
}

test('pages far behind the candidates hold no hit twice and leave none out', async (t) => {
  const { engine, query } = await start(t, 600, false);
  const page = async (offset: number, limit: number): Promise<PointId[]> =>
    (await engine.search('c', { ...query, offset, limit })).hits.map(({ id }) => id);
  const pages: PointId[] = [];
  for (let offset = 100; offset < 400; offset += 50) pages.push(...(await page(offset, 50)));
  assert.equal(pages, await page(100, 300));
  assert.is(new Set(pages).size, 300);
});

test('the ranks that an explanation names give the scores, also when candidates were ordered by their full vectors', async (t) => {
  const { engine, query } = await start(t, 1_500, true);
  await waitUntil(() => engine.status().index.waitingBytes === 0, { what: 'the graph to have all', deadlineMs: 30_000 });
  const { hits, explain } = await engine.search('c', { ...query, limit: 30, explain: true });
  type Places = { readonly hits: readonly { readonly id: PointId; readonly rank: number }[] };
  assert.ok(explain);
  const { vector, text } = (explain as Explanation).engines as unknown as { vector: Places; text: Places };
  for (const { id, score } of hits) {
    const ranks = [vector, text].flatMap((engineHits) => engineHits.hits.filter((hit) => hit.id === id).map(({ rank }) => rank));
    const expected = ranks.reduce((sum, rank) => sum + 1 / (query.fusion.rrfK + rank), 0);
    assert.ok(Math.abs(score - expected) < 1e-9, `${id}: ${score}, by its ranks ${ranks} ${expected}`);
  }
});

test.run();

/** Hybrid search on Cranfield: BM25 alone, vectors alone (LSI, 128 components), and both joined in each way there is; nDCG@10 and MAP, and what a
 *  search takes. The references are the two sides alone, in the same run. */

import type { SearchRequest } from '../src/engine/engine.js';
import { DEFAULT_FUSION, FUSION_METHODS } from '../src/model/fusion.js';
import { atLeast, type Bench, type Cell, type Figure } from './support/bench.js';
import { type BenchEngine, fillEngine, withEngine } from './support/bench-engine.js';
import { averagePrecision, type CranfieldQuery, ndcg, readCranfield } from './support/cranfield.js';
import { Latencies } from './support/latencies.js';
import { dataFolder } from './support/vector-files.js';

const TEXT_NDCG_MIN = 0.54;
const HYBRID_NDCG_MIN = 0.55;
const LIMIT = 100;

interface Quality {
  readonly ndcg: number;
  readonly map: number;
  readonly p50: number;
}

export const hybrid: Bench = {
  name: 'hybrid',
  about: 'text, vectors and both on Cranfield',
  async run(progress) {
    const folder = dataFolder();
    if (folder === null)
      return { tables: [], figures: [], notes: ['not measured: SKEIN_BENCH_DATA names no folder of real data'] };
    const { documents, queries } = readCranfield(folder);
    return withEngine(async (engine) => {
      progress(`${documents.length} abstracts: fill`);
      await engine.create(128, {
        distance: 'cosine',
        text: { fields: ['title', 'text'], language: 'english', stopWords: 'default', k1: 1.2, b: 0.75 },
      });
      const values = new Float32Array(documents.length * 128);
      for (const [row, { vector }] of documents.entries()) values.set(vector, row * 128);
      const payloadOf = (row: number) => ({ title: documents[row]?.title ?? '', text: documents[row]?.text ?? '' });
      await fillEngine(engine, { count: documents.length, dimension: 128, values }, payloadOf);
      const idOf = (row: number): number => documents[row]?.id ?? 0;
      progress(`${queries.length} queries, each way`);
      const ways: [string, (query: CranfieldQuery) => Partial<SearchRequest>][] = [
        ['text', ({ text }) => ({ text })],
        ['vector', ({ vector }) => ({ vector })],
        ...FUSION_METHODS.map((method): [string, (query: CranfieldQuery) => Partial<SearchRequest>] => [
          method,
          ({ text, vector }) => ({ text, vector, fusion: { ...DEFAULT_FUSION, method } }),
        ]),
      ];
      const found = new Map<string, Quality>();
      for (const [name, ask] of ways) found.set(name, await measure(engine, queries, ask, idOf));
      const of = (name: string): Quality => found.get(name) as Quality;
      const best = Math.max(of('text').ndcg, of('vector').ndcg);
      const figures: Figure[] = [
        { name: 'Cranfield, BM25: nDCG@10', value: of('text').ndcg, unit: '', bound: atLeast(TEXT_NDCG_MIN) },
        { name: 'Cranfield, LSI vectors: nDCG@10', value: of('vector').ndcg, unit: '' },
        { name: 'Cranfield, both by RRF: nDCG@10', value: of('rrf').ndcg, unit: '', bound: atLeast(HYBRID_NDCG_MIN) },
        { name: 'Cranfield, both by RRF / the better side alone', value: of('rrf').ndcg / best, unit: '', bound: atLeast(1) },
      ];
      const rows: Cell[][] = [...found].map(([name, { ndcg: value, map, p50 }]) => [name, value, map, p50]);
      const title = `hybrid, Cranfield: ${documents.length} abstracts, ${queries.length} queries, limit ${LIMIT}`;
      const notes = ['gain = 5 − |code|; two documents without text and vector are left out'];
      return { tables: [{ title, columns: ['way', 'nDCG@10', 'MAP@100', 'p50 ms'], rows }], figures, notes };
    });
  },
};

async function measure(
  engine: BenchEngine,
  queries: readonly CranfieldQuery[],
  ask: (query: CranfieldQuery) => Partial<SearchRequest>,
  idOf: (row: number) => number,
): Promise<Quality> {
  const latencies = new Latencies();
  let gain = 0;
  let precision = 0;
  for (const query of queries) {
    const beganMs = performance.now();
    const { hits } = await engine.ask({ ...ask(query), limit: LIMIT });
    latencies.add(performance.now() - beganMs);
    const ranked = hits.map(({ id }) => idOf(Number(id)));
    gain += ndcg(ranked, query.gains);
    precision += averagePrecision(ranked, query.gains);
  }
  return { ndcg: gain / queries.length, map: precision / queries.length, p50: latencies.percentile(0.5) };
}

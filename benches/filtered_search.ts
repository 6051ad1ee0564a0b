/** Filtered search in process at every selectivity, with matches spread at random and with matches that lie together, far from most queries:
 *  recall against brute force over the matches, hits that are missing, and latency against the search without a filter, measured in
 *  turns with it. The reference is a scan of the matching vectors in plain JavaScript. */

import type { Filter } from '../src/model/filter.js';
import { exactTopK } from '../src/vector-index/exact-scan.js';
import { Random } from '../tests/support/random.js';
import { atLeast, atMost, type Bench, type Cell, type Figure, type Progress, scaled } from './support/bench.js';
import { type BenchEngine, fillEngine, withEngine } from './support/bench-engine.js';
import { ClusterStream, rowOf, type VectorRows } from './support/clusters.js';
import { median } from './support/latencies.js';
import { recallOfScores, type Truth } from './support/truth.js';

const LIMIT = 10;
/** Of a thousand. */
const SHARES = [1, 4, 5, 10, 20, 50, 100, 200, 300, 500, 700, 900, 990, 1_000] as const;
const THOUSAND = 1_000;
const ROUNDS = 3;
const RECALL_MIN = 0.98;
const HALF_RATIO_MAX = 2;
const TENTH_RATIO_MAX = 5;

/** Which thousandth of all points a point is in: drawn at random, or by how far it lies along one direction. */
interface Places {
  readonly random: Uint16Array;
  readonly along: Uint16Array;
}
type Kind = keyof Places;

interface Measured {
  readonly recall: number;
  readonly missing: number;
  readonly p50: number;
  readonly plainP50: number;
  readonly scanMs: number;
  readonly plans: string;
}

export const filteredSearch: Bench = {
  name: 'filtered_search',
  about: 'filters of every selectivity against brute force and against search without a filter',
  async run(progress) {
    const count = scaled(100_000, 5_000);
    const stream = new ClusterStream(128);
    const base = stream.take(count);
    const places = placesOf(base);
    return withEngine(async (engine) => {
      progress(`${count.toLocaleString('en-US')} × 128: fill`);
      await engine.create(128, {
        payloadIndexes: [
          { path: 'random', type: 'integer' },
          { path: 'along', type: 'integer' },
        ],
      });
      await fillEngine(engine, base, (id) => ({ random: places.random[id] as number, along: places.along[id] as number }));
      const rows: Cell[][] = [];
      const figures: Figure[] = [];
      for (const kind of ['random', 'along'] as const) {
        for (const share of SHARES) {
          const found = await measure(engine, base, stream.queries, places, kind, share, progress);
          const ratio = found.p50 / found.plainP50;
          rows.push([
            kind,
            `${share / 10} %`,
            found.plans,
            found.recall,
            found.missing,
            found.p50,
            ratio,
            found.scanMs,
            found.scanMs / found.p50,
          ]);
          figures.push(...boundsOf(kind, share, found.recall, found.missing, ratio));
        }
      }
      const columns = [
        'matches',
        'share',
        'plan',
        'recall@10',
        'missing hits',
        'p50 ms',
        '/ no filter',
        'JS scan ms',
        'scan / ours',
      ];
      return {
        tables: [
          { title: `filtered_search ${count.toLocaleString('en-US')} × 128, ef 64, limit 10, one at a time`, columns, rows },
        ],
        figures,
        notes: ['along: the matches are the points farthest along one direction, so that most queries are far from all of them'],
      };
    });
  },
};

function boundsOf(kind: Kind, share: number, recall: number, missing: number, ratio: number): Figure[] {
  const name = `filter of ${share / 10} %, ${kind === 'random' ? 'spread' : 'far away'}`;
  const latency = { name: `${name}: latency / no filter`, value: ratio, unit: '' };
  return [
    { name: `${name}: recall@10`, value: recall, unit: '', bound: atLeast(RECALL_MIN) },
    { name: `${name}: hits missing`, value: missing, unit: '', bound: atMost(0) },
    ...(share === 500 ? [{ ...latency, bound: atMost(HALF_RATIO_MAX) }] : []),
    ...(share === 100 ? [{ ...latency, bound: atMost(TENTH_RATIO_MAX) }] : []),
    ...(share < 5 ? [{ ...latency, bound: atMost(1) }] : []),
  ];
}

function placesOf(base: VectorRows): Places {
  const random = new Random(11);
  const direction = random.vector(base.dimension);
  const order = Array.from({ length: base.count }, (_, row) => row);
  const along = new Float64Array(base.count);
  for (const row of order) along[row] = rowOf(base, row).reduce((sum, value, i) => sum + value * (direction[i] as number), 0);
  order.sort((a, b) => (along[b] as number) - (along[a] as number));
  const places = { random: new Uint16Array(base.count), along: new Uint16Array(base.count) };
  for (const [rank, row] of order.entries()) places.along[row] = Math.floor((rank * THOUSAND) / base.count);
  for (const [rank, row] of random.shuffled(order).entries()) places.random[row] = Math.floor((rank * THOUSAND) / base.count);
  return places;
}

async function measure(
  engine: BenchEngine,
  base: VectorRows,
  queries: VectorRows,
  places: Places,
  kind: Kind,
  share: number,
  progress: Progress,
): Promise<Measured> {
  progress(`${kind}, ${share / 10} %`);
  const { truth, scanMs } = truthAmong(base, queries, places[kind], share);
  const answers: number[][] = [];
  const plans = new Map<string, number>();
  let missing = 0;
  for (let query = 0; query < queries.count; query += 1) {
    const { hits, explain } = await engine.ask({
      vector: rowOf(queries, query),
      filter: filterOf(kind, share, query),
      explain: true,
    });
    answers.push(hits.map(({ score }) => score));
    missing += Math.max(0, (truth.scores[query]?.length ?? 0) - hits.length);
    plans.set(explain?.plan ?? '', (plans.get(explain?.plan ?? '') ?? 0) + 1);
  }
  const filtered: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let query = 0; query < queries.count; query += 1) {
      const vector = rowOf(queries, query);
      plain.push(await timed(() => engine.ask({ vector })));
      filtered.push(await timed(() => engine.ask({ vector, filter: filterOf(kind, share, round * queries.count + query) })));
    }
  }
  const words = [...plans].map(([plan, count]) => (plans.size === 1 ? plan : `${plan} ${count}`)).join(', ');
  return {
    recall: recallOfScores(truth, answers),
    missing,
    p50: median(filtered),
    plainP50: median(plain),
    scanMs,
    plans: words,
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}

/** The same points each time, but never the same filter twice in a row, so that no answer of a filter is found again.
 *  @param turn says how much beyond its end the range goes, where nothing is */
function filterOf(kind: Kind, share: number, turn: number): Filter {
  return { must: [{ kind: 'range', key: kind, time: false, bounds: { gte: -1 - turn, lt: share } }] };
}

/** Brute force over the points that match. */
function truthAmong(base: VectorRows, queries: VectorRows, places: Uint16Array, share: number): { truth: Truth; scanMs: number } {
  const rows: Float32Array[] = [];
  for (let row = 0; row < base.count; row += 1) if ((places[row] as number) < share) rows.push(rowOf(base, row));
  const startMs = performance.now();
  const scores = Array.from({ length: queries.count }, (_, query) => {
    const top = exactTopK('euclid', rowOf(queries, query), LIMIT);
    for (const [label, row] of rows.entries()) top.offer(label, row);
    return top.finish().scores;
  });
  const scanMs = (performance.now() - startMs) / queries.count;
  return { truth: { distance: 'euclid', limit: LIMIT, scores, scansPerSecond: 1_000 / scanMs }, scanMs };
}

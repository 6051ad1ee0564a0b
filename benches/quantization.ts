/** Quantized graphs against float32 ones: what an index takes of memory, what it finds after its candidates were ordered by full vectors, and
 *  how fast. Memory is that of a process that builds the index alone, less bare Node; the rest is the engine in process. */

import { DEFAULT_HNSW, type Quantization } from '../src/model/collection.js';
import { atLeast, atMost, type Bench, type BenchResult, type Cell, type Figure, type Progress, scaled } from './support/bench.js';
import { type BenchEngine, fillEngine, withEngine } from './support/bench-engine.js';
import { ClusterStream, payloadOf, rowOf, type Shape, type VectorRows } from './support/clusters.js';
import { indexMemory } from './support/index-memory.js';
import { Latencies } from './support/latencies.js';
import { findTruth, recallOfRows, type Truth } from './support/truth.js';

const RECALL_SHARE_MIN = 0.98;
const MEMORY_SHARE_MAX = 0.45;
const ROUNDS = 5;
const MIB = 2 ** 20;
const FORMS: readonly (Quantization | null)[] = [
  null,
  { type: 'float16', rescore: true, oversampling: 1.5 },
  { type: 'int8', rescore: true, oversampling: 3 },
  { type: 'int8', rescore: false, oversampling: 1 },
];

interface Measured {
  readonly recall: number;
  readonly p50: number;
  readonly perSecond: number;
}

export const quantization: Bench = {
  name: 'quantization',
  about: 'float16 and int8 graphs against float32: memory, recall, speed',
  async run(progress) {
    const shapes = [
      { count: scaled(50_000, 2_000), dimension: 768 },
      { count: scaled(100_000, 2_000), dimension: 128 },
    ];
    const results: BenchResult[] = [];
    for (const shape of shapes) results.push(await runShape(shape, progress));
    return { tables: results.flatMap(({ tables }) => tables), figures: results.flatMap(({ figures }) => figures), notes: [] };
  },
};

async function runShape(shape: Shape, progress: Progress): Promise<BenchResult> {
  const name = `${shape.count.toLocaleString('en-US')} × ${shape.dimension}`;
  progress(`${name}: data and exact neighbours`);
  const stream = new ClusterStream(shape.dimension);
  const base = stream.take(shape.count);
  const { queries } = stream;
  const truth = findTruth(base, queries, 'euclid', 10);
  const rows: Cell[][] = [];
  const figures: Figure[] = [];
  let plain: { recall: number; bytes: number } | null = null;
  for (const form of FORMS) {
    const words = form === null ? 'float32' : `${form.type}${form.rescore ? '' : ', not rescored'}`;
    progress(`${name}: ${words}`);
    const bytes = await indexMemory(shape, form?.type ?? 'none');
    const found = await withEngine((engine) => measure(engine, base, queries, truth, form));
    plain ??= { recall: found.recall, bytes };
    const [recallShare, memoryShare] = [found.recall / plain.recall, bytes / plain.bytes];
    rows.push([words, bytes / MIB, bytes / shape.count, memoryShare, found.recall, recallShare, found.p50, found.perSecond]);
    if (form === null || !form.rescore) continue;
    const bounded = form.type === 'int8' && shape.dimension === 768;
    figures.push({
      name: `${words} ${name}: recall@10 / float32`,
      value: recallShare,
      unit: '',
      ...(form.type === 'int8' ? { bound: atLeast(RECALL_SHARE_MIN) } : {}),
    });
    figures.push({
      name: `${words} ${name}: index memory / float32`,
      value: memoryShare,
      unit: '',
      ...(bounded ? { bound: atMost(MEMORY_SHARE_MAX) } : {}),
    });
  }
  const columns = ['vectors', 'index MiB', 'bytes a point', '/ float32', 'recall@10', '/ float32', 'p50 ms', 'searches /s'];
  return {
    tables: [{ title: `quantization ${name}, ef ${DEFAULT_HNSW.efSearch}, limit 10, one at a time`, columns, rows }],
    figures,
    notes: [],
  };
}

async function measure(
  engine: BenchEngine,
  base: VectorRows,
  queries: VectorRows,
  truth: Truth,
  form: Quantization | null,
): Promise<Measured> {
  await engine.create(base.dimension, { quantization: form });
  await fillEngine(engine, base, payloadOf);
  const latencies = new Latencies();
  const answers: number[][] = [];
  const startMs = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let query = 0; query < queries.count; query += 1) {
      const beganMs = performance.now();
      const { hits } = await engine.ask({ vector: rowOf(queries, query) });
      latencies.add(performance.now() - beganMs);
      if (round === 0) answers.push(hits.map(({ id }) => Number(id)));
    }
  }
  const perSecond = (latencies.count / (performance.now() - startMs)) * 1000;
  return { recall: recallOfRows(truth, base, queries, answers), p50: latencies.percentile(0.5), perSecond };
}

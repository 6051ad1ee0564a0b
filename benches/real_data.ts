/** Recall on real vectors below SKEIN_BENCH_DATA: siftsmall, imported through the command line and searched over HTTP, and 1,000 Cohere
 *  embeddings under all three distances, each against its published or recomputed neighbours. Recall is by distance. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Distance } from '../src/model/distance.js';
import { scorer } from '../src/model/distance.js';
import { atLeast, atMost, type Bench, type BenchResult, type Figure, type Progress, type Table } from './support/bench.js';
import { rowOf, type VectorRows } from './support/clusters.js';
import { fill, settled } from './support/loaded-collection.js';
import { type HitBody, searchAll, searchRequests } from './support/requests.js';
import { PROGRAM, type ServerProcess, withServer } from './support/server-process.js';
import { findTruth, recallOfRows, type Truth } from './support/truth.js';
import { dataFolder, readFloatVectors, readIntVectors } from './support/vector-files.js';

const SIFT_RECALL_MIN = 0.99;
/** Scores are float64 sums over float32 components on both sides. */
const SCORE_ERROR_MAX = 1e-9;
const COHERE_TRUTHS: Readonly<Record<Distance, string>> = {
  cosine: 'groundtruth_first100_cos.ivecs',
  dot: 'groundtruth_first100_ip.ivecs',
  euclid: 'groundtruth_first100_l2.ivecs',
};

export const realData: Bench = {
  name: 'real_data',
  about: 'recall on siftsmall and Cohere vectors, over HTTP',
  async run(progress) {
    const folder = dataFolder();
    if (folder === null)
      return { tables: [], figures: [], notes: ['not measured: SKEIN_BENCH_DATA names no folder of real data'] };
    return withServer(async (server) => {
      const results = [await siftsmall(server, folder, progress), await cohere(server, folder, progress)];
      return {
        tables: results.flatMap(({ tables }) => tables),
        figures: results.flatMap(({ figures }) => figures),
        notes: [],
      };
    });
  },
};

async function siftsmall(server: ServerProcess, folder: string, progress: Progress): Promise<BenchResult> {
  progress('siftsmall: importing through the command line');
  const file = join(folder, 'siftsmall', 'siftsmall_base.fvecs');
  const words = ['import', 'siftsmall', file, '--url', `http://127.0.0.1:${server.port}`, '--distance', 'euclid'];
  const imported = spawnSync(PROGRAM, words, { encoding: 'utf8' });
  if (imported.status !== 0) throw new Error(`import ended with ${imported.status}: ${imported.stderr}`);
  const base = readFloatVectors(folder, 'siftsmall', 'siftsmall_base.fvecs');
  const queries = readFloatVectors(folder, 'siftsmall', 'siftsmall_query.fvecs');
  const neighbours = readIntVectors(folder, 'siftsmall', 'siftsmall_groundtruth.ivecs');
  const truth = publishedTruth(base, queries, neighbours, 'euclid', 10);
  progress('siftsmall: searching');
  const plan = { collection: 'siftsmall', form: 'json' } as const;
  const connection = await server.connect();
  await settled(connection, 'siftsmall');
  const nearest = await searchAll(connection, searchRequests(queries, plan), 'json');
  const exact = await searchAll(connection, searchRequests(queries, { ...plan, exact: true }), 'json');
  connection.close();
  const figures: Figure[] = [
    {
      name: 'siftsmall, recall@10 at the default ef',
      value: recallOf(truth, base, queries, nearest),
      unit: '',
      bound: atLeast(SIFT_RECALL_MIN),
    },
    { name: 'siftsmall, recall@10 of exact search', value: recallOf(truth, base, queries, exact), unit: '', bound: atLeast(1) },
    {
      name: 'siftsmall, largest error of an exact distance',
      value: scoreError(base, queries, 'euclid', exact),
      unit: '',
      bound: atMost(SCORE_ERROR_MAX),
    },
    { name: 'siftsmall, queries answered', value: nearest.length, unit: '', bound: atLeast(queries.count) },
  ];
  return { tables: [figuresTable('siftsmall, 10,000 × 128, euclid', figures)], figures, notes: [] };
}

async function cohere(server: ServerProcess, folder: string, progress: Progress): Promise<BenchResult> {
  const base = readFloatVectors(folder, 'cohere1k-f32-768', 'base.fvecs');
  const queries = { ...base, count: 100 };
  const figures: Figure[] = [];
  for (const distance of ['cosine', 'dot', 'euclid'] as const) {
    progress(`cohere1k: ${distance}`);
    const collection = `cohere-${distance}`;
    const neighbours = readIntVectors(folder, 'cohere1k-f32-768', COHERE_TRUTHS[distance]);
    await fill(server, base, { collection, distance });
    const truth = publishedTruth(base, queries, neighbours, distance, 10);
    const recomputed = findTruth(base, queries, distance, 10);
    const connection = await server.connect();
    const nearest = await searchAll(connection, searchRequests(queries, { collection, form: 'msgpack' }), 'msgpack');
    connection.close();
    figures.push(
      {
        name: `cohere1k ${distance}, recall@10 against its own neighbours`,
        value: recallOf(truth, base, queries, nearest),
        unit: '',
        bound: atLeast(1),
      },
      {
        name: `cohere1k ${distance}, recall@10 recomputed`,
        value: recallOf(recomputed, base, queries, nearest),
        unit: '',
        bound: atLeast(1),
      },
      {
        name: `cohere1k ${distance}, largest error of a score`,
        value: scoreError(base, queries, distance, nearest),
        unit: '',
        bound: atMost(SCORE_ERROR_MAX),
      },
    );
  }
  return { tables: [figuresTable('cohere1k, 1,000 × 768, first 100 rows as queries', figures)], figures, notes: [] };
}

/** The true scores of neighbours that a file names. */
function publishedTruth(
  base: VectorRows,
  queries: VectorRows,
  neighbours: readonly number[][],
  distance: Distance,
  limit: number,
): Truth {
  const scores = Array.from({ length: queries.count }, (_, query) => {
    const score = scorer(distance, rowOf(queries, query));
    return Float64Array.from((neighbours[query] ?? []).slice(0, limit), (row) => score(rowOf(base, row)));
  });
  return { distance, limit, scores, scansPerSecond: 0 };
}

function recallOf(truth: Truth, base: VectorRows, queries: VectorRows, answers: readonly (readonly HitBody[])[]): number {
  const rows = answers.map((hits) => hits.map(({ id }) => id));
  return recallOfRows(truth, base, queries, rows);
}

/** The largest difference between an answered score and the one computed here from the point's own vector. */
function scoreError(base: VectorRows, queries: VectorRows, distance: Distance, answers: readonly (readonly HitBody[])[]): number {
  let worst = 0;
  for (const [query, hits] of answers.entries()) {
    const score = scorer(distance, rowOf(queries, query));
    for (const hit of hits) worst = Math.max(worst, Math.abs(hit.score - score(rowOf(base, hit.id))));
  }
  return worst;
}

function figuresTable(title: string, figures: readonly Figure[]): Table {
  return { title, columns: ['figure', 'value'], rows: figures.map(({ name, value }) => [name, value]) };
}

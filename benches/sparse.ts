/** Sparse vectors of real texts, weighted by idf, in process: answers against exact search in plain JavaScript over all documents, speed against it,
 *  building, memory, and an index whose points were all written again several times. */

import type { SearchAnswer, SearchRequest } from '../src/engine/engine.js';
import type { PointBlock, SparseVector } from '../src/model/point.js';
import { namedBlock } from '../tests/support/named-points.js';
import {
  atLeast,
  atMost,
  type Bench,
  type BenchResult,
  type Cell,
  type Figure,
  type Progress,
  scaled,
  scaledMs,
} from './support/bench.js';
import { type BenchEngine, inFlight, withEngine } from './support/bench-engine.js';
import { Latencies } from './support/latencies.js';
import { type PlainHits, PlainSparse } from './support/plain-sparse.js';
import { sparseMemory } from './support/sparse-memory.js';
import { SparseTexts } from './support/sparse-texts.js';
import { dataFolder } from './support/vector-files.js';

const NAME = 'words';
const LIMIT = 10;
/** Left out of the shorter questions. */
const COMMON_WORDS = 50;
/** Points are in this many parts, and a filter asks for one. */
const PARTS = 10;
const WRITTEN_AT_ONCE = 1_000;
const WRITES_IN_FLIGHT = 4;
const AT_ONCE = 8;
const WRITTEN_AGAIN = 3;
const SCORE_ERROR_MAX = 1e-9;
/** Of few documents the way to the worker and back is most of a search. */
const FASTER_MIN = 5;
const FASTER_FROM = 25_000;
const SLOWER_MAX = 2;

interface Size {
  readonly count: number;
  readonly isWrittenAgain: boolean;
}

interface Case {
  readonly name: string;
  readonly queries: readonly SparseVector[];
  readonly filter?: SearchRequest['filter'];
  readonly passes: (id: number) => boolean;
}

export const sparse: Bench = {
  name: 'sparse',
  about: 'sparse vectors of real texts with idf, against plain exact search',
  async run(progress) {
    const folder = dataFolder();
    if (folder === null)
      return { tables: [], figures: [], notes: ['not measured: SKEIN_BENCH_DATA names no folder of real data'] };
    const texts = new SparseTexts(folder);
    const results: BenchResult[] = [];
    const sizes: readonly Size[] = [
      { count: texts.realCount, isWrittenAgain: false },
      { count: scaled(25_000, 2_000), isWrittenAgain: true },
      { count: scaled(100_000, 4_000), isWrittenAgain: false },
      { count: scaled(250_000, 6_000), isWrittenAgain: false },
    ];
    for (const size of sizes) results.push(await runSize(folder, texts, size, progress));
    return {
      tables: results.flatMap(({ tables }) => tables),
      figures: results.flatMap(({ figures }) => figures),
      notes: [
        `${texts.realCount} documents are Cranfield abstracts as they are; more are these again, a tenth of the words left out and a tenth exchanged for words of others`,
        'recall: hits of which each has the score of plain exact search at its rank; plain search runs in one thread without the engine around it',
      ],
    };
  },
};

async function runSize(folder: string, texts: SparseTexts, size: Size, progress: Progress): Promise<BenchResult> {
  const { count, isWrittenAgain } = size;
  const about = `${count.toLocaleString('en-US')} documents`;
  progress(`${about}: memory of the index alone`);
  const memory = sparseMemory(folder, count);
  const documents = [...texts.documents(count)];
  const plain = new PlainSparse(documents, texts.words);
  return withEngine(async (engine) => {
    progress(`${about}: fill`);
    await engine.create(1, {
      ...{ dimension: null, distance: null },
      sparseVectors: [{ name: NAME, modifier: 'idf' }],
      payloadIndexes: [{ path: 'part', type: 'integer' }],
    });
    const blocks = blocksOf(documents);
    const beganMs = performance.now();
    await fill(engine, blocks);
    const perSecond = (count / (performance.now() - beganMs)) * 1000;
    const cases: Case[] = [
      { name: 'questions, every word', queries: texts.questions(0), passes: () => true },
      {
        name: `questions without the ${COMMON_WORDS} most common words`,
        queries: texts.questions(COMMON_WORDS),
        passes: () => true,
      },
      {
        name: `every word, a filter that lets a ${PARTS}th pass`,
        queries: texts.questions(0),
        filter: { must: [{ kind: 'match_value', key: 'part', value: 3 }] },
        passes: (id) => id % PARTS === 3,
      },
    ];
    const rows: Cell[][] = [];
    const figures: Figure[] = [];
    for (const one of cases) {
      progress(`${about}: ${one.name}`);
      const measured = await measure(engine, plain, one);
      rows.push([one.name, ...measured.cells]);
      figures.push(...measured.figures(`sparse, ${about}, ${one.name}`));
    }
    figures.push(
      { name: `sparse, ${about}: documents a second until all are indexed`, value: perSecond, unit: '/s' },
      {
        name: `sparse, ${about}: entries a second into the index alone`,
        value: (plain.entries / memory.addMs) * 1000,
        unit: '/s',
      },
      { name: `sparse, ${about}: index memory an entry`, value: memory.takenBytes / plain.entries, unit: 'bytes' },
      {
        name: `sparse, ${about}: memory that the index says / that it takes`,
        value: memory.toldBytes / memory.takenBytes,
        unit: '',
      },
    );
    progress(`${about}: restart`);
    const restartMs = await engine.restart();
    const { hits } = await engine.ask({ using: NAME, vector: documents[0] as SparseVector });
    if (hits.length === 0) throw new Error('nothing is found after a restart');
    figures.push({
      name: `sparse, ${about}: a start until all answer, each million entries`,
      value: (restartMs / plain.entries) * 1_000,
      unit: 's',
    });
    if (isWrittenAgain) figures.push(await writtenAgain(engine, plain, documents, cases[0] as Case, progress));
    const columns = [
      'query',
      'words',
      'recall@10',
      'p50 ms',
      'p99 ms',
      'p99 / p50',
      'searches /s',
      `/s, ${AT_ONCE} at once`,
      '/ plain',
    ];
    const title = `sparse, ${about}, ${plain.entries.toLocaleString('en-US')} entries, ${texts.words.toLocaleString('en-US')} words, limit ${LIMIT}`;
    return { tables: [{ title, columns, rows }], figures, notes: [] };
  });
}

function blocksOf(documents: readonly SparseVector[]): PointBlock[] {
  return Array.from({ length: Math.ceil(documents.length / WRITTEN_AT_ONCE) }, (_, block) => {
    const from = block * WRITTEN_AT_ONCE;
    const points = documents.slice(from, from + WRITTEN_AT_ONCE).map((vector, place) => {
      return { id: from + place, vectors: new Map([[NAME, vector]]), payload: { part: (from + place) % PARTS } };
    });
    return namedBlock(points, 1);
  });
}

/** @param blocks of its own: the engine takes their buffers */
async function fill(engine: BenchEngine, blocks: readonly PointBlock[]): Promise<void> {
  await inFlight(
    WRITES_IN_FLIGHT,
    blocks.map((block) => () => engine.upsert(block, 'durable')),
  );
  await engine.settled();
}

interface Measured {
  readonly p50: number;
  readonly cells: readonly Cell[];
  figures(name: string): Figure[];
}

async function measure(engine: BenchEngine, plain: PlainSparse, one: Case): Promise<Measured> {
  const { queries, filter } = one;
  const ask = (turn: number): Promise<SearchAnswer> =>
    engine.ask({ using: NAME, vector: queries[turn % queries.length] as SparseVector, limit: LIMIT, ...(filter && { filter }) });
  const truth = timed(queries, (query) => plain.search(query, LIMIT, one.passes));
  let right = 0;
  let wanted = 0;
  for (const [turn, expected] of truth.answers.entries()) {
    const { hits, complete } = await ask(turn);
    if (!complete) throw new Error('a search was not complete');
    wanted += expected.scores.length;
    right += expected.scores.filter(
      (score, rank) => Math.abs(score - (hits[rank]?.score ?? Number.NaN)) <= SCORE_ERROR_MAX,
    ).length;
  }
  const latencies = new Latencies();
  const forMs = scaledMs(3_000);
  const startMs = performance.now();
  for (let turn = 0; turn < queries.length || performance.now() - startMs < forMs; turn += 1) {
    const beganMs = performance.now();
    await ask(turn);
    latencies.add(performance.now() - beganMs);
  }
  const perSecond = (latencies.count / (performance.now() - startMs)) * 1000;
  const atOnce = await manyAtOnce(ask, forMs);
  const { p50, p99 } = latencies.summary();
  const recall = wanted === 0 ? 1 : right / wanted;
  const faster = perSecond / truth.perSecond;
  const words = queries.reduce((sum, { indices }) => sum + indices.length, 0) / queries.length;
  return {
    p50,
    cells: [words, recall, p50, p99, p99 / p50, perSecond, atOnce, faster],
    figures: (name) => [
      { name: `${name}: recall@10`, value: recall, unit: '', bound: atLeast(1) },
      {
        name: `${name}: searches a second / plain`,
        ...{ value: faster, unit: '' },
        ...(plain.documents >= FASTER_FROM && { bound: atLeast(FASTER_MIN) }),
      },
    ],
  };
}

function timed(
  queries: readonly SparseVector[],
  search: (query: SparseVector) => PlainHits,
): { readonly answers: readonly PlainHits[]; readonly perSecond: number } {
  for (const query of queries.slice(0, 10)) search(query);
  const beganMs = performance.now();
  const answers = queries.map(search);
  return { answers, perSecond: (queries.length / (performance.now() - beganMs)) * 1000 };
}

async function manyAtOnce(ask: (turn: number) => Promise<unknown>, forMs: number): Promise<number> {
  let asked = 0;
  const startMs = performance.now();
  const work = async (): Promise<void> => {
    while (performance.now() - startMs < forMs) await ask(asked++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return (asked / (performance.now() - startMs)) * 1000;
}

/** All points several times more, each time with another entry left out, at last as they were: what searching costs then, to before. */
async function writtenAgain(
  engine: BenchEngine,
  plain: PlainSparse,
  documents: readonly SparseVector[],
  one: Case,
  progress: Progress,
): Promise<Figure> {
  const before = await measure(engine, plain, one);
  for (let round = 0; round < WRITTEN_AGAIN; round += 1) {
    progress(`all documents are written again, ${round + 1} of ${WRITTEN_AGAIN}`);
    const changed = documents.map((vector, id) => without(vector, id, round));
    await fill(engine, blocksOf(changed));
  }
  await fill(engine, blocksOf(documents));
  const after = await measure(engine, plain, one);
  const name = `sparse, all points written again ${WRITTEN_AGAIN + 1} times: p50 / before`;
  return { name, value: after.p50 / before.p50, unit: '', bound: atMost(SLOWER_MAX) };
}

/** The vector less one entry, another one each round, so that it is a new vector. */
function without({ indices, values }: SparseVector, id: number, round: number): SparseVector {
  const left = (id + round) % Math.max(1, indices.length);
  return { kind: 'sparse', indices: indices.filter((_, i) => i !== left), values: values.filter((_, i) => i !== left) };
}

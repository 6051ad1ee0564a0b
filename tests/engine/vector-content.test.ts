/** What one worker keeps of a collection's vectors: rows that were read before it heard of a name, and rows of names that are no more. */

import * as assert from 'uvu/assert';
import { encodeVectorSet } from '../../src/codec/vector-set.js';
import { beginRun } from '../../src/engine/ask-run.js';
import type { VectorAsk } from '../../src/engine/index-asks.js';
import type { RunSurroundings } from '../../src/engine/run-surroundings.js';
import type { SavedHead } from '../../src/engine/served-content.js';
import { VectorContent } from '../../src/engine/vector-content.js';
import { graphsToSave, saveGraphs } from '../../src/engine/vector-figures.js';
import { type CollectionSpec, DEFAULT_HNSW, NOTHING_DECLARED } from '../../src/model/collection.js';
import type { SkeinError } from '../../src/model/errors.js';
import type { DenseVector, SparseVector } from '../../src/model/point.js';
import { keyOf } from '../../src/model/vector-spec.js';
import { typicalCosts } from '../../src/search/costs.js';
import type { LabelRow, StoreReads } from '../../src/storage/storage.js';
import { SCANS_MAX } from '../../src/vector-index/sparse-sums.js';
import type { VectorIndex } from '../../src/vector-index/vector-index.js';
import { dense, sparse } from '../support/named-points.js';
import { suite } from '../support/suite.js';

const test = suite('engine/vector-content');
const SPEC: CollectionSpec = {
  ...NOTHING_DECLARED,
  dimension: 2,
  distance: 'dot',
  hnsw: DEFAULT_HNSW,
  ttlMs: null,
  createdAtMs: 0,
};
const LATER = { name: 'later', dimension: 1, distance: 'dot', hnsw: DEFAULT_HNSW, quantization: null, generation: 1 } as const;
const WORDS = { name: 'words', modifier: null, generation: 1 } as const;

/** A content over rows that were given. */
function opened(spec: CollectionSpec) {
  const sets = new Map<number, Buffer>();
  const reads = { vectorSet: (_uid: number, label: number) => sets.get(label) } as unknown as StoreReads;
  const content = VectorContent.create(reads, { uid: 1, labelGeneration: 0, spec, folder: '' });
  const add = (label: number, vectors: Parameters<typeof encodeVectorSet>[0], replaces: number | null = null): void => {
    const vectorSet = encodeVectorSet(vectors);
    sets.set(label, vectorSet);
    const row: LabelRow = { label, labelSeq: label + 1, prevLabel: replaces, deadSeq: null, vectorSet, payload: null };
    content.add(row, replaces);
  };
  return { content, add };
}

test('a row that was read before its names were heard of is found once they are', () => {
  const { content, add } = opened({ ...SPEC, vectorGeneration: 1 });
  const [later, words, gone] = [keyOf(LATER), keyOf(WORDS), 'gone'];
  add(
    0,
    new Map([
      ['', dense([1, 0])],
      [gone, dense([7])],
    ]),
  );
  add(
    1,
    new Map<string, DenseVector | SparseVector>([
      [later, dense([3])],
      [words, sparse({ 4: 1 })],
    ]),
  );
  add(2, new Map([[later, dense([5])]]));
  add(3, new Map([[later, dense([6])]]), 2);
  assert.equal([...content.liveLabels()], [0, 1, 3]);
  const before = { ...SPEC, vectorGeneration: 1 };
  content.configure(before, { ...before, vectors: [LATER], sparseVectors: [WORDS] });
  add(
    4,
    new Map([
      ['', dense([0, 1])],
      [later, dense([1])],
    ]),
    1,
  );
  assert.equal([...(content.indexes.dense.get(later)?.liveLabels() ?? [])], [3, 4]);
  assert.equal([...(content.indexes.sparse.get(words)?.liveLabels() ?? [])], []);
  assert.equal([...content.liveLabels()], [0, 3, 4]);
  assert.equal(
    [...(content.status(5).vectors ?? [])],
    [
      [later, 2],
      [words, 0],
    ],
  );
  content.remove(3);
  content.configure(before, { ...before, vectors: [LATER], vectorGeneration: 2 });
  assert.equal([...content.indexes.sparse.keys()], []);
  assert.equal([...content.liveLabels()], [0, 4]);
  content.close();
});

test('points are inside whether they have vectors or not, whichever of them comes in the place of another', () => {
  const { content, add } = opened(SPEC);
  add(0, new Map());
  add(1, new Map([['', dense([1, 0])]]), 0);
  add(2, new Map(), 1);
  add(3, new Map([['', dense([1, 0])]]));
  assert.equal([...content.liveLabels()], [2, 3]);
  assert.equal([content.has(1), content.has(2), content.has(3)], [false, true, true]);
  assert.equal([...(content.indexes.dense.get('')?.liveLabels() ?? [])], [3]);
  content.remove(2);
  content.remove(3);
  assert.equal([...content.liveLabels()], []);
  content.close();
});

test('a name that is taken away while its questions wait is behind for them, and no failure of an index', () => {
  const spec = { ...SPEC, vectors: [LATER], sparseVectors: [WORDS], vectorGeneration: 2 };
  const { content, add } = opened(spec);
  const [later, words] = [keyOf(LATER), keyOf(WORDS)];
  add(
    0,
    new Map<string, DenseVector | SparseVector>([
      [later, dense([1])],
      [words, sparse({ 4: 1 })],
    ]),
  );
  const around = { seq: 1, nextLabel: 1, level: true, costs: typicalCosts(4), learn: () => {} } as unknown as RunSurroundings;
  const ask = { kind: 'vector', wanted: 1, ef: 10, exact: false, filter: null, labels: null } as const;
  const run = (key: string, query: VectorAsk['query']) => beginRun(content, { ...ask, key, query }, around);
  const waiting = () => [run(later, Float32Array.of(1)), run(words, sparse({ 4: 1 }))];
  for (const one of waiting()) assert.equal([...((one.advance(10) as { labels: Uint32Array } | null)?.labels ?? [])], [0]);
  const runs = waiting();
  content.configure(spec, { ...SPEC, vectorGeneration: 3 });
  for (const one of runs)
    assert.throws(
      () => one.advance(10),
      (error: SkeinError) => error.type === 'IndexBehind',
    );
  content.close();
});

test('of many searches of sparse vectors a few add up, and one that is given up makes room for the next', () => {
  const spec = { ...SPEC, sparseVectors: [WORDS], vectorGeneration: 2 };
  const { content, add } = opened(spec);
  const key = keyOf(WORDS);
  add(0, new Map([[key, sparse({ 4: 1, 5: 1 })]]));
  const around = { seq: 1, nextLabel: 1, level: true, costs: typicalCosts(4), learn: () => {} } as unknown as RunSurroundings;
  const query = sparse({ 4: 1, 5: 1 });
  const ask = { kind: 'vector', key, query, wanted: 1, ef: 10, exact: false, filter: null, labels: null } as const;
  const runs = Array.from({ length: SCANS_MAX + 1 }, () => beginRun(content, ask, around));
  const last = runs.at(-1);
  // The first list of two.
  for (const run of runs) assert.is(run.advance(-1), null);
  assert.is(last?.advance(10), null, 'it waits for its turn');
  runs[0]?.end?.();
  assert.is.not(last?.advance(10), null);
  for (const run of runs) run.end?.();
  content.close();
});

test('each graph is saved as far as it goes when its turn comes', async () => {
  const saved: SavedHead[] = [];
  const graph = {
    status: () => ({ kind: 'graph', live: 2, waiting: 0 }),
    save: async (_folder: string, head: SavedHead) => {
      saved.push(head);
      seq += 1;
      return 1;
    },
  } as unknown as VectorIndex;
  let seq = 5;
  const indexes = {
    dense: new Map([
      ['', graph],
      ['a', graph],
    ]),
    sparse: new Map(),
  };
  const headOf = () => ({ uid: 1, labelGeneration: 0, seq, nextLabel: 10 * seq });
  assert.is(await saveGraphs(graphsToSave(indexes, 0), '', headOf), 2);
  assert.equal(
    saved.map((head) => [head.seq, head.nextLabel]),
    [
      [5, 50],
      [6, 60],
    ],
  );
});

test.run();

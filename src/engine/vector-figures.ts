/** What the indexes of one collection's vectors say together, and their checkpoints as one. Must not know: rows, payloads. */

import { DEFAULT_VECTOR } from '../model/point.js';
import type { HealthLook, IndexHealth, VectorIndex } from '../vector-index/vector-index.js';
import type { ContentStatus } from './index-messages.js';
import { folderOf, type VectorIndexes } from './opened-indexes.js';
import type { SavedHead } from './served-content.js';

/** live counts points, and so do those that wait for a graph or grow into a young one and the tombstones: of the index that has most. The others are
 *  sums. @param points inside */
export function statusOf({ dense, sparse }: VectorIndexes, points: number, payloadProgress: number): ContentStatus {
  const sum = { unranked: 0, memoryBytes: 0, rebuilds: 0 };
  const most = { tombstones: 0, waiting: 0, growing: 0 };
  let kind: ContentStatus['kind'] = 'flat';
  const vectors = new Map<string, number>();
  for (const [key, index] of dense) {
    const status = index.status();
    if (status.kind === 'graph') kind = 'graph';
    for (const field of Object.keys(most) as (keyof typeof most)[]) most[field] = Math.max(most[field], status[field]);
    for (const field of Object.keys(sum) as (keyof typeof sum)[]) sum[field] += status[field];
    if (key !== DEFAULT_VECTOR) vectors.set(key, status.live);
  }
  for (const [key, index] of sparse) {
    const { live, memoryBytes } = index.status();
    sum.memoryBytes += memoryBytes;
    vectors.set(key, live);
  }
  return { kind, live: points, ...most, ...sum, payloadProgress, vectors };
}

/** Graphs that a checkpoint would hold. While points are damaged only the one that a start holds against the store is saved: another one that
 *  was built without them would be loaded as if it lacked nothing. Its older checkpoint stays, and the rows behind that are read again.
 *  @param damaged points that were passed over */
export function graphsToSave({ dense }: VectorIndexes, damaged: number): [string, VectorIndex][] {
  return [...dense].filter(([key, index]) => {
    const { kind, live, waiting } = index.status();
    return kind === 'graph' && live > waiting && (damaged === 0 || key === DEFAULT_VECTOR || dense.size === 1);
  });
}

/** Writes a checkpoint of each, into its own folder. While one is written the others take in what comes, so each has a head of its own.
 *  @returns bytes written
 *  @throws Error of the first that could not be written, after all were tried */
export async function saveGraphs(
  graphs: readonly [string, VectorIndex][],
  folder: string,
  headOf: () => SavedHead,
): Promise<number> {
  let bytes = 0;
  const failures: unknown[] = [];
  for (const [key, index] of graphs) {
    try {
      bytes += await index.save(folderOf(folder, key), headOf());
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return bytes;
}

/** A look at all graphs, one after the other, told as one: the least of what each has at least. */
export class JointHealthLook implements HealthLook {
  readonly #looks: readonly HealthLook[];
  #at = 0;

  constructor({ dense }: VectorIndexes, sampleMax: number) {
    this.#looks = [...dense.values()].map((index) => index.lookAtHealth(sampleMax));
  }

  advance(budgetMs: number): boolean {
    const look = this.#looks[this.#at];
    if (look === undefined) return true;
    if (look.advance(budgetMs)) this.#at += 1;
    return this.#at >= this.#looks.length;
  }

  health(): IndexHealth | null {
    let all: IndexHealth | null = null;
    for (const look of this.#looks) {
      const own = look.health();
      if (own !== null) all = all === null ? own : joined(all, own);
    }
    return all;
  }
}

function joined(a: IndexHealth, b: IndexHealth): IndexHealth {
  const sampled = a.sampled + b.sampled;
  const share = sampled === 0 ? 0.5 : a.sampled / sampled;
  return {
    sampled,
    reachable: a.reachable + b.reachable,
    orphans: a.orphans + b.orphans,
    inDegreeMin: Math.min(a.inDegreeMin, b.inDegreeMin),
    inDegreeMean: a.inDegreeMean * share + b.inDegreeMean * (1 - share),
  };
}

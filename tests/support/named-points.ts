/** Points with any vectors, as blocks; and what a search of them must find, reckoned plainly. */

import { encodeVectorSet } from '../../src/codec/vector-set.js';
import { type Distance, scorer } from '../../src/model/distance.js';
import type { DenseVector, NamedVectors, PointBlock, PointId, SparseVector } from '../../src/model/point.js';
import type { Random } from './random.js';

export interface NamedPoint {
  readonly id: PointId;
  /** '' is the default vector. */
  readonly vectors: NamedVectors;
  readonly payload?: object;
}

export function namedBlock(points: readonly NamedPoint[], dimension: number): PointBlock {
  const sets: Buffer[] = [];
  const own: Float32Array[] = [];
  const hasVector = Uint8Array.from(points, ({ vectors }) => (vectors.has('') ? 1 : 0));
  for (const { vectors } of points) {
    const main = vectors.get('');
    if (main !== undefined) own.push(main.values);
    const named = new Map([...vectors].filter(([name]) => name !== ''));
    sets.push(named.size === 0 ? Buffer.alloc(0) : encodeVectorSet(named));
  }
  const payloads = points.map(({ payload }) => Buffer.from(payload === undefined ? '' : JSON.stringify(payload)));
  let end = 0;
  let setEnd = 0;
  return {
    ids: points.map(({ id }) => id),
    dimension: own.length === 0 ? 0 : dimension,
    vectors: Float32Array.from(own.flatMap((values) => [...values])),
    payloadBytes: Buffer.concat(payloads),
    payloadEnds: Uint32Array.from(payloads, ({ length }) => (end += length)),
    ifVersions: null,
    expiresAt: null,
    hasVector,
    named: { bytes: Buffer.concat(sets), ends: Uint32Array.from(sets, ({ length }) => (setEnd += length)) },
  };
}

export function dense(values: ArrayLike<number>): DenseVector {
  return { kind: 'dense', values: Float32Array.from(values) };
}

/** @param terms index → value */
export function sparse(terms: Readonly<Record<number, number>>): SparseVector {
  const indices = Uint32Array.from(Object.keys(terms).map(Number)).sort();
  return { kind: 'sparse', indices, values: Float32Array.from(indices, (index) => terms[index] as number) };
}

export function randomSparse(random: Random, termsMax: number, indexMax: number): SparseVector {
  const terms: Record<number, number> = {};
  for (let i = random.integer(0, termsMax); i > 0; i--) terms[random.integer(0, indexMax)] = Math.fround(random.unit() * 4 - 1);
  return sparse(terms);
}

export interface PlainHit {
  readonly id: PointId;
  readonly score: number;
}

/** All that have the vector, in no promised order of ties. */
export function plainDense(points: Iterable<NamedPoint>, name: string, distance: Distance, query: Float32Array): PlainHit[] {
  const score = scorer(distance, query);
  const hits: PlainHit[] = [];
  for (const { id, vectors } of points) {
    const vector = vectors.get(name);
    if (vector?.kind === 'dense') hits.push({ id, score: score(vector.values) });
  }
  return hits.sort((a, b) => (distance === 'euclid' ? a.score - b.score : b.score - a.score));
}

/** All that share an index with the query; with idf as Qdrant weights it. */
export function plainSparse(points: Iterable<NamedPoint>, name: string, query: SparseVector, idf: boolean): PlainHit[] {
  const stored = [...points].flatMap(({ id, vectors }) => {
    const vector = vectors.get(name);
    return vector?.kind === 'sparse'
      ? [{ id, terms: new Map([...vector.indices].map((index, i) => [index, vector.values[i] as number])) }]
      : [];
  });
  const weights = new Map(
    [...query.indices].map((index, i) => {
      const n = stored.filter(({ terms }) => terms.has(index)).length;
      const rarity = idf ? Math.log((stored.length - n + 0.5) / (n + 0.5) + 1) : 1;
      return [index, (query.values[i] as number) * rarity];
    }),
  );
  const hits: PlainHit[] = [];
  for (const { id, terms } of stored) {
    const shared = [...weights].filter(([index]) => terms.has(index));
    if (shared.length === 0) continue;
    hits.push({ id, score: shared.reduce((sum, [index, weight]) => sum + weight * (terms.get(index) as number), 0) });
  }
  return hits.sort((a, b) => b.score - a.score);
}

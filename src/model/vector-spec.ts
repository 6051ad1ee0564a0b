/** The vectors that the points of a collection may have: one under no name (the default), and dense and sparse ones under names.
 *
 *  A name that was taken away may be declared anew, with another dimension. Points that were not written since still hold the bytes of
 *  before, so vectors are stored under a key: the name, and behind a NUL the generation of its declaration when that is not 0. What stands
 *  under a key that is not declared is seen by nobody, and goes when its point is written again.
 *  Invariant: a key is declared once in the life of a collection. Must not know: bytes, indexes. */

import type { Distance } from './distance.js';
import { invalidRequest } from './errors.js';
import { FIXED } from './limits.js';
import { PROTO_KEY } from './proto-key.js';

export interface HnswParameters {
  readonly m: number;
  readonly efConstruct: number;
  readonly efSearch: number;
}

export const DEFAULT_HNSW: HnswParameters = { m: 16, efConstruct: 200, efSearch: 64 };

export const QUANTIZATION_TYPES = ['int8', 'float16'] as const;
export type QuantizationType = (typeof QUANTIZATION_TYPES)[number];

/** How the graph keeps its copies of the vectors; the store keeps them whole. */
export interface Quantization {
  readonly type: QuantizationType;
  /** Candidates are ordered by their full vectors. */
  readonly rescore: boolean;
  /** So many candidates are taken from the graph for each hit that is wanted, ≥ 1. */
  readonly oversampling: number;
}

/** float16 keeps the order of neighbours nearly as it is; int8 has 255 steps for a component and needs more candidates. */
const OVERSAMPLING: Readonly<Record<QuantizationType, number>> = { int8: 3, float16: 1.5 };

/** What was left out gets its default. */
export function wholeQuantization({
  type,
  rescore = true,
  oversampling = OVERSAMPLING[type],
}: Partial<Quantization> & Pick<Quantization, 'type'>): Quantization {
  return { type, rescore, oversampling };
}

/** What dense vectors are held against and indexed by. */
export interface DenseSettings {
  readonly dimension: number;
  readonly distance: Distance;
  readonly hnsw: HnswParameters;
  readonly quantization: Quantization | null;
}

/** idf: the values of a query are weighted by how rare their indices are among the live points. */
export const SPARSE_MODIFIERS = ['idf'] as const;
export type SparseModifier = (typeof SPARSE_MODIFIERS)[number];

export interface NewDenseVector extends DenseSettings {
  readonly name: string;
}
export interface NewSparseVector {
  readonly name: string;
  readonly modifier: SparseModifier | null;
}
export interface NamedDense extends NewDenseVector {
  readonly generation: number;
}
export interface NamedSparse extends NewSparseVector {
  readonly generation: number;
}

/** Named vectors of a collection, each list in the order of its names. */
export interface VectorDeclarations {
  readonly vectors: readonly NamedDense[];
  readonly sparseVectors: readonly NamedSparse[];
  /** Of names that are declared next; it grows whenever one is taken away. */
  readonly vectorGeneration: number;
}

export const NO_NAMED_VECTORS: VectorDeclarations = { vectors: [], sparseVectors: [], vectorGeneration: 0 };

/** All that a collection says of its vectors. */
export interface VectorSpec extends VectorDeclarations {
  /** Of the default vector; null: there is none. */
  readonly dimension: number | null;
  readonly distance: Distance | null;
  readonly hnsw: HnswParameters;
  readonly quantization: Quantization | null;
}

/** One of the vectors that are declared: '' is the name and the key of the default one. */
export type VectorTarget =
  | ({ readonly kind: 'dense'; readonly name: string; readonly key: string } & DenseSettings)
  | { readonly kind: 'sparse'; readonly name: string; readonly key: string; readonly modifier: SparseModifier | null };
export type DenseTarget = VectorTarget & { readonly kind: 'dense' };

export const DEFAULT_VECTOR = '';
const GENERATION_MARK = '\u0000';

/** Under which vectors of this declaration are stored. */
export function keyOf({ name, generation }: { readonly name: string; readonly generation: number }): string {
  return generation === 0 ? name : `${name}${GENERATION_MARK}${generation}`;
}

/** Can a key only be of a declaration that is no more? Else it is declared, or will be. */
export function isLeftBehind(key: string, { vectorGeneration }: VectorDeclarations): boolean {
  const [, generation = '0'] = key.split(GENERATION_MARK);
  return Number(generation) < vectorGeneration;
}

const known = new WeakMap<VectorSpec, readonly VectorTarget[]>();

/** All vectors that are declared, the default one first, then dense and sparse ones by name. Cost: a list, once for each object. */
export function targetsOf(spec: VectorSpec): readonly VectorTarget[] {
  let targets = known.get(spec);
  if (targets === undefined) {
    const { dimension, distance, hnsw, quantization } = spec;
    targets = [
      ...(dimension === null || distance === null
        ? []
        : [{ kind: 'dense', name: DEFAULT_VECTOR, key: DEFAULT_VECTOR, dimension, distance, hnsw, quantization } as const]),
      ...spec.vectors.map((vector) => ({ kind: 'dense', key: keyOf(vector), ...vector }) as const),
      ...spec.sparseVectors.map((vector) => ({ kind: 'sparse', key: keyOf(vector), ...vector }) as const),
    ];
    known.set(spec, targets);
  }
  return targets;
}

/** Is a lower score of these vectors the nearer one? */
export function isLowerBetter(target: VectorTarget): boolean {
  return target.kind === 'dense' && target.distance === 'euclid';
}

/** What a point's dense vectors take at most, and at least so much as one component. */
export function denseBytes(spec: VectorSpec): number {
  let components = spec.dimension ?? 0;
  for (const { dimension } of spec.vectors) components += dimension;
  return Math.max(1, components) * 4;
}

/** Has the collection a default vector and nothing else, so that every point has one? */
export function hasDefaultOnly({ dimension, vectors, sparseVectors }: VectorSpec): boolean {
  return dimension !== null && vectors.length + sparseVectors.length === 0;
}

/** What a refusal says about the names that there are. */
export function declaredNames(spec: VectorSpec): string {
  const named = targetsOf(spec).flatMap(({ name }) => (name === DEFAULT_VECTOR ? [] : [JSON.stringify(name)]));
  return named.length === 0 ? 'the collection declares no named vectors' : `declared are ${named.join(', ')}`;
}

/** The vector of this name. @throws InvalidRequest naming `path` */
export function targetNamed(spec: VectorSpec, name: string, path: string): VectorTarget {
  const target = targetsOf(spec).find((one) => one.name === name);
  if (target !== undefined) return target;
  if (name !== DEFAULT_VECTOR) throw invalidRequest(path, `there is no vector ${JSON.stringify(name)}; ${declaredNames(spec)}`);
  throw invalidRequest(path, `the collection has no default vector; ${declaredNames(spec)}`);
}

/** @throws InvalidRequest naming `path` */
export function checkVectorName(name: unknown, path: string): string {
  const fault = (message: string): Error => invalidRequest(path, message);
  if (typeof name !== 'string' || name === '') throw fault('the name of a vector is a text of at least one character');
  if (!name.isWellFormed()) throw fault('the name of a vector is well-formed Unicode (lone surrogate found)');
  if (Buffer.byteLength(name) > FIXED.vectorNameBytesMax)
    throw fault(`the name of a vector has at most ${FIXED.vectorNameBytesMax} bytes`);
  if (/\p{Cc}/u.test(name)) throw fault('the name of a vector has no control characters');
  if (name === PROTO_KEY) throw fault(`no body can have the key ${PROTO_KEY}, so it is no name of a vector`);
  return name;
}

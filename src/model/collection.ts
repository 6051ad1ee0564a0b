/** Collections: what a user declares, what the catalogue keeps, what info answers. */

import { SkeinError } from './errors.js';
import { FIXED } from './limits.js';
import type { StrictMode } from './strict-mode.js';
import { NO_NAMED_VECTORS, type Quantization, type VectorDeclarations, type VectorSpec } from './vector-spec.js';

export {
  DEFAULT_HNSW,
  type HnswParameters,
  QUANTIZATION_TYPES,
  type Quantization,
  type QuantizationType,
} from './vector-spec.js';

export const PAYLOAD_INDEX_TYPES = ['keyword', 'integer', 'float', 'bool', 'datetime', 'geo'] as const;
export type PayloadIndexType = (typeof PAYLOAD_INDEX_TYPES)[number];

/** A payload field that filters are answered from bitmaps for. */
export interface PayloadIndexSpec {
  /** Dotted, as in filters. */
  readonly path: string;
  readonly type: PayloadIndexType;
}

/** Languages that text can be stemmed in and that have a list of stop words of their own (the Snowball stemmers and the lists of the
 *  `stopword` package have these in common), and none: words as they stand. Fixed: names may be added, none may go. */
export const TEXT_LANGUAGES = [
  'none',
  'arabic',
  'armenian',
  'basque',
  'catalan',
  'czech',
  'danish',
  'dutch',
  'english',
  'finnish',
  'french',
  'german',
  'hungarian',
  'irish',
  'italian',
  'norwegian',
  'porter',
  'portuguese',
  'romanian',
  'russian',
  'slovene',
  'spanish',
  'swedish',
  'tamil',
  'turkish',
] as const;
export type TextLanguage = (typeof TEXT_LANGUAGES)[number];

/** Characters, both included: from 1 to FIXED.wordLengthMax. */
export interface WordLength {
  readonly min: number;
  readonly max: number;
}

/** Lengths that are wanted, of those that words can have. Null: all of them, which is said by nothing, so that equal settings are equal. */
export function wordLengthWithin(min: number, max: number): WordLength | null {
  const length = { min: Math.max(1, min), max: Math.min(FIXED.wordLengthMax, max) };
  return length.min === 1 && length.max === FIXED.wordLengthMax ? null : length;
}

/** How the text fields of a collection are read and ranked. */
export interface TextSettings {
  /** Dotted paths; what they hold together is the text of a point. Empty: no text search. */
  readonly fields: readonly string[];
  /** One of TEXT_LANGUAGES. */
  readonly language: string;
  /** Words that are passed over: those of the language, or a list of one's own (empty: none). */
  readonly stopWords: 'default' | readonly string[];
  /** Words of another length are passed over, where a stemmer has made them what they are; left out: none. */
  readonly wordLength?: WordLength;
  /** Of BM25: how soon a word's repetition stops counting, and how much length counts. */
  readonly k1: number;
  readonly b: number;
}

/** What is absent stays as it is. */
export type TextChange = Partial<Omit<TextSettings, 'fields' | 'wordLength'>> & {
  /** Null: words of every length count again. */
  readonly wordLength?: WordLength | null;
};

export const DEFAULT_TEXT: TextSettings = { fields: [], language: 'english', stopWords: 'default', k1: 1.2, b: 0.75 };

/** What a collection is indexed by beside its vectors, and what requests may ask of it. quantization is of the default vector. */
export interface Declarations {
  /** Without fields it is DEFAULT_TEXT. */
  readonly text: TextSettings;
  /** One for a path. */
  readonly payloadIndexes: readonly PayloadIndexSpec[];
  readonly quantization: Quantization | null;
  readonly strictMode: StrictMode | null;
}

export const NOTHING_DECLARED: Declarations & VectorDeclarations = {
  text: DEFAULT_TEXT,
  payloadIndexes: [],
  quantization: null,
  strictMode: null,
  ...NO_NAMED_VECTORS,
};

/** What is fixed or set by the user; replicated, part of the digest. */
export interface CollectionSpec extends Declarations, VectorSpec {
  /** Default life of points upserted from now on, in milliseconds; null: for ever. */
  readonly ttlMs: number | null;
  readonly createdAtMs: number;
}

/** A row of the catalogue. Counts are exact at the seq it was read at. */
export interface CollectionRecord {
  /** Never reused; a recreated name has a new uid. */
  readonly uid: number;
  readonly name: string;
  readonly spec: CollectionSpec;
  readonly nextLabel: number;
  readonly labelGeneration: number;
  readonly createdSeq: number;
  /** Seq of the last entry that touched the collection. */
  readonly lastSeq: number;
  readonly pointsCount: number;
  /** Bytes of ids, payloads and vectors of the live points. */
  readonly dataBytes: number;
}

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/;

/** @throws InvalidCollectionName */
export function checkCollectionName(name: unknown): string {
  if (typeof name === 'string' && name.length <= FIXED.collectionNameLengthMax && NAME.test(name)) return name;
  const shown = typeof name === 'string' ? JSON.stringify(name.slice(0, 160)) : typeof name;
  throw new SkeinError(
    'InvalidCollectionName',
    `Collection name ${shown} is not 1 to ${FIXED.collectionNameLengthMax} of A-Z a-z 0-9 _ . - with no dot in front`,
    { collection: typeof name === 'string' ? name.slice(0, 160) : null },
  );
}

/** It was there when it was asked for, and is no more. */
export function collectionDropped(): SkeinError {
  return new SkeinError('CollectionNotFound', 'The collection was dropped');
}

export function collectionNotFound(name: string, available: Iterable<string>): SkeinError {
  const names = [...available].sort().slice(0, 100);
  return new SkeinError('CollectionNotFound', `Collection '${name}' not found`, {
    collection: name,
    available_collections: names,
  });
}

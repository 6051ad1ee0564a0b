/** Collections as users of the client see them: what is declared, what is changed, what is told. Must not know: HTTP, bytes. */

import type { PayloadIndexType, QuantizationType, TextLanguage } from '../model/collection.js';
import type { Distance } from '../model/distance.js';
import type { StrictMode } from '../model/strict-mode.js';

export type { PayloadIndexType, QuantizationType, TextLanguage } from '../model/collection.js';
export type { Distance } from '../model/distance.js';
export type { StrictMode } from '../model/strict-mode.js';

export interface HnswSettings {
  readonly m: number;
  readonly efConstruct: number;
  readonly efSearch: number;
}

/** How the text fields of a collection are read and ranked. */
export interface TextSettings {
  /** Default english; none: words as they stand. */
  readonly language: TextLanguage;
  /** Words that are passed over: those of the language (the default), or a list in their place. */
  readonly stopWords: 'default' | readonly string[];
  /** In characters, of stems where there is a stemmer, 1 to 128: words of another length are passed over. Left out, or null in a change: none. */
  readonly wordLength?: { readonly min: number; readonly max: number } | null;
  /** Of BM25; default 1.2. */
  readonly k1: number;
  /** Of BM25; default 0.75. */
  readonly b: number;
}

/** A payload field that filters are answered from an index for. */
export interface PayloadIndex {
  /** Dotted, as in filters. */
  readonly path: string;
  readonly type: PayloadIndexType;
}

/** How the graph keeps its copies of the vectors. */
export interface QuantizationSettings {
  readonly type: QuantizationType;
  /** Order candidates by their full vectors; default true. */
  readonly rescore: boolean;
  /** Candidates taken for each hit that is wanted; default 3 for int8, 1.5 for float16. */
  readonly oversampling: number;
}

/** Lists in a change take the place of those that were declared. */
interface IndexingSettings {
  /** Dotted paths; their strings together are the text of a point. */
  readonly textFields?: readonly string[];
  /** Only where there are text fields. */
  readonly text?: Partial<TextSettings>;
  readonly payloadIndexes?: readonly PayloadIndex[];
}

/** A dense vector under a name. */
export interface DenseVectorSettings {
  readonly dimension: number;
  readonly distance: Distance;
  readonly hnsw?: Partial<HnswSettings>;
  readonly quantization?: (Pick<QuantizationSettings, 'type'> & Partial<QuantizationSettings>) | null;
}
/** A sparse vector under a name; idf weights the values of a query by how rare their indices are. */
export interface SparseVectorSettings {
  readonly modifier?: 'idf' | null;
}

export interface CollectionSettings extends IndexingSettings {
  /** Of the default vector, both or neither. */
  readonly dimension?: number;
  readonly distance?: Distance;
  readonly vectors?: Readonly<Record<string, DenseVectorSettings>>;
  readonly sparseVectors?: Readonly<Record<string, SparseVectorSettings>>;
  readonly hnsw?: Partial<HnswSettings>;
  readonly quantization?: (Pick<QuantizationSettings, 'type'> & Partial<QuantizationSettings>) | null;
  /** What requests may ask of the collection. */
  readonly strictMode?: (Pick<StrictMode, 'enabled'> & Partial<StrictMode>) | null;
  /** Default life of points upserted from now on; null: for ever. */
  readonly ttlMs?: number | null;
}

export interface CollectionChange extends IndexingSettings {
  readonly hnsw?: { readonly efSearch: number };
  /** A name that is new is declared; null takes one away. */
  readonly vectors?: Readonly<
    Record<
      string,
      (Partial<Omit<DenseVectorSettings, 'quantization'>> & { readonly quantization?: Partial<QuantizationSettings> }) | null
    >
  >;
  readonly sparseVectors?: Readonly<Record<string, SparseVectorSettings | null>>;
  /** The type is fixed when a collection is made. */
  readonly quantization?: Partial<QuantizationSettings>;
  /** What is absent stays; null takes a limit away, or the whole mode. */
  readonly strictMode?: Partial<StrictMode> | null;
  readonly ttlMs?: number | null;
}

export interface NamedVectorInfo {
  readonly dimension: number;
  readonly distance: Distance;
  readonly hnsw: HnswSettings;
  readonly quantization: QuantizationSettings | null;
  /** Points in its index. */
  readonly pointsCount: number;
}

export interface CollectionInfo {
  readonly name: string;
  /** Of the default vector; null: there is none. */
  readonly dimension: number | null;
  readonly distance: Distance | null;
  readonly vectors: Readonly<Record<string, NamedVectorInfo>>;
  readonly sparseVectors: Readonly<Record<string, { readonly modifier: 'idf' | null; readonly pointsCount: number }>>;
  readonly hnsw: HnswSettings;
  readonly ttlMs: number | null;
  readonly pointsCount: number;
  readonly status: 'ready' | 'building' | 'rebuilding';
  /** 0 … 1; 1 when ready. */
  readonly progress: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly tombstoneRatio: number;
  /** What the newest look at its graph found; null before the first, and without a graph. */
  readonly indexHealth: GraphHealth | null;
  readonly textFields: readonly string[];
  /** null: no text fields. */
  readonly text: TextSettings | null;
  readonly payloadIndexes: readonly PayloadIndex[];
  readonly quantization: QuantizationSettings | null;
  readonly strictMode: StrictMode | null;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly position: string;
}

/** What a look at the graph of a collection found. */
export interface GraphHealth {
  readonly checkedAt: string;
  readonly sampled: number;
  /** Of the sample, how many points their own vector finds. */
  readonly reachable: number;
  /** Places that no other one links to. */
  readonly orphans: number;
  readonly inDegreeMin: number;
  readonly inDegreeMean: number;
}

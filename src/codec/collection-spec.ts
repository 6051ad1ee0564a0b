/** The byte form of a collection's spec: canonical JSON (fixed key order), version first.
 *
 *  Part of the digest, so its bytes are deterministic: a spec that declares neither text fields nor payload indexes nor quantization
 *  keeps the bytes of version 1, one that does is of version 2, one with a strict mode of version 3, and only one that has, or had, another
 *  vector than the default one is of version 4; one that passes over words by their length is of version 5. Whatever version was read, the spec
 *  is whole.
 *  History: v 1 (2026-11) · v 2 (2026-11): text, payloadIndexes, quantization · v 3 (2026-11): strictMode · v 4 (2026-11): named vectors · v 5
 *  (2026-11): text.wordLength. */

import {
  type CollectionSpec,
  DEFAULT_TEXT,
  type Declarations,
  NOTHING_DECLARED,
  PAYLOAD_INDEX_TYPES,
  QUANTIZATION_TYPES,
  TEXT_LANGUAGES,
  type WordLength,
} from '../model/collection.js';
import { DISTANCES } from '../model/distance.js';
import { FIXED } from '../model/limits.js';
import { STRICT_SETTINGS, type StrictMode, wholeStrictMode } from '../model/strict-mode.js';
import {
  type HnswParameters,
  hasDefaultOnly,
  type Quantization,
  SPARSE_MODIFIERS,
  type VectorDeclarations,
} from '../model/vector-spec.js';

type PlainSpec = Omit<CollectionSpec, keyof Declarations | keyof VectorDeclarations>;

export function encodeSpec(spec: CollectionSpec): Buffer {
  const plain = {
    dimension: spec.dimension,
    distance: spec.distance,
    hnsw: storedHnsw(spec.hnsw),
    ttlMs: spec.ttlMs,
    createdAtMs: spec.createdAtMs,
  };
  return Buffer.from(JSON.stringify(versioned(spec, plain)));
}

function versioned(spec: CollectionSpec, plain: object): object {
  const strictMode = spec.strictMode === null ? null : storedStrictMode(spec.strictMode);
  if (spec.text.wordLength !== undefined) return { v: 5, ...plain, ...declared(spec), strictMode, ...storedVectors(spec) };
  if (!hasDefaultOnly(spec) || spec.vectorGeneration > 0)
    return { v: 4, ...plain, ...declared(spec), strictMode, ...storedVectors(spec) };
  if (strictMode !== null) return { v: 3, ...plain, ...declared(spec), strictMode };
  return isPlain(spec) ? { v: 1, ...plain } : { v: 2, ...plain, ...declared(spec) };
}

function storedVectors({ vectors, sparseVectors, vectorGeneration }: VectorDeclarations): object {
  return {
    vectors: vectors.map(({ name, generation, dimension, distance, hnsw, quantization }) => ({
      name,
      generation,
      dimension,
      distance,
      hnsw: storedHnsw(hnsw),
      quantization: storedQuantization(quantization),
    })),
    sparseVectors: sparseVectors.map(({ name, generation, modifier }) => ({ name, generation, modifier })),
    vectorGeneration,
  };
}

function storedHnsw({ m, efConstruct, efSearch }: HnswParameters): HnswParameters {
  return { m, efConstruct, efSearch };
}

function storedQuantization(quantization: Quantization | null): Quantization | null {
  if (quantization === null) return null;
  return { type: quantization.type, rescore: quantization.rescore, oversampling: quantization.oversampling };
}

/** Only limits that there are. */
function storedStrictMode(mode: StrictMode): object {
  const limits = STRICT_SETTINGS.flatMap((name) => (mode[name] === null ? [] : [[name, mode[name]]]));
  return { enabled: mode.enabled, ...Object.fromEntries(limits) };
}

function isPlain({ text, payloadIndexes, quantization }: CollectionSpec): boolean {
  if (text.fields.length > 0 || payloadIndexes.length > 0 || quantization !== null) return false;
  const { language, stopWords, k1, b } = DEFAULT_TEXT;
  return text.language === language && text.stopWords === stopWords && text.k1 === k1 && text.b === b;
}

/** Field by field, because the order of keys in what was handed in is nobody's promise. */
function declared({ text, payloadIndexes, quantization }: CollectionSpec): object {
  const { fields, language, stopWords, wordLength, k1, b } = text;
  const lengths = wordLength === undefined ? {} : { wordLength: { min: wordLength.min, max: wordLength.max } };
  return {
    text: { fields, language, stopWords, ...lengths, k1, b },
    payloadIndexes: payloadIndexes.map(({ path, type }) => ({ path, type })),
    quantization: storedQuantization(quantization),
  };
}

/** @throws RangeError when the bytes are not a spec of a known version, or one with words that this build does not know */
export function decodeSpec(bytes: Uint8Array): CollectionSpec {
  const { v, ...fields } = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as { v: number };
  if (![1, 2, 3, 4, 5].includes(v)) throw unknownSpec();
  if (v >= 3 !== Object.hasOwn(fields, 'strictMode') || v >= 4 !== Object.hasOwn(fields, 'vectors')) throw unknownSpec();
  const found = { ...NOTHING_DECLARED, ...(fields as PlainSpec & Partial<Declarations & VectorDeclarations>) };
  const spec: CollectionSpec = { ...found, strictMode: found.strictMode === null ? null : wholeStrictMode(found.strictMode) };
  if (!isKnown(spec) || (v === 5) !== (spec.text.wordLength !== undefined)) throw unknownSpec();
  return spec;
}

function isKnown({
  dimension,
  distance,
  text,
  payloadIndexes,
  quantization,
  strictMode,
  vectors,
  sparseVectors,
}: CollectionSpec) {
  return (
    (distance === null) === (dimension === null) &&
    (distance === null || isOneOf(distance, DISTANCES)) &&
    Object.keys(strictMode ?? {}).every((name) => name === 'enabled' || isOneOf(name, STRICT_SETTINGS)) &&
    isOneOf(text.language, TEXT_LANGUAGES) &&
    isKnownLength(text.wordLength) &&
    payloadIndexes.every(({ type }) => isOneOf(type, PAYLOAD_INDEX_TYPES)) &&
    isKnownForm(quantization) &&
    vectors.every((vector) => isOneOf(vector.distance, DISTANCES) && isKnownForm(vector.quantization)) &&
    sparseVectors.every(({ modifier }) => modifier === null || isOneOf(modifier, SPARSE_MODIFIERS))
  );
}

function isKnownForm(quantization: Quantization | null): boolean {
  return quantization === null || isOneOf(quantization.type, QUANTIZATION_TYPES);
}

function isKnownLength(length: WordLength | undefined): boolean {
  if (length === undefined) return true;
  const { min, max } = length;
  return Number.isInteger(min) && Number.isInteger(max) && min >= 1 && min <= max && max <= FIXED.wordLengthMax;
}

function isOneOf(word: string, words: readonly string[]): boolean {
  return words.includes(word);
}

function unknownSpec(): RangeError {
  return new RangeError('not a collection spec of a version known to this build');
}

/** The byte form of a collection's spec: canonical JSON (fixed key order), version first.
 *
 *  Part of the digest, so its bytes are deterministic: a spec that declares neither text fields nor payload indexes nor quantization
 *  keeps the bytes of version 1, one that does is of version 2, and only one with a strict mode of version 3. Whatever version was read, the
 *  spec is whole. History: v 1 (2026-11) · v 2 (2026-11): text, payloadIndexes, quantization · v 3 (2026-11): strictMode. */

import {
  type CollectionSpec,
  DEFAULT_TEXT,
  type Declarations,
  NOTHING_DECLARED,
  PAYLOAD_INDEX_TYPES,
  QUANTIZATION_TYPES,
  TEXT_LANGUAGES,
} from '../model/collection.js';
import { DISTANCES } from '../model/distance.js';
import { STRICT_SETTINGS, type StrictMode, wholeStrictMode } from '../model/strict-mode.js';

type PlainSpec = Omit<CollectionSpec, keyof Declarations>;

export function encodeSpec(spec: CollectionSpec): Buffer {
  const { m, efConstruct, efSearch } = spec.hnsw;
  const plain = {
    dimension: spec.dimension,
    distance: spec.distance,
    hnsw: { m, efConstruct, efSearch },
    ttlMs: spec.ttlMs,
    createdAtMs: spec.createdAtMs,
  };
  return Buffer.from(JSON.stringify(versioned(spec, plain)));
}

function versioned(spec: CollectionSpec, plain: object): object {
  if (spec.strictMode !== null) return { v: 3, ...plain, ...declared(spec), strictMode: storedStrictMode(spec.strictMode) };
  return isPlain(spec) ? { v: 1, ...plain } : { v: 2, ...plain, ...declared(spec) };
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
  const { fields, language, stopWords, k1, b } = text;
  return {
    text: { fields, language, stopWords, k1, b },
    payloadIndexes: payloadIndexes.map(({ path, type }) => ({ path, type })),
    quantization:
      quantization === null
        ? null
        : { type: quantization.type, rescore: quantization.rescore, oversampling: quantization.oversampling },
  };
}

/** @throws RangeError when the bytes are not a spec of a known version, or one with words that this build does not know */
export function decodeSpec(bytes: Uint8Array): CollectionSpec {
  const { v, ...fields } = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as { v: number };
  if (v !== 1 && v !== 2 && v !== 3) throw unknownSpec();
  if ((v === 3) !== Object.hasOwn(fields, 'strictMode')) throw unknownSpec();
  const found = { ...NOTHING_DECLARED, ...(fields as PlainSpec & Partial<Declarations>) };
  const spec: CollectionSpec = { ...found, strictMode: found.strictMode === null ? null : wholeStrictMode(found.strictMode) };
  const { distance, text, payloadIndexes, quantization } = spec;
  const known =
    isOneOf(distance, DISTANCES) &&
    Object.keys(spec.strictMode ?? {}).every((name) => name === 'enabled' || isOneOf(name, STRICT_SETTINGS)) &&
    isOneOf(text.language, TEXT_LANGUAGES) &&
    payloadIndexes.every(({ type }) => isOneOf(type, PAYLOAD_INDEX_TYPES)) &&
    (quantization === null || isOneOf(quantization.type, QUANTIZATION_TYPES));
  if (!known) throw unknownSpec();
  return spec;
}

function isOneOf(word: string, words: readonly string[]): boolean {
  return words.includes(word);
}

function unknownSpec(): RangeError {
  return new RangeError('not a collection spec of a version known to this build');
}

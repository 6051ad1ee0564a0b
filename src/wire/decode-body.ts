/** One door for every body: bytes and form in, decoded data out. Runs as it is on the main thread and in the body thread; what goes in
 *  and comes out can cross that border, and `buffersOf` names what can be moved instead of copied. */

import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { Operation } from '../model/operation.js';
import type { JsonValue } from '../model/point.js';
import { readBatchBody, type UncheckedCreate } from './batch-body.js';
import { type BodyForm, type BodyReader, invalidJson } from './body-reader.js';
import { operationsHash } from './canonical-hash.js';
import { type LineRules, type ReadLines, readImportLines } from './import-lines.js';
import { JsonReader } from './json-reader.js';
import { locate } from './locate.js';
import { MsgpackReader } from './msgpack-reader.js';
import { isUnplaced } from './place.js';
import {
  type DialectOperation,
  type DialectRules,
  type DialectUpsert,
  type DialectVectors,
  readDialectBatch,
  readDialectUpsert,
  readDialectVectors,
} from './qdrant-points.js';
import { type ReadRecommend, readRecommendBody } from './recommend-body.js';
import { type ReadSearch, type ReadSearchBatch, readSearchBatchBody, readSearchBody } from './search-body.js';
import { readPatchBody, readUpsertBody, type WriteRules } from './write-bodies.js';

/** What a body is to be read as. */
export type BodyTask =
  | { readonly kind: 'plain' }
  | { readonly kind: 'upsert' | 'patch'; readonly collection: string; readonly rules: WriteRules; readonly hashed: boolean }
  | { readonly kind: 'batch'; readonly rules: WriteRules; readonly hashed: boolean }
  | { readonly kind: 'search' }
  | { readonly kind: 'recommend' }
  | { readonly kind: 'search_batch'; readonly searchesMax: number }
  | { readonly kind: 'import'; readonly rules: LineRules }
  | { readonly kind: 'qdrant_upsert' | 'qdrant_vectors' | 'qdrant_batch'; readonly dialect: DialectRules };

export interface ReadOperations {
  readonly operations: readonly (Operation | UncheckedCreate)[];
  /** Canonical hash, when it was asked for. */
  readonly hash: Uint8Array | null;
  /** What today's collections have against a request that may be a repeat of one that was taken. */
  readonly refused: ErrorRecord | null;
}

export interface DecodedBodies {
  plain: JsonValue;
  upsert: ReadOperations;
  patch: ReadOperations;
  batch: ReadOperations;
  search: ReadSearch;
  search_batch: ReadSearchBatch;
  recommend: ReadRecommend;
  import: ReadLines;
  qdrant_upsert: DialectUpsert;
  qdrant_vectors: DialectVectors;
  qdrant_batch: readonly DialectOperation[];
}
export type Decoded<Task extends BodyTask> = DecodedBodies[Task['kind']];

/** @throws SkeinError: InvalidJson, InvalidRequest, InvalidVector, DimensionMismatch, ZeroVector, PayloadTooLarge */
export function decodeBody<Task extends BodyTask>(bytes: Uint8Array, form: BodyForm, task: Task): Decoded<Task> {
  return decode(bytes, form, task) as Decoded<Task>;
}

function decode(bytes: Uint8Array, form: BodyForm, task: BodyTask): DecodedBodies[BodyTask['kind']] {
  if (task.kind === 'import') return readImportLines(bytes, task.rules);
  if (bytes.length === 0) throw invalidJson(0, 'the body is empty');
  try {
    const reader = readerOf(bytes, form);
    const decoded = read(reader, task);
    reader.end();
    return decoded;
  } catch (error) {
    return readAsRepeat(bytes, form, task, isUnplaced(error) ? locate(error, readerOf(bytes, form)) : error);
  }
}

/** A request with an idempotency key may have been taken when its collections were others: it is read again without them, and the writer
 *  says whether it knows the key. @throws `refusal` when the collections have no part in it */
function readAsRepeat(bytes: Uint8Array, form: BodyForm, task: BodyTask, refusal: unknown): ReadOperations {
  const isKeyed = 'hashed' in task && task.hashed && Object.keys(task.rules.vectors).length > 0;
  if (!isKeyed || !(refusal instanceof SkeinError) || !ABOUT_COLLECTION.has(refusal.type)) throw refusal;
  try {
    const read = decode(bytes, form, { ...task, rules: { ...task.rules, vectors: {} } }) as ReadOperations;
    return { ...read, refused: refusal.toRecord() };
  } catch {
    throw refusal;
  }
}

/** InvalidRequest where a name was taken away since; what is wrong in any collection is refused when it is read again. */
const ABOUT_COLLECTION: ReadonlySet<string> = new Set(['DimensionMismatch', 'ZeroVector', 'InvalidRequest']);

function readerOf(bytes: Uint8Array, form: BodyForm): BodyReader {
  return form === 'json' ? new JsonReader(bytes) : new MsgpackReader(bytes);
}

function read(reader: BodyReader, task: Exclude<BodyTask, { kind: 'import' }>): DecodedBodies[BodyTask['kind']] {
  switch (task.kind) {
    case 'plain':
      return reader.value();
    case 'upsert':
      return withHash([readUpsertBody(reader, task.collection, task.rules)], task.hashed);
    case 'patch':
      return withHash([readPatchBody(reader, task.collection, task.rules)], task.hashed);
    case 'batch':
      return withHash(readBatchBody(reader, task.rules), task.hashed);
    case 'search':
      return readSearchBody(reader);
    case 'recommend':
      return readRecommendBody(reader);
    case 'search_batch':
      return readSearchBatchBody(reader, task.searchesMax);
    case 'qdrant_upsert':
      return readDialectUpsert(reader, '', task.dialect);
    case 'qdrant_vectors':
      return readDialectVectors(reader, '', task.dialect);
    case 'qdrant_batch':
      return readDialectBatch(reader, task.dialect);
  }
}

function withHash(operations: readonly (Operation | UncheckedCreate)[], hashed: boolean): ReadOperations {
  return { operations, hash: hashed ? operationsHash(operations) : null, refused: null };
}

/** The buffers behind decoded data, each once. */
export function buffersOf(decoded: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  collect(decoded, found, 0);
  return [...found];
}

/** Deep enough for the shapes above; payloads and ids hold no buffers. */
const SHAPE_DEPTH = 7;

function collect(value: unknown, found: Set<ArrayBuffer>, depth: number): void {
  if (typeof value !== 'object' || value === null || depth > SHAPE_DEPTH) return;
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (value instanceof Map) {
    for (const item of value.values()) collect(item, found, depth + 1);
  } else if (Array.isArray(value)) {
    // A list of plain ids needs no walk.
    if (typeof value[0] === 'object') for (const item of value) collect(item, found, depth + 1);
  } else {
    for (const item of Object.values(value)) collect(item, found, depth + 1);
  }
}

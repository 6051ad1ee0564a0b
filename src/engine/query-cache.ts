/** Answers of searches, kept until their collection changes.
 *
 *  An answer is found again by all that decides it: the collection, its last entry, the request. So a write to the collection makes every
 *  answer about it unreachable at once, and the least recently used go first when the bytes are used up. Only whole answers are kept; each
 *  carries the position it was computed at, and is not given to who asks for a later one.
 *  Cost: about 2 µs a search, and 1 µs for each 3 KB of its vector. Must not know: how a search runs. */

import { crc32 } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { pointBytes } from '../model/answer-budget.js';
import type { CatalogueEntry } from './catalogue.js';
import type { SearchAnswer, SearchRequest } from './engine.js';
import type { QueryCacheStatus } from './search-status.js';

interface Kept {
  /** Of the collection when the answer was computed. */
  readonly lastSeq: number;
  readonly vector: Float32Array | undefined;
  readonly answer: SearchAnswer;
  readonly bytes: number;
}

/** What an entry takes beside its points. */
const ENTRY_BYTES = 500;

export class QueryCache {
  /** By collection and request; null: nothing is kept. */
  readonly #kept: LRUCache<string, Kept> | null;
  #hits = 0;
  #misses = 0;
  #generation = 0;

  /** @param bytesMax of all answers together; 0: nothing is kept */
  constructor(bytesMax: number) {
    this.#kept = bytesMax === 0 ? null : new LRUCache({ maxSize: bytesMax, sizeCalculation: ({ bytes }) => bytes });
  }

  get status(): QueryCacheStatus {
    return { hits: this.#hits, misses: this.#misses, entries: this.#kept?.size ?? 0, bytes: this.#kept?.calculatedSize ?? 0 };
  }

  /** The answer to this very request, if its collection has not changed since. Belongs to the cache: not to be changed. */
  get(entry: CatalogueEntry, request: SearchRequest): Kept['answer'] | null {
    if (this.#kept === null || !isCacheable(request)) return null;
    const kept = this.#kept.get(keyOf(entry, request));
    if (
      kept === undefined ||
      kept.lastSeq !== entry.row.lastSeq ||
      !sameVector(kept.vector, request.vector) ||
      isTooOld(kept, request)
    ) {
      this.#misses += 1;
      return null;
    }
    this.#hits += 1;
    return kept.answer;
  }

  /** Changes whenever everything is forgotten; to be read before a search that may be kept. */
  get generation(): number {
    return this.#generation;
  }

  /** Keeps an answer that is whole and shows all of the collection. @param generation as it was before the search */
  put(entry: CatalogueEntry, request: SearchRequest, answer: SearchAnswer, generation: number): void {
    if (generation !== this.#generation) return;
    if (this.#kept === null || !isCacheable(request) || !answer.complete || answer.degraded) return;
    const { lastSeq } = entry.row;
    if (answer.position.seq < lastSeq) return;
    const key = keyOf(entry, request);
    const vector = request.vector?.slice();
    const points = answer.hits.reduce((sum, hit) => sum + pointBytes(hit), 0);
    const bytes = ENTRY_BYTES + key.length * 2 + (vector?.byteLength ?? 0) + points;
    this.#kept.set(key, { lastSeq, vector, answer, bytes });
  }

  /** Forgets everything: rows were changed without an entry, as a repair does. */
  clear(): void {
    this.#generation += 1;
    this.#kept?.clear();
  }
}

/** What an explanation says is about one run of a search. Vectors of examples would make long keys. */
function isCacheable({ cache, explain, examples }: SearchRequest): boolean {
  const vectors = [...(examples?.positive ?? []), ...(examples?.negative ?? [])].some((one) => one instanceof Float32Array);
  return cache && !explain && !vectors;
}

function isTooOld({ answer }: Kept, { notBeforeSeq }: SearchRequest): boolean {
  return notBeforeSeq !== undefined && answer.position.seq < notBeforeSeq;
}

/** All that decides the answer but the vector itself, of which only a checksum: it is compared when an answer is found.
 *  Lists of a filter in another order are another request. */
function keyOf(
  { row, vector: state, text }: CatalogueEntry,
  { vector, cache: _cache, timeoutMs: _timeout, notBeforeSeq: _notBefore, ...rest }: SearchRequest,
): string {
  const sum = vector === undefined ? '' : crc32(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
  // Other settings that come to be served give other answers without an entry.
  const served = `${state.report?.configurations ?? 0} ${text?.report?.configurations ?? 0}`;
  return `${row.uid} ${served} ${sum} ${JSON.stringify(rest)}`;
}

function sameVector(a: Float32Array | undefined, b: Float32Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

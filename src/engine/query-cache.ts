/** Answers of searches, kept until their collection changes.
 *
 *  An answer is found again by all that decides it: the collection, its last entry, what its indexes serve, the request. So a write to the
 *  collection makes every answer about it unreachable at once, as new settings do; they are forgotten when the next one is kept. The least
 *  recently used go first when the bytes are used up. Only whole answers are kept; each carries the position it was computed at, and is not given to who asks for a later one.
 *  Cost: about 2 µs a search, and 1 µs for each 3 KB of its vector. Must not know: how a search runs. */

import { crc32 } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { pointBytes } from '../model/answer-budget.js';
import type { QueryVector } from '../model/point.js';
import type { CatalogueEntry } from './catalogue.js';
import type { SearchAnswer, SearchRequest } from './engine.js';
import type { QueryCacheStatus } from './search-status.js';

interface Kept {
  readonly uid: number;
  /** Of the collection when the answer was computed. */
  readonly lastSeq: number;
  readonly vector: Uint8Array | undefined;
  readonly answer: SearchAnswer;
  readonly bytes: number;
}

/** Where an answer belongs that is not kept: as the collection was before it was looked for. */
export interface Place {
  readonly key: string;
  readonly lastSeq: number;
  readonly vector: Uint8Array | undefined;
  readonly generation: number;
}

/** What an entry takes beside its points, and a point beside its content: objects, of which the bytes are a small part. As measured on Node 20. */
const ENTRY_BYTES = 1_500;
const HIT_BYTES = 450;

/** Which answers there are of a collection, as of its last entry. */
interface Answers {
  readonly lastSeq: number;
  readonly keys: Set<string>;
}

export class QueryCache {
  /** By collection and request; null: nothing is kept. */
  readonly #kept: LRUCache<string, Kept> | null;
  readonly #byCollection = new Map<number, Answers>();
  #hits = 0;
  #misses = 0;
  #generation = 0;

  /** @param bytesMax of all answers together; 0: nothing is kept */
  constructor(bytesMax: number) {
    this.#kept =
      bytesMax === 0
        ? null
        : new LRUCache({
            ...{ maxSize: bytesMax, sizeCalculation: ({ bytes }) => bytes },
            dispose: ({ uid, lastSeq }, key) => this.#leave(uid, lastSeq, key),
          });
  }

  #leave(uid: number, lastSeq: number, key: string): void {
    const answers = this.#byCollection.get(uid);
    if (answers?.lastSeq !== lastSeq) return;
    answers.keys.delete(key);
    if (answers.keys.size === 0) this.#byCollection.delete(uid);
  }

  /** Of the collection at this entry; those of earlier entries are forgotten. Cost: each answer is forgotten once. */
  #answersOf(uid: number, lastSeq: number): Answers {
    const known = this.#byCollection.get(uid);
    if (known?.lastSeq === lastSeq) return known;
    const answers = { lastSeq, keys: new Set<string>() };
    this.#byCollection.set(uid, answers);
    for (const key of known?.keys ?? []) this.#kept?.delete(key);
    return answers;
  }

  get status(): QueryCacheStatus {
    return { hits: this.#hits, misses: this.#misses, entries: this.#kept?.size ?? 0, bytes: this.#kept?.calculatedSize ?? 0 };
  }

  /** The answer to this very request, if its collection has not changed since, which belongs to the cache: not to be changed; else where
   *  an answer that is looked for now is to be put. Null: it is not to be kept. */
  find(entry: CatalogueEntry, request: SearchRequest): { readonly answer: SearchAnswer } | { readonly place: Place | null } {
    if (this.#kept === null || !isCacheable(request)) return { place: null };
    const vector = request.vector === undefined ? undefined : bytesOf(request.vector);
    const key = keyOf(entry, request, vector);
    const kept = this.#kept.get(key);
    const { lastSeq } = entry.row;
    if (kept === undefined || kept.lastSeq !== lastSeq || !sameVector(kept.vector, vector) || isTooOld(kept, request)) {
      this.#misses += 1;
      return { place: { key, lastSeq, vector, generation: this.#generation } };
    }
    this.#hits += 1;
    return { answer: kept.answer };
  }

  /** Keeps an answer that is whole and shows all of the collection, which has not changed meanwhile. */
  put(entry: CatalogueEntry, place: Place, answer: SearchAnswer): void {
    const { key, lastSeq } = place;
    const { uid } = entry.row;
    if (this.#kept === null || place.generation !== this.#generation || lastSeq !== entry.row.lastSeq) return;
    if (!answer.complete || answer.degraded || answer.position.seq < lastSeq) return;
    const vector = place.vector?.slice();
    const points = answer.hits.reduce((sum, hit) => sum + HIT_BYTES + pointBytes(hit), 0);
    const bytes = ENTRY_BYTES + key.length * 2 + (vector?.byteLength ?? 0) + points;
    this.#answersOf(uid, lastSeq);
    this.#kept.set(key, { uid, lastSeq, vector, answer, bytes });
    // Setting it may have pushed out what was there, itself included.
    if (this.#kept.has(key)) this.#answersOf(uid, lastSeq).keys.add(key);
  }

  /** Forgets everything: rows were changed without an entry, as a repair does. */
  clear(): void {
    this.#generation += 1;
    this.#kept?.clear();
    this.#byCollection.clear();
  }
}

/** What an explanation says is about one run of a search. Vectors of examples would make long keys. */
function isCacheable({ cache, explain, examples }: SearchRequest): boolean {
  const vectors = [...(examples?.positive ?? []), ...(examples?.negative ?? [])].some((one) => typeof one === 'object');
  return cache && !explain && !vectors;
}

function isTooOld({ answer }: Kept, { notBeforeSeq }: SearchRequest): boolean {
  return notBeforeSeq !== undefined && answer.position.seq < notBeforeSeq;
}

/** All that decides the answer but the vector itself, of which only a checksum: it is compared when an answer is found.
 *  Lists of a filter in another order are another request. */
function keyOf(
  { row, vector: state, text }: CatalogueEntry,
  {
    vector: _vector,
    cache: _cache,
    timeoutMs: _timeout,
    notBeforeSeq: _notBefore,
    span: _span,
    cancellation: _cancellation,
    ...rest
  }: SearchRequest,
  vector: Uint8Array | undefined,
): string {
  const sum = vector === undefined ? '' : crc32(vector);
  // Other settings that come to be served give other answers without an entry.
  const served = `${state.served} ${text?.served ?? 0}`;
  return `${row.uid} ${served} ${sum} ${JSON.stringify(rest)}`;
}

function sameVector(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}

/** Of a sparse vector its indices and then its values; what is searched says which of the two forms it is. */
function bytesOf(vector: QueryVector): Uint8Array {
  if (vector instanceof Float32Array) return viewOf(vector);
  return Buffer.concat([viewOf(vector.indices), viewOf(vector.values)]);
}

function viewOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The engine in this process, over a temporary folder, with the limits and caches that `skein serve` has by default. */

import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningEngine, SearchAnswer, SearchRequest, WaitLevel } from '../../src/engine/engine.js';
import { openEngine } from '../../src/engine/open-engine.js';
import { systemClock } from '../../src/model/clock.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { DEFAULT_FUSION } from '../../src/model/fusion.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { silentLog } from '../../src/model/log.js';
import type { NewCollection } from '../../src/model/operation.js';
import type { Payload, PointBlock } from '../../src/model/point.js';
import { createStore } from '../../src/storage/open-store.js';
import { payloadOf, rowOf, type VectorRows } from './clusters.js';
import { withFolder } from './temporary-folder.js';
import { waitFor } from './waiting.js';

const MIB = 2 ** 20;
const WRITER_CACHE_BYTES = 64 * MIB;
const READER_CACHE_BYTES = 32 * MIB;
const TIMEOUT_MS = 600_000;
const FILL_POINTS = 1_000;
const FILLS_IN_FLIGHT = 4;
const IDS = { clusterId: '11'.repeat(16), nodeId: '22'.repeat(16), historyId: '33'.repeat(16), epoch: 1 };

export const COLLECTION = 'bench';

export class BenchEngine {
  #engine: RunningEngine;
  readonly #collection: string;

  readonly #reopen: () => Promise<RunningEngine>;

  constructor(engine: RunningEngine, reopen: () => Promise<RunningEngine>, collection = COLLECTION) {
    this.#engine = engine;
    this.#reopen = reopen;
    this.#collection = collection;
  }

  stop(): Promise<void> {
    return this.#engine.stop();
  }

  /** Stops it, and starts another one over the same folder. @returns milliseconds from its start until it can answer everything */
  async restart(): Promise<number> {
    await this.#engine.stop();
    const beganMs = performance.now();
    this.#engine = await this.#reopen();
    await this.settled();
    return performance.now() - beganMs;
  }

  /** @param declared beyond the defaults: euclid, nothing declared */
  async create(dimension: number, declared: Partial<NewCollection> = {}): Promise<void> {
    const spec: NewCollection = { dimension, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null, ...declared };
    await this.#engine.write([{ kind: 'create_collection', collection: this.#collection, spec }], options('indexed'));
  }

  async upsert(points: PointBlock, wait: WaitLevel): Promise<void> {
    await this.#engine.write([{ kind: 'upsert', collection: this.#collection, points }], options(wait));
  }

  async remove(ids: readonly number[], wait: WaitLevel): Promise<void> {
    await this.#engine.write([{ kind: 'delete', collection: this.#collection, ids }], options(wait));
  }

  search(vector: Float32Array, how: { readonly ef?: number; readonly exact?: boolean }): Promise<SearchAnswer> {
    const { ef, exact = false } = how;
    return this.ask({ vector, exact, withPayload: true, ...(ef === undefined ? {} : { efSearch: ef }) });
  }

  /** Ten hits, ids and scores, nothing kept from earlier searches, unless it is asked for otherwise. */
  ask(request: Partial<SearchRequest>): Promise<SearchAnswer> {
    return this.#engine.search(this.#collection, {
      fusion: DEFAULT_FUSION,
      cache: false,
      limit: 10,
      offset: 0,
      exact: false,
      explain: false,
      withPayload: false,
      withVector: false,
      ...request,
    });
  }

  /** Estimated resident bytes of the collection's indexes. */
  get memoryBytes(): number {
    return this.#engine.collection(this.#collection).memoryBytes;
  }

  /** Waits until everything durable has its place in the graph and no rebuild runs. */
  async settled(): Promise<void> {
    await this.#engine.waitFor(this.#engine.position(), 'indexed', this.#collection, TIMEOUT_MS);
    await waitFor('a settled index', TIMEOUT_MS, 20, () => {
      const { waitingBytes } = this.#engine.status().index;
      return waitingBytes === 0 && this.#engine.collection(this.#collection).status === 'ready' ? true : null;
    });
  }
}

function options(wait: WaitLevel) {
  return { wait, timeoutMs: TIMEOUT_MS };
}

export function withEngine<T>(work: (engine: BenchEngine) => Promise<T>): Promise<T> {
  return withFolder(async (dataDir) => {
    const storeDir = join(dataDir, 'store-1');
    const storePath = join(storeDir, 'skein.db');
    mkdirSync(storeDir, { recursive: true });
    createStore(storePath, IDS, { cacheBytes: WRITER_CACHE_BYTES });
    const open = (): Promise<RunningEngine> => openIn(dataDir, storePath, join(storeDir, 'checkpoints'));
    const engine = new BenchEngine(await open(), open);
    try {
      return await work(engine);
    } finally {
      await engine.stop();
    }
  });
}

function openIn(dataDir: string, storePath: string, checkpointsDir: string): Promise<RunningEngine> {
  return openEngine({
    dataDir,
    storePath,
    checkpointsDir,
    bootId: randomBytes(16).toString('hex'),
    role: 'master',
    ownFromEpoch: 0,
    limits: DEFAULT_LIMITS,
    writerCacheBytes: WRITER_CACHE_BYTES,
    readerCacheBytes: READER_CACHE_BYTES,
    indexWorkers: null,
    log: silentLog,
    clock: systemClock,
    onProgress: () => {},
    onFatal: (reason) => {
      throw new Error(reason);
    },
  });
}

/** Some rows as one write, each with its 100-byte payload. The buffers are fresh: the engine may take them.
 *  @param ids row i is written under ids[i] */
export function blockOf(rows: VectorRows, from: number, ids: readonly number[]): PointBlock {
  return blockWith(rows, from, ids, payloadOf);
}

/** The same with payloads of one's own. */
export function blockWith(
  rows: VectorRows,
  from: number,
  ids: readonly number[],
  payloadOf: (id: number) => Payload,
): PointBlock {
  const count = ids.length;
  const { dimension } = rows;
  const payloads = ids.map((id) => Buffer.from(JSON.stringify(payloadOf(id))));
  const vectors = new Float32Array(count * dimension);
  for (let place = 0; place < count; place += 1) vectors.set(rowOf(rows, from + place), place * dimension);
  let end = 0;
  return {
    ids,
    dimension,
    vectors,
    payloadBytes: new Uint8Array(Buffer.concat(payloads)),
    payloadEnds: Uint32Array.from(payloads, ({ length }) => (end += length)),
    ifVersions: null,
    expiresAt: null,
  };
}

/** Writes all rows, row n as id n, and waits until every one has its place in the graph. */
export async function fillEngine(engine: BenchEngine, rows: VectorRows, payloadOf: (id: number) => Payload): Promise<void> {
  const blocks = Array.from({ length: Math.ceil(rows.count / FILL_POINTS) }, (_, block) => {
    const from = block * FILL_POINTS;
    const ids = Array.from({ length: Math.min(FILL_POINTS, rows.count - from) }, (_, place) => from + place);
    return () => engine.upsert(blockWith(rows, from, ids, payloadOf), 'durable');
  });
  await inFlight(FILLS_IN_FLIGHT, blocks);
  await engine.settled();
}

/** Runs `jobs` in order with at most `width` under way. */
export async function inFlight(width: number, jobs: readonly (() => Promise<unknown>)[]): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) await job();
  };
  await Promise.all(Array.from({ length: width }, work));
}

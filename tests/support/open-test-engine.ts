/** A running engine over a temporary store, and short forms of what tests do with it. */

import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningEngine, SearchRequest, WriteReceipt } from '../../src/engine/engine.js';
import { type EngineOptions, openEngine } from '../../src/engine/open-engine.js';
import { systemClock } from '../../src/model/clock.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import type { Distance } from '../../src/model/distance.js';
import { DEFAULT_FUSION } from '../../src/model/fusion.js';
import { DEFAULT_LIMITS, type Limits } from '../../src/model/limits.js';
import { silentLog } from '../../src/model/log.js';
import type { PointBlock, PointId } from '../../src/model/point.js';
import type { Role } from '../../src/model/replication.js';
import { createStore } from '../../src/storage/open-store.js';
import { TEST_CACHE, TEST_STORE } from './open-test-store.js';

/** Graphs of tests are small: they are as good when they are built with less work. */
const QUICK_HNSW = { ...DEFAULT_HNSW, efConstruct: 80 };

export interface TestPoint {
  readonly id: PointId;
  readonly vector: ArrayLike<number>;
  readonly payload?: object;
}

export function pointBlock(points: readonly TestPoint[]): PointBlock {
  const dimension = points[0]?.vector.length ?? 0;
  const vectors = new Float32Array(points.length * dimension);
  points.forEach(({ vector }, i) => {
    vectors.set(vector, i * dimension);
  });
  const payloads = points.map(({ payload }) => Buffer.from(payload === undefined ? '' : JSON.stringify(payload)));
  let end = 0;
  return {
    ids: points.map(({ id }) => id),
    dimension,
    vectors,
    payloadBytes: Buffer.concat(payloads),
    payloadEnds: Uint32Array.from(payloads, ({ length }) => (end += length)),
    ifVersions: null,
    expiresAt: null,
  };
}

export const WAIT = { wait: 'indexed', timeoutMs: 20_000 } as const;
/** A search for ids and scores; it needs what to search for. */
export const SEARCH: SearchRequest = {
  limit: 10,
  offset: 0,
  exact: false,
  explain: false,
  withPayload: false,
  withVector: false,
  fusion: DEFAULT_FUSION,
  cache: true,
};

export interface TestEngine {
  readonly engine: RunningEngine;
  readonly storePath: string;
  readonly fatal: string[];
  create(name: string, dimension: number, distance?: Distance): Promise<WriteReceipt>;
  put(name: string, points: readonly TestPoint[]): Promise<WriteReceipt>;
  remove(name: string, ids: readonly PointId[]): Promise<WriteReceipt>;
  nearest(name: string, vector: ArrayLike<number>, limit: number, exact?: boolean): Promise<{ id: PointId; score: number }[]>;
}

/** Makes the folder's store when it is not there; opens the engine. */
export async function openTestEngine(
  folder: string,
  limits: Partial<Limits> = {},
  role: Role = 'master',
  ownFromEpoch = 0,
  watching: Partial<Pick<EngineOptions, 'onSearch' | 'onWork' | 'watching' | 'log' | 'clock'>> = {},
): Promise<TestEngine> {
  const storeDir = join(folder, 'store-1');
  const storePath = join(storeDir, 'skein.db');
  const bootId = randomBytes(16).toString('hex');
  if (mkdirSync(storeDir, { recursive: true }) !== undefined) {
    createStore(storePath, TEST_STORE, TEST_CACHE);
  }
  const fatal: string[] = [];
  const engine = await openEngine({
    dataDir: folder,
    storePath,
    checkpointsDir: join(storeDir, 'checkpoints'),
    bootId,
    ownFromEpoch,
    role,
    limits: { ...DEFAULT_LIMITS, diskFreeBytesMin: 0, ...limits },
    writerCacheBytes: 2 ** 21,
    readerCacheBytes: 2 ** 20,
    indexWorkers: 1,
    log: silentLog,
    clock: systemClock,
    onProgress: () => {},
    ...watching,
    onFatal: (reason) => fatal.push(reason),
  });
  return {
    engine,
    storePath,
    fatal,
    create: (name, dimension, distance = 'euclid') =>
      engine.write(
        [{ kind: 'create_collection', collection: name, spec: { dimension, distance, hnsw: QUICK_HNSW, ttlMs: null } }],
        WAIT,
      ),
    put: (name, points) => engine.write([{ kind: 'upsert', collection: name, points: pointBlock(points) }], WAIT),
    remove: (name, ids) => engine.write([{ kind: 'delete', collection: name, ids }], WAIT),
    async nearest(name, vector, limit, exact = false) {
      const { hits } = await engine.search(name, { ...SEARCH, cache: false, vector: Float32Array.from(vector), limit, exact });
      return hits.map(({ id, score }) => ({ id, score }));
    },
  };
}

/** The process of one drill: opens a restored store as a node would, loads or builds its indexes, and measures how well they search. What is
 *  so damaged that reading it ends the process ends this one. Started by drill.ts; says one line of JSON at its end.
 *  Must not know: backups, the node that started it. */

import { setPriority } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../engine/open-engine.js';
import { systemClock } from '../model/clock.js';
import { messageOf, SkeinError } from '../model/errors.js';
import { DEFAULT_LIMITS } from '../model/limits.js';
import { silentLog } from '../model/log.js';
import type { DrillFindings } from './drill.js';

const CACHE_BYTES = 4 * 1024 * 1024;
const SAMPLE_POINTS = 32;
const LIMIT = 10;
const MEASURE_MS = 60_000;
/** Below everything that serves. */
const NICE = 10;

const [, , scratch = '', bootId = ''] = process.argv;

/** Null when nothing can be searched there. */
async function recallOf(engine: Awaited<ReturnType<typeof openEngine>>, name: string): Promise<number | null> {
  try {
    const { recall } = await engine.measureRecall(name, { sample: SAMPLE_POINTS, limit: LIMIT, timeoutMs: MEASURE_MS });
    return recall;
  } catch (error) {
    if (error instanceof SkeinError && error.type === 'SearchUnavailable') return 0;
    throw error;
  }
}

async function look(): Promise<DrillFindings> {
  setPriority(NICE);
  const fatal: string[] = [];
  const engine = await openEngine({
    ...{ dataDir: scratch, storePath: join(scratch, 'store', 'skein.db'), checkpointsDir: join(scratch, 'store', 'checkpoints') },
    ...{ bootId, role: 'replica', ownFromEpoch: 0, limits: { ...DEFAULT_LIMITS, diskFreeBytesMin: 0 } },
    ...{ writerCacheBytes: CACHE_BYTES, readerCacheBytes: CACHE_BYTES, indexWorkers: 1 },
    ...{ log: silentLog, clock: systemClock, onProgress: () => {}, onFatal: (reason) => fatal.push(reason) },
  });
  const { seq, digest } = engine.log.state();
  const collections = engine.collections();
  let recall: number | null = null;
  for (const { name, pointsCount } of collections) {
    const found = pointsCount === 0 ? null : await recallOf(engine, name);
    if (found !== null) recall = Math.min(recall ?? 1, found);
  }
  const points = collections.reduce((sum, { pointsCount }) => sum + pointsCount, 0);
  await engine.freeze();
  return { seq, digest: Buffer.from(digest).toString('hex'), points, recall, problem: fatal[0] ?? null };
}

look()
  .catch((error: unknown): DrillFindings => ({ seq: 0, digest: '', points: 0, recall: null, problem: messageOf(error) }))
  .then((findings) => process.stdout.write(`${JSON.stringify(findings)}\n`, () => process.exit(0)))
  .catch(() => process.exit(1));

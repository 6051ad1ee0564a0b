/** Backups in tests: an engine with a target beside it, what its state was at every position, and short forms of backing up and restoring. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Archive } from '../../src/backup/archive.js';
import { openFolderTarget } from '../../src/backup/folder-target.js';
import type { FullHead, IncrementHead } from '../../src/backup/head.js';
import { NEWEST, planRestore } from '../../src/backup/plan.js';
import { type PreparedRestore, prepareRestore } from '../../src/backup/restoring.js';
import type { BackupTarget } from '../../src/backup/target.js';
import { writeFull, writeIncrement } from '../../src/backup/writing.js';
import { buildSnapshot } from '../../src/engine/snapshot.js';
import type { RestoreWish } from '../../src/model/backup.js';
import { systemClock } from '../../src/model/clock.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import type { Position } from '../../src/model/position.js';
import { openTestEngine, type TestEngine } from './open-test-engine.js';
import { TEST_STORE } from './open-test-store.js';
import type { TestContext } from './suite.js';

export interface BackedUp extends TestEngine {
  readonly folder: string;
  readonly target: BackupTarget;
  readonly targetFolder: string;
  readonly archive: Archive;
  /** The digest after each commit, by seq. */
  readonly digests: ReadonlyMap<number, string>;
  readonly positions: readonly Position[];
  full(): Promise<FullHead>;
  increment(fromSeq: number): Promise<IncrementHead | null>;
  restore(wish?: Partial<RestoreWish>): Promise<PreparedRestore>;
}

const NEVER = new AbortController().signal;

export async function backedUp(t: TestContext): Promise<BackedUp> {
  const [folder, targetFolder] = [t.folder(), t.folder()];
  const test = await openTestEngine(folder);
  const { engine, storePath } = test;
  t.after(() => engine.stop());
  const target = await openFolderTarget({ folder: targetFolder, writer: 'test', stallMs: 10_000, clock: systemClock });
  const archive = new Archive(target, TEST_STORE.clusterId);
  const digests = new Map<number, string>();
  const positions: Position[] = [];
  engine.log.onCommit(({ seq, digest, historyId, epoch }) => {
    digests.set(seq, Buffer.from(digest).toString('hex'));
    positions.push({ historyId, epoch, seq });
  });
  let createdAtMs = Date.now();
  const how = () => ({ archive, log: engine.log, createdAtMs: ++createdAtMs, signal: NEVER });
  return {
    ...test,
    ...{ folder, target, targetFolder, archive, digests, positions },
    async full() {
      const checkpointsDir = join(folder, 'store-1', 'checkpoints');
      const built = await buildSnapshot({ dataDir: folder, storePath, checkpointsDir, cacheBytes: 2 ** 20 });
      try {
        return await writeFull(built, how());
      } finally {
        await built.remove();
      }
    },
    increment: (fromSeq) => writeIncrement({ fromSeq, toSeq: engine.log.state().seq }, how()),
    async restore(wish = {}) {
      const plan = planRestore(await archive.list(), { ...NEWEST, ...wish });
      const scratch = join(t.folder(), `restoring-${randomBytes(16).toString('hex')}`);
      const restore = await prepareRestore(plan, {
        ...{ archive, scratch, cacheBytes: 2 ** 20, limits: DEFAULT_LIMITS, signal: NEVER },
        onStep: () => {},
      });
      t.after(() => restore.discard());
      return restore;
    },
  };
}

export function digestOf(restore: PreparedRestore): string {
  return Buffer.from(restore.reached.state.digest).toString('hex');
}

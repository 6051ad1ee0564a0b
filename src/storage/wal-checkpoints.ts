/** Moving the WAL into the database file, giving free pages back, and the sizes of both files.
 *
 *  Checkpoints are made here only: automatic ones swallow I/O errors. A passive one never waits for readers; the WAL is cut to
 *  nothing only when it is over its cap, since readers without a gap would otherwise let it grow for ever.
 *  Must not know: what is in the pages. */

import { statSync } from 'node:fs';
import { BUSY_TIMEOUT_MS } from './connection.js';
import type { Database } from './driver.js';
import type { StoreReads, StoreWriter } from './storage.js';

const TRUNCATE_WAIT_MS = 200;

interface CheckpointAnswer {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

export function walCheckpoints(db: Database, path: string): Pick<StoreWriter, 'checkpointWal' | 'vacuumSome'> {
  const run = (mode: 'PASSIVE' | 'TRUNCATE'): CheckpointAnswer => {
    const [answer] = db.pragma(`wal_checkpoint(${mode})`) as CheckpointAnswer[];
    if (answer === undefined) throw new Error('a checkpoint of the WAL gave no answer');
    return answer;
  };
  const freePages = (): number => db.pragma('freelist_count', { simple: true }) as number;
  return {
    checkpointWal: (capBytes) => {
      const { busy, log, checkpointed } = run('PASSIVE');
      const { wal } = fileBytes(path);
      if (busy !== 0 || log !== checkpointed || wal === 0 || wal <= capBytes) return { walBytes: wal, truncated: false };
      db.pragma(`busy_timeout = ${TRUNCATE_WAIT_MS}`);
      try {
        const truncated = run('TRUNCATE').busy === 0;
        return { walBytes: fileBytes(path).wal, truncated };
      } finally {
        db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
      }
    },
    vacuumSome: (pagesMax) => {
      const before = freePages();
      if (before === 0) return 0;
      db.exec(`PRAGMA incremental_vacuum(${Math.max(1, Math.floor(pagesMax))})`);
      return before - freePages();
    },
  };
}

export function fileBytes(path: string): ReturnType<StoreReads['fileBytes']> {
  const size = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return { database: size(path), wal: size(`${path}-wal`) };
}

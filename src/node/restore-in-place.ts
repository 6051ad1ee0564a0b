/** A restore of the running master: its data becomes a state of the past, as the beginning of a new history, while reads go on.
 *
 *    prepared ─► writes refused ─► the rest of the log archived ─► new history logged in the prepared store ─► epoch noted ─► switched ─► writes
 *
 *  Invariants: what is replaced is in the archive to its last write; the new history is in the store before it counts, so no kill leaves two
 *  lines of one history; voters and access keys stay what they are now. A failure before the switch leaves the old data serving.
 *  The caller sees to it that nothing else changes the role meanwhile. Must not know: targets, HTTP. */

import { randomBytes } from 'node:crypto';
import type { RunningEngine } from '../engine/engine.js';
import type { ReplayEnding } from '../engine/replay.js';
import { adoptRestored } from '../engine/restored-store.js';
import type { RestoreReceipt } from '../model/backup.js';
import { SkeinError } from '../model/errors.js';
import { failpoint } from '../model/failpoint.js';
import type { Log } from '../model/log.js';
import type { Position } from '../model/position.js';
import type { InstallStore, OpenedAs } from './exchange.js';
import type { Mastership } from './mastership.js';
import type { WriteGate } from './write-gate.js';

export interface RestoreInPlaceParts {
  readonly dataDir: string;
  readonly log: Log;
  readonly mastership: Mastership;
  readonly gate: WriteGate;
  engine(): RunningEngine;
  exchange(install: InstallStore, as: OpenedAs): Promise<void>;
  /** Nobody is served by links until attach(). */
  detach(): void;
  attach(): void;
}

/** A restored store, as far as it is made. */
export interface RestoredStore {
  readonly storePath: string;
  finish(ending: ReplayEnding): Promise<unknown>;
}

/** @param archiveRest puts what is in no backup yet into the archive; nobody writes meanwhile
 *  @throws NotMaster · what archiveRest throws · StorageFull · Error: the old data serves on */
export async function restoreInPlace(
  parts: RestoreInPlaceParts,
  restored: RestoredStore,
  archiveRest: () => Promise<void>,
): Promise<RestoreReceipt> {
  const { mastership, gate, log } = parts;
  mustBeMaster(mastership);
  gate.close('restoring');
  try {
    await mastership.pauseWrites();
    await archiveRest();
    const replaced = positionOf(parts.engine());
    await switchTo(parts, restored);
    const position = positionOf(parts.engine());
    log.warn('restored', {
      seq: position.seq,
      epoch: position.epoch,
      history_id: position.historyId,
      replaced_seq: replaced.seq,
      access_keys: parts.engine().keys.count,
    });
    return { position, replaced };
  } catch (error) {
    await goOn(mastership);
    throw error;
  } finally {
    gate.reopen();
  }
}

async function switchTo(parts: RestoreInPlaceParts, restored: RestoredStore): Promise<void> {
  const { mastership, dataDir } = parts;
  const engine = parts.engine();
  const { clusterId, nodeId } = engine.log.state();
  const epoch = mastership.nextEpoch();
  const carried = { voters: engine.log.voters(), accessKeys: engine.keys.all() };
  await restored.finish({ clusterId, nodeId, historyId: randomBytes(16).toString('hex'), epoch, carried });
  parts.detach();
  try {
    failpoint('restore.before_switch');
    mustBeMaster(mastership);
    mastership.noteEpochOfOwn(epoch);
    await parts.exchange(async ({ bootId }) => adoptRestored(dataDir, restored.storePath, { bootId }), {
      role: 'master',
      highestEpoch: epoch,
    });
    mastership.opened(epoch);
    failpoint('restore.after_switch');
  } finally {
    parts.attach();
  }
}

/** After a failure the data that counts is written to again: under the epoch that was noted, if it was. */
async function goOn(mastership: Mastership): Promise<void> {
  if (!mastership.isMaster) return;
  if (mastership.isIncomplete) await mastership.begin();
  else await mastership.resumeWrites();
}

function mustBeMaster(mastership: Mastership): void {
  if (mastership.isMaster && !mastership.isIncomplete) return;
  throw new SkeinError('NotMaster', 'Only the master restores; its replicas take the data from it');
}

function positionOf({ log }: RunningEngine): Position {
  const { historyId, epoch, seq } = log.state();
  return { historyId, epoch, seq };
}

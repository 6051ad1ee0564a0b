/** Backups of an engine whose target does as a test says, with what was asked of the log and said about it. Must not know: what is tested. */

import { join } from 'node:path';
import { Backups, type BackupsParts } from '../../src/backup/backups.js';
import type { ReplicatedLog } from '../../src/engine/engine.js';
import { buildSnapshot } from '../../src/engine/snapshot.js';
import { type Clock, systemClock } from '../../src/model/clock.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { type LogFields, silentLog } from '../../src/model/log.js';
import { type BackedUp, backedUp } from './backups.js';
import { BreakableTarget } from './broken-target.js';
import type { TestContext } from './suite.js';

export const BY_HAND = { everyOperations: 0, intervalMs: 0, minIntervalMs: 0, fullIntervalMs: 86_400_000 };

export interface Stand {
  readonly made: BackedUp;
  readonly target: BreakableTarget;
  readonly backups: Backups;
  /** What the log was asked to keep. */
  readonly kept: (number | null)[];
  readonly said: [string, LogFields][];
  /** As the log shows itself from now on. */
  seen: (log: ReplicatedLog) => ReplicatedLog;
  write(count: number): Promise<void>;
}

export async function standing(t: TestContext, over: Partial<BackupsParts> = {}): Promise<Stand> {
  const made = await backedUp(t);
  await made.create('c', 2);
  const target = new BreakableTarget(made.target);
  const [kept, said]: [(number | null)[], [string, LogFields][]] = [[], []];
  const note = (event: string, fields: LogFields = {}): void => void said.push([event, fields]);
  const { log } = made.engine;
  const feed: ReplicatedLog = Object.create(log, {
    keepFrom: { value: (_holder: string, seq: number | null) => void kept.push(seq) },
    ...bound(log),
  });
  const stand: Pick<Stand, 'seen'> = { seen: (one) => one };
  const backups = new Backups({
    ...{ target, schedule: BY_HAND, retention: { fullsMax: 2, ageMsMax: null }, drillIntervalMs: 0 },
    ...{ dataDir: made.folder, limits: { ...DEFAULT_LIMITS, diskFreeBytesMin: 0 }, clock: systemClock, cacheBytes: 2 ** 20 },
    log: { ...silentLog, info: note, warn: note, error: note },
    feed: () => stand.seen(feed),
    isActive: () => true,
    buildSnapshot: () =>
      buildSnapshot({
        ...{ dataDir: made.folder, storePath: made.storePath, cacheBytes: 2 ** 20 },
        checkpointsDir: join(made.folder, 'store-1', 'checkpoints'),
      }),
    ...over,
  });
  t.after(() => backups.stop());
  let id = 0;
  const write = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await made.put('c', [{ id: id++, vector: [id, 1] }]);
  };
  return Object.assign(stand, { made, target, backups, kept, said, write });
}

/** Methods of a class with private fields, for an object in front of it. */
function bound(log: ReplicatedLog): PropertyDescriptorMap {
  const names = ['state', 'lineage', 'read', 'bytesAfter'] as const;
  return Object.fromEntries(names.map((name) => [name, { value: (log[name] as () => unknown).bind(log), configurable: true }]));
}

/** A clock that a test sets on, and back. */
export function settableClock(): { readonly clock: Clock; aheadMs: number; wallMs: number } {
  const set = { aheadMs: 0, wallMs: 0 };
  const clock = {
    wallMs: () => systemClock.wallMs() + set.wallMs,
    monotonicMs: () => systemClock.monotonicMs() + set.aheadMs,
  };
  return Object.assign(set, { clock });
}

/** What a restore would reach, without doing it: reads the heads of the entries of the increment in which its target lies.
 *  Must not know: scratch folders, stores. */

import { readEntryHead } from '../codec/entry.js';
import type { Archive } from './archive.js';
import { backupDamaged } from './damaged.js';
import { type BackupEnd, ENTRIES_NAME, type IncrementHead, plainBytesOf, storedBytesOf } from './head.js';
import type { RestorePlan } from './plan.js';
import { entriesOf } from './restoring.js';
import { readSegment } from './segment.js';

export interface Foresight {
  readonly seq: number;
  readonly timeMs: number | null;
  /** To be fetched, and what that is when it is unpacked. */
  readonly storedBytes: number;
  readonly plainBytes: number;
}

/** Cost: reads one increment when the target lies inside of it. @throws BackupDamaged · BackupTargetFailed */
export async function foresee(plan: RestorePlan, archive: Archive): Promise<Foresight> {
  const { full, increments } = plan;
  const heads = [full, ...increments];
  const storedBytes = heads.reduce((sum, head) => sum + storedBytesOf(head), 0);
  const plainBytes = heads.reduce((sum, head) => sum + plainBytesOf(head), 0);
  const last = increments.at(-1);
  const before = (increments.at(-2) ?? full).end;
  const end = last === undefined ? full.end : await endInside(last, before, plan, archive);
  return { seq: end.seq, timeMs: end.timeMs, storedBytes, plainBytes };
}

type Reached = Pick<BackupEnd, 'seq' | 'timeMs'>;

async function endInside(head: IncrementHead, before: Reached, plan: RestorePlan, archive: Archive): Promise<Reached> {
  const isBeyond = ({ seq, timeMs }: Reached): boolean =>
    (plan.seq !== null && seq > plan.seq) || (plan.timeMs !== null && timeMs !== null && timeMs > plan.timeMs);
  if (!isBeyond(head.end)) return head.end;
  let reached = before;
  try {
    for await (const { entries } of readSegment(archive.plain(head.id, entriesOf(head)))) {
      for (const entry of entries) {
        const { seq, timeMs, last } = readEntryHead(entry);
        if (!last || seq <= before.seq) continue;
        if (isBeyond({ seq, timeMs })) return reached;
        reached = { seq, timeMs };
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw backupDamaged({ id: head.id, object: `${archive.clusterId}/${head.id}/${ENTRIES_NAME}.gz`, problem: error.message });
  }
  return reached;
}

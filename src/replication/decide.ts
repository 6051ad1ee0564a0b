/** The answer to a hello: go on from the log, take a snapshot, or be refused. Ordered rules, the first that matches wins; pure.
 *
 *  Specified in docs/REPLICATION.md, "Partial or full". Must not know: sockets, files, how the figures were found. */

import { historyEnd } from '../model/position.js';
import type { Decision, Hello, PlainLineage, RejectReason } from '../wire/frames.js';

/** What the answering node knows of itself when a hello comes. */
export interface Standing {
  readonly clusterId: string;
  readonly nodeId: string;
  readonly epoch: number;
  readonly historyId: string;
  readonly seq: number;
  /** First seq of the log that is there; seq + 1 when it is empty. */
  readonly logMinSeq: number;
  readonly lineage: PlainLineage;
  /** Node ids from here up to the master, this node first. */
  readonly path: readonly string[];
  /** Nodes that are linked to this one. */
  readonly linked: ReadonlySet<string>;
  /** Chain hash at the replica's seq, or null when the log does not have it. */
  readonly hashAtPosition: string | null;
  /** Bytes from the replica's position to the tail, and about how large a snapshot is. */
  readonly catchUpBytes: number;
  readonly snapshotBytes: number;
}

export type Verdict =
  | { readonly kind: 'accept'; readonly decision: Decision; readonly rule: SyncRule }
  | { readonly kind: 'reject'; readonly reason: RejectReason; readonly message: string }
  /** The caller has seen a newer mastership than this node knows. */
  | { readonly kind: 'stale'; readonly epoch: number }
  /** Another line of data claims the same epoch: two masters by mistake. */
  | { readonly kind: 'conflict'; readonly epoch: number }
  /** The replica has more of this node's own history than it has itself. */
  | { readonly kind: 'lost_tail'; readonly seq: number };

/** Why a sync is full, or 'partial'. */
export type SyncRule =
  | 'partial'
  | 'asked'
  | 'no_position'
  | 'unknown_history'
  | 'diverged'
  | 'hash_differs'
  | 'log_pruned'
  | 'log_larger_than_snapshot';

/** The caller has entries that this node has not. */
export const PARTED: ReadonlySet<string> = new Set<SyncRule>(['unknown_history', 'diverged', 'hash_differs']);

/** A catch-up of up to this many bytes is always cheaper than a snapshot. */
const CATCH_UP_ALWAYS_BYTES = 64 * 1024 * 1024;

export function decide(hello: Hello, mine: Standing): Verdict {
  const { position } = hello;
  if (hello.clusterId !== null && hello.clusterId !== mine.clusterId)
    return reject('WRONG_CLUSTER', `this node belongs to cluster ${mine.clusterId}, the caller to ${hello.clusterId}`);
  // What a node saw elsewhere says nothing here: it belongs to no cluster yet.
  if (hello.clusterId !== null && (hello.highestEpoch > mine.epoch || (position !== null && position.epoch > mine.epoch)))
    return { kind: 'stale', epoch: Math.max(hello.highestEpoch, position?.epoch ?? 0) };
  if (hello.nodeId === mine.nodeId || mine.path.includes(hello.nodeId))
    return reject('LOOP', 'the caller is this node, or this node follows the caller');
  if (mine.linked.has(hello.nodeId)) return reject('DUPLICATE_NODE', `a node with id ${hello.nodeId} is linked already`);
  if (position === null || hello.clusterId === null) return snapshot('no_position');
  const end = historyEnd(mine.lineage, position.historyId, mine.seq);
  if (end === null && position.epoch === mine.epoch) return { kind: 'conflict', epoch: mine.epoch };
  if (end === null) return snapshot('unknown_history', commonSeq(hello, mine));
  if (position.seq > end && position.historyId === mine.historyId) return { kind: 'lost_tail', seq: position.seq };
  if (position.seq > end) return snapshot('diverged', end);
  if (mine.hashAtPosition !== null && mine.hashAtPosition !== position.hash)
    return snapshot('hash_differs', startOf(position.historyId, mine));
  // Behind everything that tells of entries which the caller alone has.
  if (hello.wants !== null) return snapshot('asked');
  if (position.seq + 1 < mine.logMinSeq || mine.hashAtPosition === null) return snapshot('log_pruned');
  if (mine.catchUpBytes > Math.max(CATCH_UP_ALWAYS_BYTES, mine.snapshotBytes)) return snapshot('log_larger_than_snapshot');
  return { kind: 'accept', decision: { kind: 'continue', fromSeq: position.seq + 1 }, rule: 'partial' };
}

function reject(reason: RejectReason, message: string): Verdict {
  return { kind: 'reject', reason, message };
}

function snapshot(rule: SyncRule, common: number | null = null): Verdict {
  return { kind: 'accept', decision: { kind: 'snapshot', reason: rule, commonSeq: common }, rule };
}

/** Nobody can say where in a history two lines parted that bear its name; not before it began. */
function startOf(historyId: string, mine: Pick<Standing, 'lineage'>): number {
  return mine.lineage.find((row) => row.historyId === historyId)?.startSeq ?? 0;
}

/** Where two lines of data last agreed: the newest history that both had, up to where the first of them left it. */
export function commonSeq(hello: Pick<Hello, 'lineage' | 'position'>, mine: Pick<Standing, 'lineage' | 'seq'>): number | null {
  for (const { historyId } of [...mine.lineage].reverse()) {
    const end = historyEnd(hello.lineage, historyId, hello.position?.seq ?? 0);
    const own = historyEnd(mine.lineage, historyId, mine.seq);
    if (end !== null && own !== null) return Math.min(end, own);
  }
  return null;
}

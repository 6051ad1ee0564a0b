/** What a node keeps of one replica, linked or not: how far it is, when it was heard, whether it lags. Rows stay when links go.
 *
 *    lag = now − when the first seq that it has not applied became durable here; when its last word is older than two heartbeats, at
 *    least as old as that. Unknown is null, never 0. Only this node's monotonic clock counts.
 *  Sources: PostgreSQL's (LSN, time) samples on the sender; docs/REPLICATION.md §9. */

import type { Position } from '../model/position.js';
import type { ReplicaInfo, ReplicaStatus, SnapshotProgress } from '../model/replication.js';
import type { CommitTimes } from './commit-times.js';
import type { LinkCounts } from './link-socket.js';

export interface RecordRules {
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  readonly lagMs: number;
}

/** What a status is read with. */
export interface Moment {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly tailSeq: number;
  readonly times: CommitTimes;
  /** How long before now the first entry behind this seq was written by this machine's clock, for what is older than this process. */
  ageOfFirstAfter(seq: number): number | null;
  position(seq: number): Position;
}

/** Lagging begins after so many heartbeats in a row above the limit. */
const LAGGING_BEATS = 3;
/** How long a replica that is no voter yet may be without a link and still be waited for: as a large snapshot takes to be installed. */
const JOINING_MS_MAX = 600_000;

export class ReplicaRecord {
  readonly nodeId: string;
  readonly counts: LinkCounts = { bytesSent: 0, bytesReceived: 0 };
  host: string;
  port: number;
  voter: boolean;
  /** Of the process that linked last; null: none did. */
  runId: string | null = null;
  linked = false;
  /** Its node is to be a voter, by its last greeting. */
  wantsVote = false;
  phase: 'opening' | 'snapshot' | 'catchup' | 'streaming' | 'closed' = 'closed';
  durableSeq: number | null = null;
  appliedSeq: number | null = null;
  heardMs: number | null = null;
  heardWallMs: number | null = null;
  connectedWallMs: number | null = null;
  protocolVersion: number | null = null;
  diverged = false;
  /** The heartbeat that it answered when its digest was compared last. */
  comparedBeat = -1;
  snapshot: SnapshotProgress | null = null;
  #beatsBehind = 0;
  #lagging = false;

  constructor(nodeId: string, host: string, port: number, voter: boolean) {
    this.nodeId = nodeId;
    this.host = host;
    this.port = port;
    this.voter = voter;
  }

  heard(nowMs: number, wallMs: number): void {
    this.heardMs = nowMs;
    this.heardWallMs = wallMs;
  }

  /** How far it is must be learned anew. */
  forgetPosition(): void {
    this.durableSeq = null;
    this.appliedSeq = null;
  }

  /** On its way to be a voter: linked, or heard not long ago. The link of one that has its snapshot is away until that is installed. */
  isJoining(nowMs: number): boolean {
    if (this.voter || !this.wantsVote || this.heardMs === null) return false;
    return this.linked || nowMs - this.heardMs <= JOINING_MS_MAX;
  }

  lagMs(moment: Moment, rules: RecordRules): number | null {
    if (this.appliedSeq === null || this.heardMs === null) return null;
    const silentMs = moment.nowMs - this.heardMs;
    const stale = !this.linked || silentMs > 2 * rules.heartbeatMs;
    const behind = this.appliedSeq < moment.tailSeq;
    const since = behind ? moment.times.firstAfter(this.appliedSeq) : null;
    const known = since === null ? null : moment.nowMs - since;
    const lag = behind ? (known ?? moment.ageOfFirstAfter(this.appliedSeq)) : 0;
    if (lag === null) return null;
    return Math.round(stale ? Math.max(lag, silentMs) : lag);
  }

  lagOperations(tailSeq: number): number | null {
    return this.appliedSeq === null ? null : Math.max(0, tailSeq - this.appliedSeq);
  }

  /** Once a heartbeat: is it behind for long enough to say so, or well enough again? */
  judge(moment: Moment, rules: RecordRules): void {
    const lag = this.lagMs(moment, rules);
    if (lag === null) return;
    this.#beatsBehind = lag > rules.lagMs ? this.#beatsBehind + 1 : 0;
    if (this.#beatsBehind >= LAGGING_BEATS) this.#lagging = true;
    else if (lag < rules.lagMs / 2) this.#lagging = false;
  }

  status(nowMs: number, rules: RecordRules): ReplicaStatus {
    if (!this.linked || this.heardMs === null || nowMs - this.heardMs > rules.timeoutMs) return 'Disconnected';
    if (this.phase !== 'streaming') return 'Syncing';
    return this.#lagging ? 'Lagging' : 'Connected';
  }

  info(moment: Moment, rules: RecordRules): ReplicaInfo {
    const { appliedSeq } = this;
    return {
      id: this.nodeId,
      host: this.host,
      port: this.port,
      status: this.status(moment.nowMs, rules),
      voter: this.voter,
      lagMs: this.lagMs(moment, rules),
      lagOperations: this.lagOperations(moment.tailSeq),
      lagBytes: appliedSeq === null ? null : moment.times.bytesAfter(appliedSeq),
      lastHeartbeatMs: this.heardWallMs,
      operationsSynced: appliedSeq,
      bytesSent: this.counts.bytesSent,
      position: appliedSeq === null ? null : moment.position(appliedSeq),
      protocolVersion: this.protocolVersion,
      connectedAtMs: this.linked ? this.connectedWallMs : null,
      snapshot: this.snapshot,
      diverged: this.diverged,
    };
  }
}

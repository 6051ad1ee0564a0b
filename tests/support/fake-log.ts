/** A log to be followed that lives in memory: positions, voters and entries as a test sets them. Must not know: what follows it. */

import { encodeEntry } from '../../src/codec/entry.js';
import type { ReplicatedLog } from '../../src/engine/engine.js';
import type { Voter } from '../../src/model/replication.js';

const HASH_BYTES = 32;
const DIGEST_BYTES = 16;

export const CLUSTER = 'c'.repeat(32);
export const NODE = 'a'.repeat(32);
export const HISTORY = '1'.repeat(32);

export const hashAt = (seq: number): Buffer => Buffer.alloc(HASH_BYTES, seq);
export const digestAt = (seq: number): Buffer => Buffer.alloc(DIGEST_BYTES, seq);

/** Every entry is a unit of its own; its digest and its chain hash follow from its seq. */
export class FakeLog {
  seq = 20;
  epoch = 3;
  logMinSeq = 1;
  logBytes = 1_000;
  timeMs = 0;
  voters: Voter[] = [];
  /** From this seq on back rows cannot be read. */
  damagedSeq = 0;
  reads = 0;
  removed: string[] = [];
  /** Null: one history from the beginning. */
  lineage: readonly { readonly epoch: number; readonly historyId: string; readonly startSeq: number }[] | null = null;

  get log(): ReplicatedLog {
    const fake = {
      state: () => ({
        clusterId: CLUSTER,
        nodeId: NODE,
        historyId: HISTORY,
        epoch: this.epoch,
        seq: this.seq,
        chainHash: hashAt(this.seq),
        digest: digestAt(this.seq),
        logMinSeq: this.logMinSeq,
        logBytes: this.logBytes,
      }),
      lineage: () =>
        (this.lineage ?? [{ epoch: this.epoch, historyId: HISTORY, startSeq: 0 }]).map((row) => ({
          ...row,
          startHash: hashAt(row.startSeq),
        })),
      voters: () => this.voters,
      read: (fromSeq: number) => {
        this.reads += 1;
        this.#check(fromSeq);
        return [{ seq: fromSeq, entry: this.#entry(fromSeq), chainHash: hashAt(fromSeq) }];
      },
      chainHashAt: (seq: number) => {
        this.#check(seq);
        return hashAt(seq);
      },
      bytesAfter: async () => this.logBytes,
      onCommit: () => () => {},
      onTraced: () => () => {},
      keepFrom: () => {},
      registerVoters: async (voters: readonly Voter[]) => {
        const ids = voters.map(({ nodeId }) => nodeId);
        this.voters = [...this.voters.filter(({ nodeId }) => !ids.includes(nodeId)), ...voters];
      },
      removeVoter: async (nodeId: string) => {
        this.removed.push(nodeId);
        return null;
      },
    };
    return fake as unknown as ReplicatedLog;
  }

  #check(seq: number): void {
    if (seq <= this.damagedSeq) throw new Error(`row ${seq} is damaged`);
  }

  #entry(seq: number): Buffer {
    const head = { seq, epoch: this.epoch, firstSeq: seq, last: true, timeMs: this.timeMs, trace: null };
    return encodeEntry({ ...head, digest: digestAt(seq), effect: { kind: 'noop' } });
  }
}

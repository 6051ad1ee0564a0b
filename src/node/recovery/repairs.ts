/** Goes the ways by which damage is repaired: asks who may have what stood there, and hands it to the store, which proves it.
 *
 *  Another node is believed in nothing: an answer that does not come in time is a failed try. Must not know: which way is next, counts. */

import type { RunningEngine, StoreCare } from '../../engine/engine.js';
import type { Damage } from '../../model/damage.js';
import { messageOf, SkeinError } from '../../model/errors.js';
import type { PointVersion } from '../../model/point.js';
import type { Outcome, Way } from '../../model/recovery.js';
import type { Ask } from '../../replication/comparison-asks.js';
import { askForEntry, askForPoint } from '../../replication/repair-asks.js';

/** The nodes that are linked now. */
export interface RepairPeers {
  /** Null: no master is followed, or it has not proven itself. */
  askMaster(): Ask | null;
  /** Of each replica that is linked. */
  askReplicas(): readonly Ask[];
  /** Has a replica take all data again. @throws NoMaster */
  takeSnapshot(): void;
  /** Rows of the log that could not be sent can be sent again. */
  logMended(): void;
}

/** What backups have. */
export interface PastRows {
  /** A point in the form of compare.ts; null: not in this version. */
  point(point: PointVersion): Promise<Uint8Array | null>;
  /** Null: not all of them. @throws RangeError beyond so many bytes */
  entries(fromSeq: number, count: number, bytesMax: number): Promise<readonly Uint8Array[] | null>;
}

export interface RepairsParts {
  /** @throws Error while no store is open */
  engine(): Pick<RunningEngine, 'care'>;
  readonly peers: RepairPeers;
  /** Null: there is no place where backups are kept. */
  past(): PastRows | null;
  /** Resolves after so long, or when the signal ends it. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Aborted when the node stops. */
  readonly stopping: AbortSignal;
}

export interface RepairResult {
  readonly outcome: Outcome;
  readonly error: string | null;
  /** Another try would come to the same. */
  readonly isFinal: boolean;
}

type FetchPoint = (point: PointVersion) => Promise<Uint8Array | null>;

/** One answer of another node is waited for no longer. */
const ANSWER_MS = 15_000;
const ENTRIES_MAX = 256;
const ENTRY_BYTES_MAX = 32 * 1024 * 1024;
const REPAIRED: RepairResult = { outcome: 'repaired', error: null, isFinal: true };

export class Repairs {
  readonly #parts: RepairsParts;

  constructor(parts: RepairsParts) {
    this.#parts = parts;
  }

  /** Never throws: what goes wrong is a failed try. */
  async go(way: Way, damage: Damage): Promise<RepairResult> {
    try {
      return await this.#go(way, damage);
    } catch (error) {
      return failure(error);
    }
  }

  async #go(way: Way, damage: Damage): Promise<RepairResult> {
    const { peers } = this.#parts;
    switch (way) {
      case 'log':
        return this.#fromLog(damage);
      case 'master': {
        const ask = peers.askMaster();
        return this.#fromPeers(ask === null ? [] : [ask], damage);
      }
      case 'replica':
        return this.#fromPeers(peers.askReplicas(), damage);
      case 'backup':
        return this.#fromBackups(damage);
      case 'recount':
        await this.#care.recount(damage.collectionUid ?? 0);
        return REPAIRED;
      case 'snapshot':
        peers.takeSnapshot();
        return { outcome: 'begun', error: 'a copy of all data was asked for', isFinal: false };
    }
  }

  get #care(): StoreCare {
    return this.#parts.engine().care;
  }

  /** What the log does not have now it will not have later. */
  async #fromLog(damage: Damage): Promise<RepairResult> {
    const result = await this.#point((point) => this.#care.logged(point), damage);
    return { ...result, isFinal: true };
  }

  /** Its answers take as long as a restore does, and an end of the node ends that. */
  async #fromBackups(damage: Damage): Promise<RepairResult> {
    const past = this.#parts.past();
    if (past === null) return { outcome: 'failed', error: 'there is no place for backups', isFinal: false };
    if (damage.kind !== 'log') return this.#point((point) => past.point(point), damage);
    const [first, count] = stretchOf(damage);
    if (count > ENTRIES_MAX) return tooMany();
    const entries = await past.entries(first, count, ENTRY_BYTES_MAX);
    if (entries === null) return { outcome: 'absent', error: 'the backups do not have these entries', isFinal: false };
    return this.#mendLog(first, entries);
  }

  /** The first that has it helps; else the last one's words are told, and it is final when all were. */
  async #fromPeers(asks: readonly Ask[], damage: Damage): Promise<RepairResult> {
    let last: RepairResult = { outcome: 'failed', error: 'no other node is linked', isFinal: false };
    let isFinal = asks.length > 0;
    for (const ask of asks) {
      if (this.#parts.stopping.aborted) break;
      last = await this.#fromPeer((method, values) => this.#inTime(ask(method, values)), damage).catch(failure);
      if (last.outcome === 'repaired') return last;
      isFinal &&= last.isFinal;
    }
    return { ...last, isFinal };
  }

  #fromPeer(ask: Ask, damage: Damage): Promise<RepairResult> {
    return damage.kind === 'log' ? this.#entries(ask, damage) : this.#point((point) => askForPoint(ask, point), damage);
  }

  async #inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const { sleep, stopping } = this.#parts;
    const answered = new AbortController();
    const tooLate = sleep(ANSWER_MS, AbortSignal.any([stopping, answered.signal])).then((): never => {
      throw new Error(`no answer came within ${ANSWER_MS} ms`);
    });
    try {
      return await Promise.race([answer, tooLate]);
    } finally {
      answered.abort();
    }
  }

  async #point(fetch: FetchPoint, { collectionUid: uid, label, id, version }: Damage): Promise<RepairResult> {
    if (uid === null || label === null || id === null || version === null)
      return { outcome: 'unproven', error: 'the row does not say any more which point it was', isFinal: true };
    const value = await fetch({ uid, id, version });
    if (value === null) return { outcome: 'absent', error: 'the point as it was is not there', isFinal: false };
    await this.#care.mend({ kind: 'point', uid, label, value });
    return REPAIRED;
  }

  async #entries(ask: Ask, damage: Damage): Promise<RepairResult> {
    const [first, count] = stretchOf(damage);
    if (count > ENTRIES_MAX) return tooMany();
    const entries: Uint8Array[] = [];
    let bytes = 0;
    for (let at = first; entries.length < count; at++) {
      const entry = await askForEntry(ask, at);
      if (entry === null) return { outcome: 'absent', error: `the other side does not have entry ${at}`, isFinal: false };
      bytes += entry.length;
      if (bytes > ENTRY_BYTES_MAX)
        return { outcome: 'failed', error: `the entries have more than ${ENTRY_BYTES_MAX} bytes`, isFinal: true };
      entries.push(entry);
    }
    return this.#mendLog(first, entries);
  }

  async #mendLog(fromSeq: number, entries: readonly Uint8Array[]): Promise<RepairResult> {
    await this.#care.mend({ kind: 'log', fromSeq, entries });
    this.#parts.peers.logMended();
    return REPAIRED;
  }
}

/** Of entries: the first, and how many. */
function stretchOf({ seq, lastSeq }: Damage): [number, number] {
  const first = seq ?? 0;
  return [first, (lastSeq ?? first) - first + 1];
}

function tooMany(): RepairResult {
  return { outcome: 'failed', error: `more than ${ENTRIES_MAX} entries in a row`, isFinal: true };
}

function failure(error: unknown): RepairResult {
  const isUnproven = error instanceof SkeinError && error.type === 'NotRepairable';
  return { outcome: isUnproven ? 'unproven' : 'failed', error: messageOf(error), isFinal: isUnproven };
}

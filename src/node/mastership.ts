/** The role of this node in its three places: in memory, in the NODE file, and in the write thread; and the beginning of an epoch.
 *
 *  Invariants: NODE is written before a role takes effect; the epoch of a new mastership is in NODE before its first entry is logged.
 *  Must not know: links, clients, why a role changes. */

import { randomBytes } from 'node:crypto';
import type { ReplicatedLog } from '../engine/engine.js';
import { failpoint } from '../model/failpoint.js';
import type { Role } from '../model/replication.js';
import { type NodeState, writeNodeState } from './node-state.js';

export class Mastership {
  readonly #dataDir: string;
  readonly #log: () => ReplicatedLog;
  #state: NodeState;
  /** What the file says. */
  #noted: NodeState;
  /** What the write thread takes: requests of clients, or batches of a master. */
  #taking: Role;
  #ownFromEpoch: number;

  /** @param log of the engine that is open; it was opened in the role of `state` */
  constructor(dataDir: string, state: NodeState, log: () => ReplicatedLog) {
    this.#dataDir = dataDir;
    this.#state = state;
    this.#noted = state;
    this.#taking = state.role;
    this.#ownFromEpoch = state.highestEpoch;
    this.#log = log;
  }

  get role(): Role {
    return this.#state.role;
  }

  get isMaster(): boolean {
    return this.#state.role === 'master';
  }

  /** Whom this node follows, or followed last. */
  get masterUrl(): string | null {
    return this.#state.masterUrl;
  }

  /** The highest epoch that this node has ever seen. */
  get highestEpoch(): number {
    return this.#state.highestEpoch;
  }

  /** A master whose epoch is noted and has not begun: it takes no writes, and nobody else may take it for one. */
  get isIncomplete(): boolean {
    return this.isMaster && this.#log().state().epoch < this.#state.highestEpoch;
  }

  /** At once, before anything is awaited: nothing is acknowledged from here on, and no epoch that was seen is begun here. What is durable of
   *  it comes later. @param seenEpoch of another's mastership */
  stepDown(seenEpoch = 0): void {
    this.#state = { ...this.#state, role: 'replica', highestEpoch: Math.max(seenEpoch, this.#state.highestEpoch) };
  }

  /** A step down that was not noted is taken back, unless a newer epoch was seen. @returns whether this node is master again */
  stepBack(): boolean {
    if (this.#noted.role === 'master' && this.#noted.highestEpoch === this.#state.highestEpoch) this.#state = this.#noted;
    return this.isMaster;
  }

  /** Durable on return. @throws Error of the file system: then this node stays no master */
  noteReplica(masterUrl: string | null, highestEpoch: number): void {
    this.stepDown();
    this.#note({ role: 'replica', masterUrl, highestEpoch: Math.max(highestEpoch, this.#state.highestEpoch) });
  }

  noteEpoch(highestEpoch: number): void {
    this.#note({ ...this.#state, highestEpoch });
  }

  #note(state: NodeState): void {
    failpoint('role.before_note');
    writeNodeState(this.#dataDir, state);
    this.#state = state;
    this.#noted = state;
    failpoint('role.after_note');
  }

  /** The write thread takes no more requests of clients; resolves when those that were queued before are done. */
  async pauseWrites(): Promise<void> {
    await this.#take('replica', 0);
  }

  /** A change of role came to nothing: the mastership goes on in its epoch. */
  async resumeWrites(): Promise<void> {
    await this.#take('master', this.#log().state().epoch);
  }

  async #take(role: Role, ownFromEpoch: number): Promise<void> {
    if (this.#taking === role && (role === 'replica' || this.#ownFromEpoch === ownFromEpoch)) return;
    await this.#log().setRole(role, ownFromEpoch);
    this.#taking = role;
    this.#ownFromEpoch = ownFromEpoch;
  }

  /** Of a history that this node may begin: nobody has begun it, as far as is known here. */
  nextEpoch(): number {
    return Math.max(this.#state.highestEpoch, this.#log().state().epoch) + 1;
  }

  /** This master is about to serve data that begins in this epoch; durable on return. @throws Error of the file system */
  noteEpochOfOwn(epoch: number): void {
    this.#note({ ...this.#state, highestEpoch: epoch });
  }

  /** Other data was opened in the role of a master, in an epoch that it has begun. */
  opened(epoch: number): void {
    this.#taking = 'master';
    this.#ownFromEpoch = epoch;
  }

  /** A new mastership of this node: durable as an intention first, then as the first entry of its history. @returns its epoch */
  async begin(): Promise<number> {
    // One that was noted and could not begin is this node's own.
    const epoch = this.isIncomplete ? this.#state.highestEpoch : this.nextEpoch();
    this.#note({ role: 'master', masterUrl: this.#state.masterUrl, highestEpoch: epoch });
    await this.#take('master', epoch);
    await this.#beginHistory(epoch);
    return epoch;
  }

  /** After a start: a mastership whose beginning was cut short begins now. */
  async complete(): Promise<void> {
    if (this.isIncomplete) await this.#beginHistory(this.#state.highestEpoch);
  }

  async #beginHistory(epoch: number): Promise<void> {
    const log = this.#log();
    failpoint('promote.before_history');
    await log.beginHistory({ historyId: randomBytes(16).toString('hex'), epoch, nodeId: log.state().nodeId });
    failpoint('promote.after_history');
  }
}

/** The gate of client writes: who may write now, how many nodes must hold a write, and whether it may be acknowledged.
 *
 *  Closed for a while during a handover, and while two lines of data claim the same epoch. Must not know: links, roles' files. */

import type { WriteConcernService } from '../http/http.js';
import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import { majorityOf } from '../model/replication.js';
import type { ReplicaRegistry } from '../replication/replica-registry.js';

export interface GateRules {
  readonly defaultW: number | 'auto' | 'majority';
  readonly minReplicas: number;
  readonly minReplicasMaxLagMs: number;
}

export interface GateParts {
  readonly rules: GateRules;
  readonly clock: Clock;
  readonly registry: ReplicaRegistry;
  isMaster(): boolean;
  /** Registered voters, at least this node. */
  voters(): number;
}

const POLL_MS = 5;

export class WriteGate implements WriteConcernService {
  readonly #parts: GateParts;
  #pausedUntilMs = 0;
  #conflict: number | null = null;
  #closed: string | null = null;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** The epoch that two lines of data claim, or null. */
  get conflict(): number | null {
    return this.#conflict;
  }

  refuse(epoch: number): void {
    this.#conflict = epoch;
    this.#parts.registry.concern.end();
  }

  /** Writes are refused until `reopen`. @param reason for the details of the refusal */
  close(reason: string): void {
    this.#closed = reason;
  }

  reopen(): void {
    this.#closed = null;
  }

  /** Writes wait, at most so long. */
  pause(ms: number): void {
    this.#pausedUntilMs = this.#parts.clock.monotonicMs() + ms;
  }

  /** Writes wait until `known` has settled, at most so long. */
  pauseFor(known: Promise<unknown>, ms: number): void {
    this.pause(ms);
    const resume = (): void => this.resume();
    known.then(resume, resume);
  }

  /** Writes wait no longer; what else keeps them out stays. */
  resume(): void {
    this.#pausedUntilMs = 0;
  }

  /** Writes go on: to this node, or to where they are sent now. */
  open(): void {
    this.#pausedUntilMs = 0;
    this.#conflict = null;
  }

  async admit(): Promise<void> {
    while (this.#pausedUntilMs > this.#parts.clock.monotonicMs()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (this.#closed !== null)
      throw new SkeinError('ReadOnly', 'The data is being replaced; reads go on, and writes soon', { reason: this.#closed });
    if (this.#conflict !== null)
      throw new SkeinError(
        'NoMaster',
        `Two masters claim epoch ${this.#conflict}; nothing is written until one is promoted with force`,
      );
    const { minReplicas, minReplicasMaxLagMs } = this.#parts.rules;
    if (minReplicas === 0) return;
    const healthy = this.#parts.registry.healthyVoters(minReplicasMaxLagMs);
    if (healthy >= minReplicas) return;
    throw new SkeinError(
      'Overloaded',
      `${healthy} of the ${minReplicas} replicas that writes ask for are linked and close enough`,
      {
        reason: 'min_replicas',
        required: minReplicas,
        healthy,
      },
    );
  }

  mayAcknowledge(): boolean {
    return this.#parts.isMaster() && this.#conflict === null;
  }

  voters(): number {
    return this.#parts.voters();
  }

  joining(): number {
    return this.#parts.registry.joining();
  }

  defaultRequired(): number {
    const { defaultW } = this.#parts.rules;
    if (typeof defaultW === 'number') return defaultW;
    const voters = this.voters();
    return defaultW === 'majority' || voters >= 3 ? majorityOf(voters) : 1;
  }

  wait(seq: number, required: number, waitMs: number): Promise<number> {
    return this.#parts.registry.concern.wait(seq, required, waitMs);
  }
}

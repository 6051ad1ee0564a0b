/** The care of a node for its store, put together: the scrubber, the manager, what they show. Begins when the roles have begun.
 *  Must not know: HTTP, how metrics are printed. */

import { setTimeout as sleepFor } from 'node:timers/promises';
import type { RunningEngine } from '../../engine/engine.js';
import type { Clock } from '../../model/clock.js';
import type { Log } from '../../model/log.js';
import type { RecoveryStatus } from '../../model/recovery.js';
import type { Role } from '../../model/replication.js';
import { QuarantineList } from './quarantine-list.js';
import { RecoveryManager } from './recovery-manager.js';
import { type PastRows, type RepairPeers, Repairs } from './repairs.js';
import { Scrubber, type ScrubSettings } from './scrubber.js';
import type { Surroundings } from './ways.js';

export interface RecoveryParts {
  readonly dataDir: string;
  readonly settings: ScrubSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** Null while no store is open. */
  engine(): RunningEngine | null;
  role(): Role;
  /** Null while there are no roles. */
  peers(): RepairPeers | null;
  /** Null: no backups are kept. */
  past(): PastRows | null;
}

const TICK_MS = 1_000;
/** What an operator removes from quarantine/ is seen after so long. */
const LOOK_MS = 60_000;
/** A replica takes a copy of all data for the sake of damage at most so often, */
const COPY_PAUSE_MS = 3_600_000;
/** and so many a day: more is a sign that the disk is at fault. */
const COPIES_MAX = 3;
const DAY_MS = 86_400_000;

export class Recovery {
  readonly #parts: RecoveryParts;
  readonly #scrubber: Scrubber;
  readonly #manager: RecoveryManager;
  readonly #quarantine: QuarantineList;
  readonly #stopping = new AbortController();
  #timers: NodeJS.Timeout[] = [];
  /** When copies were asked for, newest last. */
  #copiesAtMs: readonly number[] = [];

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
    this.#quarantine = new QuarantineList(parts.dataDir);
    const { settings, clock, log } = parts;
    const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
      sleepFor(ms, undefined, { signal, ref: false }).catch(() => undefined);
    const stopping = this.#stopping.signal;
    this.#manager = new RecoveryManager({
      ...{ clock, log, stopping },
      engine: () => parts.engine(),
      around: () => this.#around(),
      repairs: new Repairs({ engine: () => this.#openEngine(), peers: this.#peers, past: () => parts.past(), sleep, stopping }),
      quarantine: this.#quarantine,
      wantPass: () => this.#scrubber.request(),
    });
    this.#scrubber = new Scrubber({
      ...{ settings, clock, log, sleep },
      engine: () => parts.engine(),
      found: (damage) => this.#manager.found(damage),
      passed: (startedAtMs) => this.#manager.passed(startedAtMs),
    });
  }

  #openEngine(): RunningEngine {
    const open = this.#parts.engine();
    if (open === null) throw new Error('no store is open');
    return open;
  }

  readonly #peers: RepairPeers = {
    askMaster: () => this.#parts.peers()?.askMaster() ?? null,
    askReplicas: () => this.#parts.peers()?.askReplicas() ?? [],
    takeSnapshot: () => {
      this.#parts.peers()?.takeSnapshot();
      this.#copiesAtMs = [...this.#copiesAtMs, this.#parts.clock.monotonicMs()].slice(-COPIES_MAX);
    },
    logMended: () => this.#parts.peers()?.logMended(),
  };

  #around(): Surroundings {
    const nowMs = this.#parts.clock.monotonicMs();
    const copyBegun = nowMs - (this.#copiesAtMs.at(-1) ?? Number.NEGATIVE_INFINITY) < COPY_PAUSE_MS;
    const copies = this.#copiesAtMs.filter((atMs) => nowMs - atMs < DAY_MS).length;
    return {
      role: this.#parts.role(),
      linked: this.#peers.askMaster() !== null,
      replicas: this.#peers.askReplicas().length,
      backups: this.#parts.past() !== null,
      mayTakeSnapshot: !copyBegun && copies < COPIES_MAX,
      copyBegun,
    };
  }

  /** @param atOnce not every row was read by the start, or some were found damaged */
  start(atOnce: boolean): void {
    this.#look();
    this.#manager.tick();
    this.#scrubber.start(atOnce);
    this.#timers = [setInterval(() => this.#manager.tick(), TICK_MS), setInterval(() => this.#look(), LOOK_MS)];
  }

  #look(): void {
    this.#quarantine.look().catch((error: unknown) => this.#parts.log.warn('quarantine_not_read', { error }));
  }

  status(): RecoveryStatus {
    return { scrub: this.#scrubber.status(), ...this.#manager.status(), quarantineBytes: this.#quarantine.bytes };
  }

  /** Why the node is degraded, as far as its store goes, or null. */
  get concern(): string | null {
    const { bytes, stores } = this.#quarantine;
    const what = `quarantine/ holds ${stores} damaged stores (${bytes} bytes in all): look at them, then remove them`;
    const kept = stores === 0 ? null : what;
    const found = [this.#scrubber.concern, this.#manager.concern, kept].filter((concern) => concern !== null);
    return found.length === 0 ? null : found.join('; ');
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#stopping.abort();
    await this.#scrubber.stop();
    await this.#manager.stop();
  }
}

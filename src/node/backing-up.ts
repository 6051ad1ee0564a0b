/** Backups of a node, put together: the place where they are kept, when they are made, and the way of a restore into the running data.
 *
 *  Without a place there are none, and every question but the status says so. A place that cannot be reached at the start is tried again with
 *  each call: a node serves without its backups. What is asked by hand reaches for a place that is left alone for a while. Must not know: how backups are made, HTTP. */

import { Backups } from '../backup/backups.js';
import { type GuardedTarget, guardTarget } from '../backup/guarded-target.js';
import { mustBeMaker } from '../backup/removing.js';
import type { BackupPlace } from '../config/backup-settings.js';
import type { Config } from '../config/config.js';
import type { RunningEngine } from '../engine/engine.js';
import type { BackupService } from '../http/http.js';
import type { Clock } from '../model/clock.js';
import { messageOf, SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';
import type { Dependencies } from '../resilience/dependencies.js';
import { placeOfBackups, warnOfOneDisk } from './backup-place.js';
import type { Roles } from './roles.js';

export interface BackingUpParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly dependencies: Dependencies;
  /** Null until it is open. */
  engine(): RunningEngine | null;
  /** Null until there are any. */
  roles(): Roles | null;
  /** @throws Starting, ShuttingDown */
  opened(): Roles;
}

/** The place, and what is done with it. */
interface Made {
  readonly target: GuardedTarget;
  readonly backups: Backups;
}

export class BackingUp implements BackupService {
  readonly #parts: BackingUpParts;
  readonly #made: Made | null;
  readonly #stopping = new AbortController();
  #isOnDiskOfData = false;

  constructor(parts: BackingUpParts) {
    this.#parts = parts;
    const { place } = parts.config.backup;
    this.#made = place === null ? null : this.#make(place);
  }

  #make(place: BackupPlace): Made {
    const { config, clock, log, dependencies, engine, roles } = this.#parts;
    const { backup, dataDir, limits, writerCacheBytes } = config;
    const plain = placeOfBackups(place, backup.stallMs, clock, () => engine()?.log.state().nodeId ?? null);
    const target = guardTarget(plain, { dependencies, signal: this.#stopping.signal });
    const backups = new Backups({
      target,
      ...{ schedule: backup.schedule, retention: backup.retention, drillIntervalMs: backup.drillIntervalMs },
      ...{ dataDir, limits, clock, log, cacheBytes: writerCacheBytes },
      feed: () => (roles()?.isBlank === false ? (engine()?.log ?? null) : null),
      isActive: () => backup.fromReplica || roles()?.role() === 'master',
      buildSnapshot: (signal) => this.#parts.opened().buildSnapshot(signal),
    });
    return { target, backups };
  }

  start(): void {
    const { config, log } = this.#parts;
    void warnOfOneDisk(config.dataDir, config.backup.place, log).then((isSo) => (this.#isOnDiskOfData = isSo));
    this.#made?.backups.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SkeinError('ShuttingDown', 'The server is stopping'));
    await this.#made?.backups.stop();
  }

  /** What a damaged store may take from the backups; null: there is no place for them. */
  get past(): Backups['past'] | null {
    return this.#made?.backups.past ?? null;
  }

  /** Why the node is degraded, as far as its backups go. */
  concerns(): string[] {
    const status = this.status();
    if (status === null) return [];
    const found: string[] = [];
    if (status.failuresInRow > 0) found.push(`backups fail: ${status.lastFailure?.message ?? 'no reason was given'}`);
    if ((status.stored?.damaged ?? 0) > 0) found.push(`${status.stored?.damaged} backups are damaged`);
    if (status.drill?.ok === false) {
      const { backups, problem } = status.drill;
      found.push(`a restore of ${backups.at(-1) ?? 'the newest state'} failed when it was tried: ${problem}`);
    }
    return found;
  }

  /** What nothing suffers from yet. */
  notes(): string[] {
    return this.#isOnDiskOfData ? ['the backups lie on the disk of the data'] : [];
  }

  // What the routes ask.

  status: BackupService['status'] = () => this.#made?.backups.status() ?? null;
  create: BackupService['create'] = async (kind) => (await this.#reached()).create(kind);
  forecast: BackupService['forecast'] = async (wish) => (await this.#reached()).forecast(wish);
  drill: BackupService['drill'] = async (wish) => (await this.#reached()).drill(wish);

  // Asked here so that nobody waits for that answer, and again when its turn has come.
  remove: BackupService['remove'] = async (id, withIncrements) => {
    mustBeMaker(this.#on().backups.status().active);
    return (await this.#reached()).remove(id, withIncrements);
  };

  list: BackupService['list'] = async () => {
    const { backups } = this.#on();
    try {
      return await (await this.#reached()).list();
    } catch (error) {
      if (isOutOfReach(error)) return backups.known(messageOf(error));
      throw error;
    }
  };

  restore: BackupService['restore'] = async (wish) => {
    this.#on();
    const roles = this.#parts.opened();
    if (roles.role() !== 'master')
      throw new SkeinError('NotMaster', 'Only the master restores; its replicas take the data from it');
    const backups = await this.#reached();
    const forecast = await backups.forecast(wish);
    const receipt = await backups.restore(wish, async (made) => {
      const done = await roles.restore(made, () => backups.archiveRest());
      // From here on the newest that is in the archive is what runs, not what was left. A failure is counted, and the next try due at once.
      await backups.archiveRest().catch((error: unknown) => this.#parts.log.warn('restored_data_not_archived', { error }));
      return done;
    });
    return { ...receipt, forecast };
  };

  async #reached(): Promise<Backups> {
    const { target, backups } = this.#on();
    await target.reach();
    return backups;
  }

  #on(): Made {
    this.#parts.opened();
    if (this.#made !== null) return this.#made;
    throw new SkeinError('BackupsOff', 'This node has no place for backups: set backup_folder, or backup_s3_bucket');
  }
}

function isOutOfReach(error: unknown): boolean {
  return error instanceof SkeinError && (error.type === 'BackupTargetFailed' || error.type === 'CircuitOpen');
}

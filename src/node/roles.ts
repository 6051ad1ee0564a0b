/** The roles of a node: who it follows, who follows it, put together from their parts. What the routes of replication ask for.
 *
 *  How a role changes is in role-changes. Must not know: HTTP, frames, how entries are applied. */

import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ReplicatedLog } from '../engine/engine.js';
import { type BuiltSnapshot, buildSnapshot, type IncomingSnapshot, type SnapshotHead } from '../engine/snapshot.js';
import type { ReplicationService } from '../http/http.js';
import type { RestoreReceipt } from '../model/backup.js';
import { invalidRequest, SkeinError } from '../model/errors.js';
import { logOperation } from '../model/log-operation.js';
import { NO_EPOCH } from '../model/position.js';
import type { PromoteAnswer, ReplicaInfo, ReplicationStats, Role, SnapshotProgress, VerifyAnswer } from '../model/replication.js';
import { LinkDoor } from '../replication/link-door.js';
import { answerRepairAsk, isRepairAsk } from '../replication/repair-asks.js';
import { ReplicationSource } from '../replication/source.js';
import type { LinkValues } from '../wire/frames.js';
import { Announcer } from './announcer.js';
import { Following } from './following.js';
import { handOverBeforeStop, TAKE_OVER } from './leaving.js';
import { httpUrlOf, streamUrlOf } from './master-url.js';
import { Mastership } from './mastership.js';
import type { RepairPeers } from './recovery/repairs.js';
import { type RestoredStore, restoreInPlace } from './restore-in-place.js';
import { RoleChanges } from './role-changes.js';
import type { RoleParts } from './role-parts.js';
import { masterStats, replicaStats, roleConcerns } from './role-stats.js';
import { Verifying } from './verifying.js';
import { version } from './version.js';
import { WriteGate } from './write-gate.js';

const [AFTER_FAILED_INSTALL_MS, SAVE_INDEXES_MS, ASK_MS_MAX] = [2_000, 10_000, 5_000];

export class Roles implements ReplicationService {
  readonly writeConcern: WriteGate;
  readonly #parts: RoleParts;
  readonly #source: ReplicationSource;
  readonly #door: LinkDoor;
  readonly #mastership: Mastership;
  readonly #announcer: Announcer;
  readonly #verifying: Verifying;
  readonly #runId = randomBytes(16).toString('hex');
  readonly #following: Following;
  readonly #changes: RoleChanges;
  #building: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(parts: RoleParts) {
    this.#parts = parts;
    this.#mastership = new Mastership(parts.settings.dataDir, parts.state, () => parts.engine().log);
    const { settings, clock, log } = parts;
    const node = {
      keys: settings.keys,
      runId: this.#runId,
      software: version,
      address: () => parts.address(),
      masterUrl: () => this.masterUrl(),
      onNewerEpoch: (epoch: number, masterUrl: string | null) => this.#changes.newerEpoch(epoch, masterUrl),
      onConflict: (epoch: number, nodeId: string) => this.#changes.conflicting(epoch, nodeId),
    };
    this.#door = new LinkDoor(clock);
    this.#source = new ReplicationSource({
      ...node,
      door: this.#door,
      rules: settings.rules,
      clock,
      log,
      role: () => (this.#mastership.isIncomplete ? 'replica' : this.#mastership.role),
      pathUp: () => this.#following.follower?.path ?? [],
      lagMs: () => this.stalenessMs(),
      snapshotBytes: () => parts.engine().status().storage.databaseBytes,
      buildSnapshot: (signal) => this.buildSnapshot(signal),
      onLostTail: (seq) => this.#changes.lostTail(seq),
      onRequest: (nodeId, method, parameters) => this.#requested(nodeId, method, parameters),
    });
    this.writeConcern = new WriteGate({
      rules: settings.writes,
      clock,
      registry: this.#source.registry,
      isMaster: () => this.#mastership.isMaster,
      voters: () => Math.max(1, parts.engine().log.voters().length),
    });
    this.#following = new Following({
      ...node,
      ...{ clock, log, tracer: parts.tracer, dataDir: settings.dataDir, voter: settings.voter, tls: settings.tls },
      timeoutMs: settings.rules.timeoutMs,
      heartbeatMs: settings.rules.heartbeatMs,
      engine: () => parts.engine(),
      install: (incoming, head) => this.#install(incoming, head),
      noteEpoch: (epoch) => this.#mastership.noteEpoch(epoch),
      onRequest: (method, parameters) => this.#requested('', method, parameters),
      onRedirect: (url) => this.#changes.redirected(url),
    });
    this.#verifying = new Verifying({
      engine: () => parts.engine(),
      role: () => this.#mastership.role,
      follower: () => this.#following.follower,
      source: this.#source,
    });
    this.#announcer = new Announcer({
      ...node,
      tls: settings.tls,
      secure: settings.secure,
      master: () => (this.#mastership.isMaster && !this.#mastership.isIncomplete && !this.#stopped ? this.#feed() : null),
      linkedIds: () => this.#source.linkedIds(),
    });
    this.#changes = new RoleChanges({
      ...{ clock, log, handoverMs: settings.handoverMs, voter: settings.voter },
      ...{ mastership: this.#mastership, following: this.#following, source: this.#source },
      ...{ gate: this.writeConcern, announcer: this.#announcer },
      engine: () => parts.engine(),
      isBlank: () => this.isBlank,
      ownUrl: () => this.#ownUrl(),
      follow: (masterUrl) => this.#follow(masterUrl, null, 0),
    });
  }

  /** Takes up the role over an engine that was just opened. A master whose last promotion was cut short completes it first. */
  async start(): Promise<void> {
    if (this.#mastership.isMaster && this.isBlank)
      throw new Error('this folder was made for a replica and has no data yet: start it with --master');
    await this.#mastership.complete().catch((error: unknown) => {
      // A full disk keeps nobody from reading; the promotion can be sent again.
      if (!(error instanceof SkeinError)) throw error;
      this.#parts.log.error('promotion_not_completed', { error });
    });
    this.#attach(null, 0);
    // Another may have become master while this node was away: writes wait until the voters have answered, or have not in time.
    if (this.#mastership.isMaster && this.writeConcern.voters() > 1)
      this.writeConcern.pauseFor(this.#announcer.announce(), ASK_MS_MAX);
  }

  /** @param installed the snapshot just taken @param restMs before the first link */
  #attach(installed: string | null, restMs: number): void {
    const { isMaster, masterUrl } = this.#mastership;
    if (!this.isBlank) this.#source.attach(this.#parts.engine().log);
    if (!isMaster && masterUrl !== null) this.#follow(masterUrl, installed, restMs);
  }

  #follow(masterUrl: string, installed: string | null, restMs: number): void {
    if (this.#stopped) return;
    // What was seen elsewhere says nothing of the cluster that is joined first.
    this.#following.begin(masterUrl, this.isBlank ? NO_EPOCH : this.#mastership.highestEpoch, installed, restMs);
  }

  /** Nothing else changes the role meanwhile. Data that cannot be taken leaves the old serving, and another copy is fetched later. */
  #install(incoming: IncomingSnapshot, head: SnapshotHead): Promise<void> {
    const { follower } = this.#following;
    return this.#changes.alone(async () => {
      if (this.#following.follower !== follower || this.#mastership.isMaster)
        throw new Error('this node follows another master by now');
      this.#following.end();
      this.#source.detach('the data is being replaced');
      try {
        await this.#parts.exchange(incoming, head);
      } catch (error) {
        this.#attach(null, AFTER_FAILED_INSTALL_MS);
        throw error;
      }
      this.#attach(head.id, 0);
    });
  }

  /** The data of this master becomes a state of the past. @throws as restoreInPlace */
  restore(restored: RestoredStore, archiveRest: () => Promise<void>): Promise<RestoreReceipt> {
    const { settings, log } = this.#parts;
    return this.#changes.alone(async () => {
      const receipt = await restoreInPlace(
        {
          ...{ log, dataDir: settings.dataDir, mastership: this.#mastership, gate: this.writeConcern },
          engine: () => this.#parts.engine(),
          exchange: (install, as) => this.#parts.replace(install, as),
          detach: () => this.#source.detach('the data is being restored'),
          attach: () => this.#attach(null, 0),
        },
        restored,
        archiveRest,
      );
      void this.#announcer.announce();
      return receipt;
    });
  }

  /** What is built from it loads the graphs and builds none. One at a time: each reads the whole store. */
  buildSnapshot(signal: AbortSignal): Promise<BuiltSnapshot> {
    const { log, clock, settings } = this.#parts;
    const built = this.#building.then(() =>
      logOperation({ log, clock, name: 'snapshot_build' }, async (scope) => {
        await this.#parts.engine().saveIndexes(SAVE_INDEXES_MS);
        const snapshot = await buildSnapshot({ dataDir: settings.dataDir, ...this.#parts.storePaths(), signal });
        scope.add({ seq: snapshot.head.baseSeq, bytes: snapshot.head.bytes });
        return snapshot;
      }),
    );
    this.#building = built.catch(() => undefined);
    return built;
  }

  /** A master gives its mastership to a voter that is near, if there is one. @returns its id, or null: the role is as before */
  async handOverBeforeStop(timeoutMs: number): Promise<string | null> {
    if (!this.#mastership.isMaster || this.#mastership.isIncomplete) return null;
    const { clock, log } = this.#parts;
    const leaving = {
      isMaster: () => this.#mastership.isMaster,
      masterUrl: () => this.masterUrl(),
      candidates: () => this.#source.registry.all(),
      ask: (nodeId: string, method: string, parameters: LinkValues) => this.#source.ask(nodeId, method, parameters),
      followsSomebody: () => this.#following.follower?.isLinked === true,
    };
    return handOverBeforeStop({ clock, log, ...leaving }, timeoutMs);
  }

  endLinks(): void {
    this.#stopped = true;
    this.#announcer.stop();
    this.#following.end();
    this.#source.closeLinks('the node is stopping', null);
  }

  /** Those that others made to this node end; they may come again. */
  closeLinks(reason: string): void {
    this.#source.closeLinks(reason, null);
  }

  async stop(): Promise<void> {
    this.endLinks();
    await this.#changes.settled();
    await this.#source.close();
  }

  #feed(): ReplicatedLog | null {
    const { log } = this.#parts.engine();
    return log.state().epoch === NO_EPOCH ? null : log;
  }

  /** Has this node never had data of a cluster? */
  get isBlank(): boolean {
    return this.#feed() === null;
  }

  get snapshot(): SnapshotProgress | null {
    return this.#following.follower?.intake.progress() ?? null;
  }

  // What the routes ask.

  role(): Role {
    return this.#mastership.role;
  }

  enabled(): boolean {
    return this.#parts.mayLink() || !this.#mastership.isMaster;
  }

  masterUrl(): string | null {
    if (this.#mastership.isMaster) return this.#ownUrl();
    return (
      this.#following.masterHttpUrl ?? (this.#mastership.masterUrl === null ? null : streamUrlOf(this.#mastership.masterUrl).http)
    );
  }

  #ownUrl(): string {
    const { host, port } = this.#parts.address();
    return httpUrlOf(host, port, this.#parts.settings.secure);
  }

  stalenessMs(): number | null {
    if (!this.#mastership.isMaster) return this.#following.lagMs();
    // Of two masters of one epoch, or of a mastership that could not begin, nobody knows what is the newest.
    if (this.writeConcern.conflict !== null || this.#mastership.isIncomplete) return null;
    return this.#source.registry.masterAgeMs();
  }

  replicas(): readonly ReplicaInfo[] {
    return this.#source.replicas();
  }

  stats(): ReplicationStats {
    const counted = { log: this.#parts.engine().log, source: this.#source, counts: this.#following.counts };
    return this.#mastership.isMaster ? masterStats(counted) : replicaStats(counted, this.#following);
  }

  wrongClusterKeys(): number {
    return this.#door.wrongKeys;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#source.upgrade(request, socket, head);
  }

  promote(options: { readonly force: boolean }): Promise<PromoteAnswer> {
    return this.#changes.promote(options);
  }

  follow(masterUrl: string): Promise<void> {
    return this.#changes.follow(masterUrl);
  }

  async resync({ replicaId, full }: { readonly replicaId: string | null; readonly full: boolean }) {
    const mode = full ? ('full' as const) : ('partial' as const);
    const own = this.#parts.engine().log.state().nodeId;
    if (!this.#mastership.isMaster && (replicaId === null || replicaId === own)) {
      this.#relink(full);
      return { mode };
    }
    if (replicaId === null) throw invalidRequest('replica_id', 'which replica is to be synchronised again?');
    this.#source.mustBeLinked(replicaId);
    await this.#source.ask(replicaId, 'resync', { full });
    return { mode };
  }

  /** A little later, so that who asked for it over this link is answered first. @throws NoMaster */
  #relink(full: boolean): void {
    const { follower } = this.#following;
    if (follower === null) throw new SkeinError('NoMaster', 'This node follows nobody at the moment');
    setImmediate(() => follower.relink(full ? 'asked' : null));
  }

  verify(options: { readonly replicaId: string | null; readonly repair: boolean }): Promise<VerifyAnswer> {
    return this.#verifying.verify(options);
  }

  async forget(replicaId: string): Promise<boolean> {
    if (!this.#mastership.isMaster && !this.#source.registry.isOwnFollower(replicaId))
      throw new SkeinError('NotMaster', 'Only the master forgets a voter');
    return this.#source.forget(replicaId);
  }

  /** Why the node is degraded, as far as its links go. */
  concerns(): string[] {
    const follower = !this.#mastership.isMaster ? this.#following.follower : undefined;
    const found = roleConcerns(this.writeConcern.conflict, follower, this.#source.replicas());
    return this.#mastership.isIncomplete ? [...found, 'the promotion could not be completed; promote again'] : found;
  }

  /** The nodes that may have what is damaged here. */
  readonly peers: RepairPeers = {
    askMaster: () => {
      const { follower } = this.#following;
      if (this.#mastership.isMaster || follower?.state.phase !== 'following') return null;
      return (method, parameters) => follower.ask(method, parameters);
    },
    askReplicas: () => {
      const ids = this.#mastership.isMaster ? this.#source.linkedIds() : [];
      return ids.map((id) => (method, parameters) => this.#source.ask(id, method, parameters));
    },
    takeSnapshot: () => this.#relink(true),
    logMended: () => this.#source.logMended(),
  };

  // Requests over links.

  async #requested(nodeId: string, method: string, parameters: LinkValues): Promise<LinkValues> {
    switch (method) {
      case 'handover':
        return this.#changes.handOver(nodeId, parameters);
      case TAKE_OVER:
        // From the master that is followed, and from nobody else.
        if (nodeId !== '') throw new Error('only the master gives its mastership away');
        await this.#changes.promote({ force: false });
        return {};
      case 'resync':
        this.#relink(parameters['full'] === true);
        return {};
      default:
        if (isRepairAsk(method)) return answerRepairAsk(this.#parts.engine(), method, parameters);
        return (
          this.#verifying.answer(method, parameters) ??
          Promise.reject(new Error(`this node does not know the request '${method}'`))
        );
    }
  }
}

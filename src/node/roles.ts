/** The roles of a node: who it follows, who follows it, and how that changes. What the routes of replication ask for.
 *
 *    replica ─ promote ─► master         master ─ handover, newer epoch seen, follow ─► replica
 *
 *  Invariants: a role is durable (NODE) before anybody is told; the epoch of a new mastership is durable before its first entry; from the
 *  moment a newer epoch is seen nothing is acknowledged here. Must not know: HTTP, frames, how entries are applied. */

import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ReplicatedLog } from '../engine/engine.js';
import { type BuiltSnapshot, buildSnapshot, type IncomingSnapshot, type SnapshotHead } from '../engine/snapshot.js';
import type { ReplicationService } from '../http/http.js';
import { invalidRequest } from '../model/errors.js';
import { readNodeUrl } from '../model/node-url.js';
import type { PromoteAnswer, ReplicaInfo, ReplicationStats, Role, SnapshotProgress, VerifyAnswer } from '../model/replication.js';
import { ReplicationSource } from '../replication/source.js';
import type { LinkValues } from '../wire/frames.js';
import { Announcer } from './announcer.js';
import { Following } from './following.js';
import { askForHandover, caughtUp, notPromotable } from './handover.js';
import { httpUrlOf, streamUrlOf } from './master-url.js';
import { Mastership } from './mastership.js';
import type { RoleParts } from './role-parts.js';
import { masterStats, replicaStats, roleConcerns } from './role-stats.js';
import { Verifying } from './verifying.js';
import { version } from './version.js';
import { WriteGate } from './write-gate.js';

const NO_EPOCH = 0;
const [AFTER_FAILED_INSTALL_MS, SAVE_INDEXES_MS, ASK_MS_MAX] = [2_000, 10_000, 5_000];

export class Roles implements ReplicationService {
  readonly writeConcern: WriteGate;
  readonly #parts: RoleParts;
  readonly #source: ReplicationSource;
  readonly #mastership: Mastership;
  readonly #announcer: Announcer;
  readonly #verifying: Verifying;
  readonly #runId = randomBytes(16).toString('hex');
  readonly #following: Following;
  #changing: Promise<unknown> = Promise.resolve();
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
      onNewerEpoch: (epoch: number, masterUrl: string | null) => this.#newerEpoch(epoch, masterUrl),
      onConflict: (epoch: number, nodeId: string) => this.#conflicting(epoch, nodeId),
    };
    this.#source = new ReplicationSource({
      ...node,
      rules: settings.rules,
      clock,
      log,
      role: () => this.#mastership.role,
      pathUp: () => this.#following.follower?.path ?? [],
      lagMs: () => this.stalenessMs(),
      snapshotBytes: () => parts.engine().status().storage.databaseBytes,
      buildSnapshot: (signal) => this.#buildSnapshot(signal),
      onLostTail: (seq) => this.#lostTail(seq),
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
      ...{ clock, log, dataDir: settings.dataDir, voter: settings.voter, tls: settings.tls },
      timeoutMs: settings.rules.timeoutMs,
      heartbeatMs: settings.rules.heartbeatMs,
      engine: () => parts.engine(),
      install: (incoming, head) => this.#install(incoming, head),
      noteEpoch: (epoch) => this.#mastership.noteEpoch(epoch),
      onRequest: (method, parameters) => this.#requested('', method, parameters),
      onRedirect: (url) => this.#redirected(url),
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
      master: () => (this.#mastership.isMaster && !this.#stopped ? this.#feed() : null),
      linkedIds: () => this.#source.linkedIds(),
    });
  }

  /** Takes up the role over an engine that was just opened. A master whose last promotion was cut short completes it first. */
  async start(): Promise<void> {
    if (this.#mastership.isMaster && this.isBlank)
      throw new Error('this folder was made for a replica and has no data yet: start it with --master');
    await this.#mastership.complete();
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

  /** What joins then loads the graphs and builds none. */
  async #buildSnapshot(signal: AbortSignal): Promise<BuiltSnapshot> {
    await this.#parts.engine().saveIndexes(SAVE_INDEXES_MS);
    return buildSnapshot({ dataDir: this.#parts.settings.dataDir, ...this.#parts.storePaths(), signal });
  }

  endLinks(): void {
    this.#stopped = true;
    this.#announcer.stop();
    this.#following.end();
    this.#source.closeLinks('the node is stopping', null);
  }

  async stop(): Promise<void> {
    this.endLinks();
    await this.#changing;
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
    return this.#following.follower?.snapshotProgress() ?? null;
  }

  // What the routes ask.

  role(): Role {
    return this.#mastership.role;
  }

  enabled(): boolean {
    return this.#parts.settings.serves || !this.#mastership.isMaster;
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
    return this.#mastership.isMaster ? 0 : this.#following.lagMs();
  }

  replicas(): readonly ReplicaInfo[] {
    return this.#source.replicas();
  }

  stats(): ReplicationStats {
    const counted = { log: this.#parts.engine().log, source: this.#source, counts: this.#following.counts };
    return this.#mastership.isMaster ? masterStats(counted) : replicaStats(counted, this.#following);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#source.upgrade(request, socket, head);
  }

  /** Why the node is degraded, as far as its links go. */
  concerns(): string[] {
    const follower = !this.#mastership.isMaster ? this.#following.follower : undefined;
    return roleConcerns(this.writeConcern.conflict, follower, this.#source.replicas());
  }

  // Changes of role, one at a time.

  #alone<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(change);
    this.#changing = result.catch(() => undefined);
    return result;
  }

  promote({ force }: { readonly force: boolean }): Promise<PromoteAnswer> {
    return this.#alone(() => (force ? this.#promoteByForce() : this.#promoteByHandover()));
  }

  async #promoteByForce(): Promise<PromoteAnswer> {
    if (this.#mastership.isMaster && this.writeConcern.conflict === null)
      throw notPromotable('already_master', 'This node is the master');
    if (this.isBlank) throw notPromotable('no_data', 'This node has never had data of a cluster');
    const known = this.#following.knownSeq;
    const own = this.#parts.engine().log.state().seq;
    const wasMaster = this.#mastership.isMaster;
    const answer = await this.#becomeMaster();
    // What the old master wrote after its last word cannot be known: then the end of the range is open.
    return { ...answer, maybeLost: wasMaster ? null : { fromSeq: own + 1, toSeq: known !== null && known > own ? known : null } };
  }

  async #promoteByHandover(): Promise<PromoteAnswer> {
    if (this.#mastership.isMaster) throw notPromotable('already_master', 'This node is the master');
    const { nodeId } = this.#parts.engine().log.state();
    const own = { nodeId, url: this.#ownUrl() };
    const handedOver = await askForHandover(this.#following.follower, own, this.#parts.settings.handoverMs);
    const { seq } = this.#parts.engine().log.state();
    if (handedOver !== seq) throw notPromotable('behind', `The master handed over at seq ${handedOver}, this node is at ${seq}`);
    return this.#becomeMaster();
  }

  async #becomeMaster(): Promise<PromoteAnswer> {
    const { log } = this.#parts.engine();
    this.#following.forgetMaster();
    const epoch = await this.#mastership.begin();
    this.writeConcern.open();
    this.#source.attach(log);
    const { historyId, seq } = log.state();
    this.#parts.log.warn('promoted', { epoch, history_id: historyId, seq });
    void this.#announcer.announce();
    return { epoch, historyId, position: { historyId, epoch, seq }, maybeLost: null };
  }

  follow(masterUrl: string): Promise<void> {
    const { stream } = streamUrlOf(masterUrl);
    return this.#alone(async () => {
      await this.#announcer.mustBeFollowable(masterUrl, this.#parts.engine().log, this.#mastership.isMaster);
      await this.#becomeReplica(masterUrl, this.#mastership.highestEpoch);
      this.#parts.log.warn('follows', { master: stream });
    });
  }

  /** From the first line on nothing is acknowledged. @param masterUrl null: whoever announces itself */
  async #becomeReplica(masterUrl: string | null, highestEpoch: number): Promise<void> {
    this.#mastership.stepDown();
    this.#following.forgetMaster();
    this.#mastership.noteReplica(masterUrl, highestEpoch);
    this.#source.registry.concern.end();
    this.writeConcern.open();
    await this.#mastership.take('replica');
    // A little later, so that who asked for this is answered first.
    setImmediate(() => this.#source.closeLinks('this node follows another master', masterUrl));
    if (masterUrl !== null) this.#follow(masterUrl, null, 0);
  }

  #follow(masterUrl: string, installed: string | null, restMs: number): void {
    if (this.#stopped) return;
    // What was seen elsewhere says nothing of the cluster that is joined first.
    this.#following.begin(masterUrl, this.isBlank ? NO_EPOCH : this.#mastership.highestEpoch, installed, restMs);
  }

  /** Nothing else changes the role meanwhile. Data that cannot be taken leaves the old serving, and another copy is fetched later. */
  #install(incoming: IncomingSnapshot, head: SnapshotHead): Promise<void> {
    const { follower } = this.#following;
    return this.#alone(async () => {
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

  /** The node that is followed names another: a replica that was promoted in its place. */
  #redirected(masterUrl: string): void {
    const isNew = masterUrl !== this.#mastership.masterUrl && masterUrl !== this.#ownUrl();
    if (this.#mastership.isMaster || !isNew || readNodeUrl(masterUrl) === null) return;
    void this.#alone(() => this.#becomeReplica(masterUrl, this.#mastership.highestEpoch));
  }

  #newerEpoch(epoch: number, named: string | null): void {
    const masterUrl = named === null || readNodeUrl(named) === null ? null : named;
    const newer = epoch > this.#mastership.highestEpoch;
    const wasMaster = this.#mastership.isMaster;
    const known = this.#mastership.masterUrl;
    // A master that this node has had data of was reached where it is looked for now: the address of an operator stands over the one that
    // the master believes to be its own.
    const reached = known !== null && this.#parts.engine().log.state().epoch >= epoch;
    const elsewhere = masterUrl !== null && (known === null || streamUrlOf(masterUrl).stream !== streamUrlOf(known).stream);
    if (!newer && !wasMaster && (reached || !elsewhere || this.#following.follower?.isLinked === true)) return;
    this.#parts.log.warn('newer_epoch_seen', { epoch, own_epoch: this.#mastership.highestEpoch, master: masterUrl });
    // At once, before anything is awaited: what is on its way is not acknowledged any more.
    this.#mastership.stepDown();
    this.#source.registry.concern.end();
    void this.#alone(() => this.#becomeReplica(masterUrl ?? (wasMaster ? null : known), epoch));
  }

  #conflicting(epoch: number, nodeId: string): void {
    if (!this.#mastership.isMaster || this.writeConcern.conflict !== null) return;
    this.writeConcern.refuse(epoch);
    this.#parts.log.error('two_masters', { epoch, other: nodeId });
  }

  /** This node lost writes that a replica has: whatever comes from now on is another line of data, and says so. */
  async #lostTail(seq: number): Promise<void> {
    await this.#alone(async () => {
      const { log } = this.#parts.engine();
      if (!this.#mastership.isMaster || log.state().seq >= seq) return;
      this.#parts.log.error('tail_lost', { own_seq: log.state().seq, replica_seq: seq });
      await this.#mastership.begin();
      this.#source.closeLinks('a new history has begun', null);
    });
  }

  // Requests over links.

  async #requested(nodeId: string, method: string, parameters: LinkValues): Promise<LinkValues> {
    switch (method) {
      case 'handover':
        return this.#alone(() => this.#handOver(nodeId, parameters));
      case 'resync':
        this.#following.follower?.relink(parameters['full'] === true ? 'asked' : null);
        return {};
      default:
        return (
          this.#verifying.answer(method, parameters) ??
          Promise.reject(new Error(`this node does not know the request '${method}'`))
        );
    }
  }

  /** Writes wait until the replica has everything; then this node is a replica of it. Asked again, it says the same again. */
  async #handOver(nodeId: string, parameters: LinkValues): Promise<LinkValues> {
    const url = String(parameters['url']);
    const timeoutMs = Math.min(Number(parameters['timeoutMs']), this.#parts.settings.handoverMs);
    const { log } = this.#parts.engine();
    if (!this.#mastership.isMaster) {
      if (this.#mastership.masterUrl === url) return { seq: log.state().seq };
      throw new Error('this node is no master');
    }
    // New writes wait in front of the door; those inside are done when the write thread has changed over.
    this.writeConcern.pause(2 * timeoutMs);
    try {
      await this.#mastership.take('replica');
      const { seq } = log.state();
      await caughtUp(() => this.#source.durableSeqOf(nodeId) === seq, this.#parts.clock, timeoutMs);
      await this.#becomeReplica(url, this.#mastership.highestEpoch);
      return { seq };
    } catch (error) {
      // What was refused meanwhile came in no epoch; a new one tells it apart from what the replica may yet begin.
      await this.#mastership.begin();
      throw error;
    } finally {
      this.writeConcern.open();
    }
  }

  async resync({ replicaId, full }: { readonly replicaId: string | null; readonly full: boolean }) {
    const mode = full ? ('full' as const) : ('partial' as const);
    const own = this.#parts.engine().log.state().nodeId;
    if (!this.#mastership.isMaster && (replicaId === null || replicaId === own)) {
      this.#following.follower?.relink(full ? 'asked' : null);
      return { mode };
    }
    if (replicaId === null) throw invalidRequest('replica_id', 'which replica is to be synchronised again?');
    if (!this.#source.linkedIds().includes(replicaId)) throw invalidRequest('replica_id', 'no linked replica has this id');
    await this.#source.ask(replicaId, 'resync', { full });
    return { mode };
  }

  verify(options: { readonly replicaId: string | null; readonly repair: boolean }): Promise<VerifyAnswer> {
    return this.#verifying.verify(options);
  }

  async forget(replicaId: string): Promise<boolean> {
    return this.#source.forget(replicaId);
  }
}

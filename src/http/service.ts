/** What the HTTP room needs of the node that runs it. `node` hands it in; nothing here names another room but the engine. */

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AccessKeys, Engine, StartProgress } from '../engine/engine.js';
import type { Audit } from '../model/audit.js';
import type { Clock } from '../model/clock.js';
import type { Limits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import type { Meter } from '../model/meter.js';
import type { PromoteAnswer, ReplicaInfo, ReplicationStats, Role, VerifyAnswer } from '../model/replication.js';
import type { Tracer } from '../model/tracer.js';
import type { NameRules } from '../wire/web-callers.js';
import type { BackupService } from './backup-service.js';
import type { GuardService } from './guards.js';
import type { HealthService } from './health-service.js';
import type { ObservingService } from './observing-service.js';
import type { TokenRules } from './token-rules.js';

export interface WriteConcernService {
  /** Nodes that must hold a write when the request does not say. */
  defaultRequired(): number;
  /** Registered voters, this master included, connected or not. */
  voters(): number;
  /** Replicas on their way to be voters: linked, or away for a while, as after a snapshot. A write may wait for them. */
  joining(): number;
  /** Waits until `required` nodes hold `seq` durably, or `waitMs` has passed. @returns how many do, this one included */
  wait(seq: number, required: number, waitMs: number): Promise<number>;
  /** Asked before every write: may it be taken now? Waits while the mastership is being handed over.
   *  @throws Overloaded (min_replicas), NoMaster (two masters claim the same epoch) */
  admit(): Promise<void>;
  /** False once another node is or may be the master: what is durable here is not acknowledged. */
  mayAcknowledge(): boolean;
}

/** What the routes under /replication need, and those that ask which role the node has. */
export interface ReplicationService {
  role(): Role;
  /** Where clients reach the master, `http://host:port`; null when none is known. On a master its own. */
  masterUrl(): string | null;
  /** False when this node neither follows nor may be followed. */
  enabled(): boolean;
  /** @throws Starting until the store of the node is open */
  stats(): ReplicationStats;
  /** Registered and connected replicas; empty on a replica that nobody follows. */
  replicas(): readonly ReplicaInfo[];
  /** How old the state may be that reads show, in milliseconds; null when not known. */
  stalenessMs(): number | null;
  /** @throws NotPromotable (reason) */
  promote(options: { readonly force: boolean }): Promise<PromoteAnswer>;
  /** Begins to follow; durable on return. @param masterUrl http(s) or ws(s) @throws InvalidRequest */
  follow(masterUrl: string): Promise<void>;
  /** @param replicaId on a master: which one; null on a replica: itself
   *  @throws InvalidRequest when no replica has this id */
  resync(options: { readonly replicaId: string | null; readonly full: boolean }): Promise<{ readonly mode: 'full' | 'partial' }>;
  verify(options: { readonly replicaId: string | null; readonly repair: boolean }): Promise<VerifyAnswer>;
  /** Forgets a replica: it is no voter any more and leaves the lists. @returns false when there was none of this id
   *  @throws NotMaster on a replica, unless the other follows this node and is no voter */
  forget(replicaId: string): Promise<boolean>;
  /** How often somebody who wanted to link showed a wrong cluster key, since the start. */
  wrongClusterKeys(): number;
  /** Takes over a connection that asked for /replication/stream, refusals included, until it is closed; the service ends it at its stop.
   *  @throws SkeinError before anything was written to the socket: it is answered and closed here */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** The server is stopping and no request waits for a replica any more: ends all links. May be called again. */
  endLinks(): void;
}

export interface HttpService {
  /** @throws Starting, ShuttingDown */
  engine(): Engine;
  /** Those of the store, also while it is being checked and has no data yet. @throws Starting while they are not known */
  accessKeys(): AccessKeys;
  /** What tokens are held against now; null for good: they are not taken. */
  readonly tokenRules: (() => TokenRules) | null;
  startProgress(): StartProgress;
  readonly health: HealthService;
  /** Which build of the HNSW library runs. */
  readonly nativeBuild: string;
  readonly version: string;
  readonly writeConcern: WriteConcernService;
  readonly replication: ReplicationService;
  readonly backups: BackupService;
  readonly observing: ObservingService;
  readonly guards: GuardService;
  /** The configuration as plain data, secrets masked. */
  configuration(): Readonly<Record<string, unknown>>;
}

/** What /metrics prints. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

export interface HttpConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly limits: Limits;
  /** The admin key of the key file, or null: then access keys alone count, and without any everybody may do everything. */
  readonly apiKey: Uint8Array | null;
  /** Who is answered while everybody may do everything. */
  readonly callers: NameRules;
  /** With it the port speaks https and wss. ca: authorities of peers' certificates; verifiedPeers: only they may link. */
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    readonly ca: string | null;
    readonly verifiedPeers: boolean;
  };
  /** How long an ordinary request may take that does not ask for more itself; 0: no limit. */
  readonly requestTimeoutMs: number;
  /** Serve the human page at /docs. */
  readonly docs: boolean;
  /** Serve the Qdrant dialect, as this version; null: not at all. */
  readonly qdrant: { readonly version: string } | null;
}

export interface HttpOptions {
  readonly service: HttpService;
  readonly config: HttpConfig;
  readonly log: Log;
  readonly meter: Meter;
  /** Null: nothing is measured, and there is no /metrics. */
  readonly metrics: MetricsText | null;
  readonly clock: Clock;
  /** Null: requests are not traced. */
  readonly tracer: Tracer | null;
  /** Keeps what administrators did. */
  readonly audit: Audit;
}

export interface HttpServer {
  /** A connection of the program that the node runs in: the other end speaks HTTP and needs no key. @throws Error once the server has closed */
  connect(): Duplex;
  /** @throws Error when the address cannot be bound */
  listen(): Promise<{ host: string; port: number }>;
  /** Connections that are made from now on get another certificate; those that are there keep theirs. Only where the port speaks https.
   *  @throws Error when it is none, and nothing has changed */
  setCertificate(certificate: Pick<NonNullable<HttpConfig['tls']>, 'cert' | 'key' | 'ca'>): void;
  /** Handles run short: connections that never sent a request end, the oldest first, some hundred at a time. */
  cutSilent(): void;
  /** Takes no new work, lets requests end for `deadlineMs`, then cuts the rest off. */
  close(deadlineMs: number): Promise<void>;
}

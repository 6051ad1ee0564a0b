/** What the HTTP room needs of the node that runs it. `node` hands it in; nothing here names another room but the engine. */

import type { Engine, StartProgress } from '../engine/engine.js';
import type { Clock } from '../model/clock.js';
import type { Limits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import type { Meter } from '../model/meter.js';

export interface WriteConcernService {
  /** Nodes that must hold a write when the request does not say. */
  defaultRequired(): number;
  /** Registered voters, this master included, connected or not. */
  voters(): number;
  /** Waits until `required` nodes hold `seq` durably, or `waitMs` has passed. @returns how many do, this one included */
  wait(seq: number, required: number, waitMs: number): Promise<number>;
}

export interface HttpService {
  /** @throws Starting, ShuttingDown */
  engine(): Engine;
  startProgress(): StartProgress;
  /** Why the node is degraded although it serves, one sentence each; empty when nothing is wrong. */
  concerns(): readonly string[];
  /** Which build of the HNSW library runs. */
  readonly nativeBuild: string;
  readonly version: string;
  readonly writeConcern: WriteConcernService;
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
  /** The one admin key, or null: everybody may do everything. */
  readonly apiKey: Uint8Array | null;
  /** Serve the human page at /docs. */
  readonly docs: boolean;
}

export interface HttpOptions {
  readonly service: HttpService;
  readonly config: HttpConfig;
  readonly log: Log;
  readonly meter: Meter;
  readonly metrics: MetricsText;
  readonly clock: Clock;
}

export interface HttpServer {
  /** @throws Error when the address cannot be bound */
  listen(): Promise<{ host: string; port: number }>;
  /** Takes no new work, lets requests end for `deadlineMs`, then cuts the rest off. */
  close(deadlineMs: number): Promise<void>;
}

/** What roles are made of: settings, and what the node around them gives. */

import type { RunningEngine } from '../engine/engine.js';
import type { IncomingSnapshot, SnapshotHead } from '../engine/snapshot.js';
import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { Tracer } from '../model/tracer.js';
import type { SourceRules } from '../replication/source.js';
import type { InstallStore, OpenedAs } from './exchange.js';
import type { NodeState } from './node-state.js';
import type { GateRules } from './write-gate.js';

export interface RoleSettings {
  readonly dataDir: string;
  readonly rules: SourceRules;
  readonly keys: readonly Uint8Array[];
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly voter: boolean;
  readonly writes: GateRules;
  readonly handoverMs: number;
  /** Nodes are reached by https and wss. */
  readonly secure: boolean;
}

export interface RoleParts {
  readonly settings: RoleSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** Null: nothing is traced. */
  readonly tracer: Tracer | null;
  readonly state: NodeState;
  /** May replicas link here at all? */
  mayLink(): boolean;
  /** Where this node's HTTP is reached. */
  address(): { readonly host: string; readonly port: number };
  engine(): RunningEngine;
  storePaths(): {
    readonly storePath: string;
    readonly checkpointsDir: string;
    readonly cacheBytes: number;
    readonly diskFreeBytesMin: number;
  };
  /** Exchanges the data for what has arrived; the engine is then another one. */
  exchange(incoming: IncomingSnapshot, head: SnapshotHead): Promise<void>;
  /** The same for a store that was made here. @param as whom the engine is opened */
  replace(install: InstallStore, as: OpenedAs): Promise<void>;
}

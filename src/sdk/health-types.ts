/** How a server is, part by part, and how right its searches are, as users of the client see it. */

import type { FilterClass } from '../model/recall.js';
import type { Filter } from './types.js';

export type { FilterClass } from '../model/recall.js';

export type ComponentStatus = 'healthy' | 'degraded' | 'unhealthy';
export type BreakerState = 'closed' | 'half_open' | 'open';

export interface ComponentHealth {
  readonly status: ComponentStatus;
  readonly message: string;
  /** Of the query or read that the check did; null when it did none. */
  readonly latencyMs: number | null;
  /** As the server sent them. */
  readonly details?: Readonly<Record<string, unknown>>;
}
export interface EngineHealth extends ComponentHealth {
  /** open: it failed repeatedly and is not asked for a while. */
  readonly breaker: BreakerState;
  readonly restarts: number;
  /** Workers that have said nothing for seconds. */
  readonly stalled: number;
  /** Collections that have such an index, and how many of those answer nothing yet. */
  readonly collections: number;
  readonly loading: number;
}

/** What live searches found, held against exact ones. */
export interface RecallFigure {
  /** null: of all collections that have no figures of their own. */
  readonly collection: string | null;
  /** Points that pass the filter, in percent. */
  readonly filterClass: FilterClass;
  readonly recall: number;
  readonly checks: number;
}

/** One look of the server's monitor. */
export interface HealthLook {
  readonly at: string;
  readonly status: ComponentStatus;
  readonly tookMs: number;
  /** Components that were not healthy. */
  readonly failing: readonly string[];
}

/** A change that lasted; of the node as a whole when component is null. */
export interface HealthChange {
  readonly at: string;
  readonly component: string | null;
  readonly from: ComponentStatus;
  readonly to: ComponentStatus;
  readonly message: string;
}

/** The named three, and every other component of the server under its own name. */
export interface ComponentsHealth extends Readonly<Record<string, ComponentHealth>> {
  readonly vector: EngineHealth;
  readonly text: EngineHealth;
  readonly storage: ComponentHealth;
}

export interface HealthDetails {
  readonly status: ComponentStatus;
  readonly reasons: readonly string[];
  readonly checkedAt: string;
  readonly components: ComponentsHealth;
  readonly fallback: { readonly active: boolean; readonly since: string | null; readonly count: number };
  readonly breakers: Readonly<Record<'vector' | 'text', { readonly state: BreakerState; readonly failures: number }>>;
  readonly recall: { readonly figures: readonly RecallFigure[]; readonly skipped: number; readonly discarded: number };
  /** Oldest first. */
  readonly history: readonly HealthLook[];
  readonly transitions: readonly HealthChange[];
}

export interface RecallRequest {
  /** Points to search for, 1 to 1,000; default 100. */
  readonly sample?: number;
  /** Hits of each; default 10. */
  readonly limit?: number;
  /** Default: the collection's. */
  readonly efSearch?: number;
  readonly filter?: Filter;
  /** How long the server may take; then it answers with what it has. */
  readonly measureTimeoutMs?: number;
}

export interface RecallAnswer {
  /** Mean over the points that were searched for; null when there were none. */
  readonly recall: number | null;
  readonly sampled: number;
  readonly limit: number;
  readonly efSearch: number;
  /** The least of one point. */
  readonly worst: number | null;
  readonly tookMs: number;
  readonly position: string;
  /** With a filter: by the share of points that it lets pass, in percent. */
  readonly byFilterClass?: Readonly<Partial<Record<FilterClass, { readonly recall: number; readonly sampled: number }>>>;
}

/** How a node is, part by part: the words that checks, the monitor, routes and alerts share.
 *
 *  A check looks at one component and says what it found; what that means for the node is decided in one place (observability/health-rules.ts).
 *  Messages are shown to whoever can reach the port: they hold no names of collections and no secrets.
 *  Must not know: what is checked, who shows it. */

export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** From well to worst. */
export const HEALTH_STATUSES: readonly HealthStatus[] = ['healthy', 'degraded', 'unhealthy'];

/** > 0 when a is worse than b. */
export function compareHealth(a: HealthStatus, b: HealthStatus): number {
  return HEALTH_STATUSES.indexOf(a) - HEALTH_STATUSES.indexOf(b);
}

/** What one look found. */
export interface HealthFinding {
  readonly status: HealthStatus;
  /** One sentence that can stand alone: what is well, or all that is not. */
  readonly message: string;
  /** Of the operation that the check did, in milliseconds; null when it did none that tells anything. */
  readonly latencyMs: number | null;
  /** Of what requests depend on: does it do its work at all? Left out: no request fails because of it. */
  readonly serves?: 'yes' | 'no' | 'unused';
  /** Plain data for whoever looks closer; snake_case. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** One component, and how to look at it. A check is begun again only when the look before has ended. */
export interface HealthCheck {
  /** A short word in snake_case, unlike every other's: metrics bear it as a label. */
  readonly name: string;
  /** Longer is not waited for, in milliseconds. */
  readonly deadlineMs: number;
  /** What the component is when there is no answer by then, or an error. */
  readonly whenSilent: 'degraded' | 'unhealthy';
  /** @param signal aborted at the deadline */
  check(signal: AbortSignal): HealthFinding | Promise<HealthFinding>;
}

/** Where an outside dependency makes itself known. */
export interface HealthRegistry {
  /** @returns takes it out again  @throws Error when there is one of this name */
  add(check: HealthCheck): () => void;
}

export interface ComponentReport extends HealthFinding {
  readonly name: string;
  /** The whole look, in milliseconds. */
  readonly tookMs: number;
}

/** All components, looked at at once. */
export interface HealthReport {
  readonly status: HealthStatus;
  /** Why it is not healthy: one sentence each, none when it is. */
  readonly reasons: readonly string[];
  readonly components: readonly ComponentReport[];
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly tookMs: number;
}

/** One run of the monitor, kept for a while. */
export interface HealthRecord {
  readonly atMs: number;
  readonly status: HealthStatus;
  readonly tookMs: number;
  /** Components that were not healthy. */
  readonly failing: readonly string[];
}

/** A change that lasted. */
export interface HealthTransition {
  readonly atMs: number;
  /** Null: of the node as a whole. */
  readonly component: string | null;
  readonly from: HealthStatus;
  readonly to: HealthStatus;
  readonly message: string;
}

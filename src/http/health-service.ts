/** What the health routes need of the node that runs them. */

import type { HealthRecord, HealthReport, HealthTransition } from '../model/health.js';
import type { BreakerState } from '../resilience/circuit-breaker.js';

export interface HealthService {
  /** Every component, looked at now or a moment ago; callers share one look. Never rejects, and takes no longer than the checks' deadline. */
  report(): Promise<HealthReport>;
  /** Results of the monitor, oldest first; bounded. */
  history(): readonly HealthRecord[];
  /** Changes that lasted, oldest first; bounded. */
  transitions(): readonly HealthTransition[];
  /** Of outside dependencies. */
  breakers(): readonly { readonly name: string; readonly state: BreakerState; readonly failures: number }[];
}

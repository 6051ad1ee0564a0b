/** Health of a part that says itself what is wrong with it, where nothing else asks: sentences, and no look of its own.
 *  Must not know: whose concerns they are. */

import type { HealthCheck, HealthFinding } from '../model/health.js';

export interface ConcernedPart {
  /** Of the component. */
  readonly name: string;
  /** What degrades the node, one sentence each; empty when nothing is wrong. */
  concerns(): readonly string[];
  /** What an operator should know and nothing suffers from. */
  notes(): readonly string[];
  /** Said when there is neither. */
  readonly well: string;
}

export function concernCheck(part: ConcernedPart, deadlineMs: number): HealthCheck {
  return { name: part.name, deadlineMs, whenSilent: 'degraded', check: () => concernFinding(part) };
}

function concernFinding(part: ConcernedPart): HealthFinding {
  const concerns = part.concerns();
  const said = [...concerns, ...part.notes()];
  return {
    status: concerns.length > 0 ? 'degraded' : 'healthy',
    message: said.length > 0 ? said.join('; ') : part.well,
    latencyMs: null,
  };
}

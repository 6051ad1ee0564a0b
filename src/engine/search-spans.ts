/** What a traced search says of itself. Nothing of what was asked or found but counts. Must not know: how spans are kept. */

import type { Attributes, Span } from '../model/tracer.js';
import type { SearchAnswer } from './engine.js';
import type { Step } from './index-asks.js';

/** What indexes answer, as far as spans show it. */
interface Answered {
  readonly plan?: string;
  readonly visited?: number;
  readonly matches?: number;
  readonly steps?: readonly Step[];
}

/** Tells of an answer of an index: how it was found, and each step in the worker as a span of its own. The worker's clock is another one, so
 *  its steps are laid end to end before the moment when the answer came. */
export function describeFound(
  span: Span,
  { answer, steps: before }: { readonly answer: object; readonly steps: readonly Step[] },
  nowMs: number,
): void {
  const { plan, visited, matches, steps = [] } = answer as Answered;
  span.set({ 'skein.plan': plan, 'skein.visited': visited, 'skein.matches': matches });
  const all = [...before, ...steps];
  let startMs = nowMs - all.reduce((sum, { tookMs }) => sum + tookMs, 0);
  for (const { name, tookMs } of all) {
    span.child(name, { startMs }).end(startMs + tookMs);
    startMs += tookMs;
  }
}

export function describeSearch({ mode, complete, degraded, cached }: Omit<SearchAnswer, 'hits'>, hits: number): Attributes {
  return {
    'skein.mode': mode,
    'skein.hits': hits,
    'skein.complete': complete,
    'skein.degraded': degraded,
    'skein.cached': cached,
  };
}

/** Measures of circuit breakers, one series for each thing that stands behind one: a search engine or an outside dependency. Their names
 *  are the program's own, so their number is bounded. Must not know: who reads their status. */

import type { Meter } from '../model/meter.js';
import type { BreakerState } from '../resilience/circuit-breaker.js';
import { grown } from './grown-counter.js';

const STATES = { closed: 0, half_open: 1, open: 2 } as const;

export interface BreakerFigures {
  readonly state: BreakerState;
  readonly failuresTotal: number;
}

export type ShowBreaker = (dependency: string, figures: BreakerFigures) => void;

/** @returns takes the figures of one before they are printed */
export function measureBreakers(meter: Meter): ShowBreaker {
  const labels = ['dependency'];
  const states = meter.gauge({
    name: 'circuit_breaker_state',
    help: '0 closed, 1 half open (one call tries), 2 open (it is not asked).',
    labels,
  });
  const failures = meter.counter({
    name: 'circuit_breaker_failures_total',
    help: 'Calls that failed behind a breaker.',
    labels,
  });
  const known = new Map<string, (figures: BreakerFigures) => void>();
  const make = (dependency: string): ((figures: BreakerFigures) => void) => {
    const state = states.series({ dependency });
    const total = grown(failures.series({ dependency }));
    const show = (figures: BreakerFigures): void => {
      state.set(STATES[figures.state]);
      total(figures.failuresTotal);
    };
    known.set(dependency, show);
    return show;
  };
  return (dependency, figures) => (known.get(dependency) ?? make(dependency))(figures);
}

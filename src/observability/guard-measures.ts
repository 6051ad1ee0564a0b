/** Measures of the guards: how near the process is to its limits, and what was refused for their sake. Read when they are printed. */

import type { Meter } from '../model/meter.js';
import { grown, grownCounter } from './grown-counter.js';

export interface GuardFigures {
  /** Null: there is no limit. */
  readonly memoryLimitBytes: number | null;
  readonly memoryFull: boolean;
  readonly memoryReliefs: number;
  /** Null where it cannot be read. */
  readonly handlesOpen: number | null;
  readonly handlesLimit: number | null;
  /** How late the event loop ran in the last quarter of a second, in the middle. */
  readonly loopDelayMs: number;
  /** 0 … 1 of the requests. */
  readonly shedShare: number;
  /** Requests, by reason. */
  readonly shed: Readonly<Record<string, number>>;
}

export function measureGuards(meter: Meter, figures: () => GuardFigures): void {
  const gauge = (name: string, help: string) => meter.gauge({ name, help }).series();
  const memoryLimit = gauge('memory_limit_bytes', 'Resident memory above which writes are refused.');
  const memoryFull = gauge('memory_full', '1 while writes are refused for want of memory.');
  const handlesOpen = gauge('open_handles', 'Open files and connections.');
  const handlesLimit = gauge('open_handles_limit', 'How many there may be.');
  const loop = gauge('shed_loop_delay_seconds', 'How late the event loop ran in the last quarter of a second, in the middle.');
  const share = gauge('shed_share', 'Share of reads and writes that is refused because the event loop runs late, 0 to 1.');
  const reliefs = grownCounter(meter, 'memory_reliefs_total', 'How often caches were cleared for want of memory.');
  const counter = meter.counter({
    name: 'shed_requests_total',
    help: 'Requests refused before any work, by reason.',
    labels: ['reason'],
  });
  const shed = Object.keys(figures().shed).map((reason) => ({ reason, tell: grown(counter.series({ reason })) }));
  meter.beforePrinting(() => {
    const now = figures();
    memoryLimit.set(now.memoryLimitBytes);
    memoryFull.set(now.memoryFull ? 1 : 0);
    handlesOpen.set(now.handlesOpen);
    handlesLimit.set(now.handlesLimit);
    loop.set(now.loopDelayMs / 1_000);
    share.set(now.shedShare);
    reliefs(now.memoryReliefs);
    for (const { reason, tell } of shed) tell(now.shed[reason] ?? 0);
  });
}

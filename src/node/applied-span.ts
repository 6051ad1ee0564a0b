/** The span of a write where a replica applies it: a part of the write on the master, whose context travelled with the entry. */

import type { TracedEntry } from '../engine/engine.js';
import { parseTraceparent } from '../model/trace-context.js';
import type { Tracer } from '../model/tracer.js';

/** @param nowMs on the monotonic clock; the entry has just been told of */
export function traceApplied(tracer: Tracer, { seq, trace, tookMs }: TracedEntry, nowMs: number): void {
  const parent = parseTraceparent(trace);
  if (parent === null) return;
  const attributes = { 'skein.seq': seq };
  tracer.start('apply', { kind: 'consumer', parent, startMs: nowMs - tookMs, attributes })?.end(nowMs);
}

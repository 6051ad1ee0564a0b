/** The context of a trace as it travels: W3C Trace Context (www.w3.org/TR/trace-context), level 1, headers `traceparent` and `tracestate`.
 *
 *    00-<32 hex digits: trace>-<16 hex digits: span>-<2 hex digits: flags, bit 0 = sampled>
 *
 *  A later version may have more behind the flags; version ff, and ids of zeros alone, are no context. Bad headers are passed over. */

export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  /** Somebody keeps this trace, so whoever takes part keeps its spans too. */
  readonly sampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,200})?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

/** @returns null for what is no traceparent */
export function parseTraceparent(text: unknown): TraceContext | null {
  if (typeof text !== 'string') return null;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === 'ff' || traceId === NO_TRACE || spanId === NO_SPAN) return null;
  if (version === '00' && more !== undefined) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** In the version that everybody knows. */
export function traceparentOf({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** What one search step costs on this machine, for these vectors: a running mean of what searches took.
 *
 *  It begins with what was measured for a typical machine (docs/BENCHMARKS.md, "Costs of a search") and follows what is seen here, so
 *  the same code plans well on another processor, with another dimension or with quantized vectors. Pure. */

export interface SearchCosts {
  /** Nanoseconds to compare one point in a scan. */
  readonly scanNs: number;
  /** Nanoseconds for one place that a walk through the graph visits. */
  readonly visitNs: number;
  /** Places that a walk without a filter visits for each candidate it keeps (ef). */
  readonly visitsPerEf: number;
}

/** What a search of the graph or a scan was seen to take. */
export interface SearchObservation {
  readonly kind: 'scan' | 'graph';
  /** Points compared, or places visited. */
  readonly count: number;
  readonly tookNs: number;
  /** Of a walk without a filter, over one graph without dead places; else null. */
  readonly ef: number | null;
}

/** The newest observation counts so much; a stall of the machine soon is forgotten. */
const WEIGHT = 1 / 32;
/** An observation counts for no more than this times what was known: a pause of the thread is no property of the index. */
const JUMP_MAX = 4;
/** Fewer are too few to divide a time by. */
const COUNT_MIN = 256;

/** @param bytesPerVector as the index keeps them */
export function typicalCosts(bytesPerVector: number): SearchCosts {
  return { scanNs: 12 + bytesPerVector * 0.035, visitNs: 45 + bytesPerVector * 0.06, visitsPerEf: 16 };
}

export function learnCosts(costs: SearchCosts, { kind, count, tookNs, ef }: SearchObservation): SearchCosts {
  if (count < COUNT_MIN) return costs;
  if (kind === 'scan') return { ...costs, scanNs: follow(costs.scanNs, tookNs / count) };
  const visitNs = follow(costs.visitNs, tookNs / count);
  return { ...costs, visitNs, visitsPerEf: ef === null ? costs.visitsPerEf : follow(costs.visitsPerEf, count / ef) };
}

function follow(known: number, seen: number): number {
  const bounded = Math.min(known * JUMP_MAX, Math.max(known / JUMP_MAX, seen));
  return known + (bounded - known) * WEIGHT;
}

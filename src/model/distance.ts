/** Distances and the scores that clients see.
 *
 *  cosine: similarity in [−1, 1], higher is nearer · dot: inner product, higher is nearer · euclid: L2 distance, lower is nearer.
 *  Sums run over float64 in four fixed lanes, so every node and every build returns the same score for the same bits. */

export type Distance = 'cosine' | 'dot' | 'euclid';
export const DISTANCES: readonly Distance[] = ['cosine', 'dot', 'euclid'];

/** Inner product over equal lengths; float64 accumulation in four lanes. */
export function dot(a: Float32Array, b: Float32Array): number {
  const length = a.length;
  const whole = length - (length % 4);
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i < whole; i += 4) {
    s0 += (a[i] as number) * (b[i] as number);
    s1 += (a[i + 1] as number) * (b[i + 1] as number);
    s2 += (a[i + 2] as number) * (b[i + 2] as number);
    s3 += (a[i + 3] as number) * (b[i + 3] as number);
  }
  for (; i < length; i++) s0 += (a[i] as number) * (b[i] as number);
  return s0 + s1 + (s2 + s3);
}

/** Squared L2 distance over equal lengths. */
export function squaredEuclid(a: Float32Array, b: Float32Array): number {
  const length = a.length;
  const whole = length - (length % 4);
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i < whole; i += 4) {
    const d0 = (a[i] as number) - (b[i] as number);
    const d1 = (a[i + 1] as number) - (b[i + 1] as number);
    const d2 = (a[i + 2] as number) - (b[i + 2] as number);
    const d3 = (a[i + 3] as number) - (b[i + 3] as number);
    s0 += d0 * d0;
    s1 += d1 * d1;
    s2 += d2 * d2;
    s3 += d3 * d3;
  }
  for (; i < length; i++) {
    const d = (a[i] as number) - (b[i] as number);
    s0 += d * d;
  }
  return s0 + s1 + (s2 + s3);
}

export function norm(a: Float32Array): number {
  return Math.sqrt(dot(a, a));
}

/** A scorer bound to one query; call it once per stored vector, as given by the user (not normalised).
 *  A stored zero vector has cosine 0 (it can exist only where cosine was not the distance when it was written). */
export function scorer(distance: Distance, query: Float32Array): (stored: Float32Array) => number {
  if (distance === 'dot') return (stored) => dot(query, stored);
  if (distance === 'euclid') return (stored) => Math.sqrt(squaredEuclid(query, stored));
  const queryNorm = norm(query);
  return (stored) => {
    const product = queryNorm * norm(stored);
    if (product === 0) return 0;
    return Math.max(-1, Math.min(1, dot(query, stored) / product));
  };
}

/** Below zero when score a is nearer than score b. */
export function compareScores(distance: Distance, a: number, b: number): number {
  return distance === 'euclid' ? a - b : b - a;
}

/** Does a score pass a threshold that cuts in the better direction? The bound itself passes. */
export function passesThreshold(distance: Distance, score: number, threshold: number): boolean {
  return distance === 'euclid' ? score <= threshold : score >= threshold;
}

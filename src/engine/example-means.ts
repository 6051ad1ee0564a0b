/** What examples have in common, in float64. Pure. Must not know: points, distances. */

/** 2 · mean(like) − mean(unlike), or mean(like) where there are none to be unlike.
 *  @param lengthOf what each example is divided by before it counts */
export function meanDirection(
  dimension: number,
  like: readonly Float32Array[],
  unlike: readonly Float32Array[],
  lengthOf: (vector: Float32Array) => number,
): Float64Array {
  const mean = (vectors: readonly Float32Array[]): Float64Array => {
    const sum = new Float64Array(dimension);
    for (const vector of vectors) {
      const length = lengthOf(vector);
      for (const [i, value] of vector.entries()) sum[i] = (sum[i] as number) + value / length;
    }
    return sum.map((value) => value / vectors.length);
  };
  const toward = mean(like);
  if (unlike.length === 0) return toward;
  const away = mean(unlike);
  return toward.map((value, i) => 2 * value - (away[i] as number));
}

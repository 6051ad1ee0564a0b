/** Searches by how many points their filter lets pass, because that is what approximate search depends on most. */

export const FILTER_CLASSES = ['none', 'above_50', '10_to_50', '1_to_10', 'below_1'] as const;
/** Share of the points that pass, in percent; none: there is no filter. */
export type FilterClass = (typeof FILTER_CLASSES)[number];

/** @param matches points that pass the filter, of `points` */
export function filterClassOf(filtered: boolean, matches: number, points: number): FilterClass {
  if (!filtered) return 'none';
  const share = matches / Math.max(1, points);
  if (share > 0.5) return 'above_50';
  if (share > 0.1) return '10_to_50';
  return share > 0.01 ? '1_to_10' : 'below_1';
}

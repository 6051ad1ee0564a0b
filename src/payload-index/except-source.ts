/** Labels that have a value beside some that are named: those that have none of the named ones, and of those that have several values the
 *  ones with another among them. Must not know: what the values mean. */

import type { Bitmap } from './bitmap.js';
import { differenceOf } from './bitmap.js';
import type { ForwardValues } from './forward-values.js';
import { cardinality, type LabelSource, MadeOnDemand } from './label-source.js';

export interface Exception {
  /** Labels with any value. */
  readonly holding: Bitmap;
  /** Labels with one of the named values. */
  readonly named: LabelSource;
  readonly forward: ForwardValues;
  /** Is a value none of the named ones? */
  readonly isOther: (value: number) => boolean;
}

/** Cost of making it: the named labels, and one look at each label that has several values (or at each named one when those are fewer). */
export function exceptSource({ holding, named, forward, isOther }: Exception): LabelSource {
  return new MadeOnDemand({
    size: () => {
      const { least, expected, most } = named.size();
      const kept = Math.min(forward.several.size, most);
      return cardinality(holding.size - most, holding.size - expected, holding.size - Math.max(0, least - kept));
    },
    gather: () => {
      const excluded = named.labels();
      const hasOther = (label: number): boolean => forward.several.get(label)?.some(isOther) === true;
      const loose: number[] = [];
      if (excluded.size < forward.several.size)
        for (const label of excluded.toUint32Array()) hasOther(label) && loose.push(label);
      else for (const label of forward.several.keys()) if (excluded.has(label) && hasOther(label)) loose.push(label);
      return { loose: Uint32Array.from(loose), bitmaps: [differenceOf(holding, excluded)] };
    },
    holds: (label) => forward.some(label, isOther),
  });
}

/** Changes of a payload beside merging into it (PointPatch.payload): what clients of the Qdrant dialect ask for. Plain data. */

import type { PathStep } from './path-step.js';

export type PayloadChange =
  /** Each key of `payload` in the place of what stands there, or away with it where it is null. `at`: in the object at this path (in each, where
   *  it goes through all elements of an array); what is missing on the way is made. */
  | { readonly kind: 'set'; readonly payload: Uint8Array; readonly at?: readonly PathStep[] }
  /** In the place of the whole payload. Empty bytes: of nothing. */
  | { readonly kind: 'replace'; readonly payload: Uint8Array }
  /** What stands at these paths goes, in their order; a path that leads nowhere, or ends at a place in an array,
   *  is passed over. */
  | { readonly kind: 'remove'; readonly paths: readonly (readonly PathStep[])[] };

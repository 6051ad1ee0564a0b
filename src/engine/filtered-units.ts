/** Writes to all points that match a filter, as operations for one unit of them after the other. Pure; engine/write-path.ts runs them. */

import type { Filter } from '../model/filter.js';
import { FIXED } from '../model/limits.js';
import type { Operation, OperationResult } from '../model/operation.js';
import type { PointChange, PointId } from '../model/point.js';

export interface UnitForm {
  /** Of one unit. */
  readonly bounds: { readonly limit: number; readonly bytesMax: number };
  /** Do points that were written still match? Then the next unit begins behind them. */
  readonly keepsMatches: boolean;
  /** @param earlier what units before it did */
  operation(collection: string, ids: readonly PointId[], earlier: { readonly points: number; readonly units: number }): Operation;
}

export function deletesOf(where: Filter): UnitForm {
  return {
    bounds: { limit: FIXED.deleteByFilterUnitPoints, bytesMax: FIXED.deleteByFilterUnitBytes },
    keepsMatches: false,
    operation: (collection, ids, { points: deleted, units }) => {
      return { kind: 'delete', collection, ids, where, earlier: { deleted, units } };
    },
  };
}

export function patchesOf(where: Filter, change: PointChange): UnitForm {
  return {
    bounds: { limit: FIXED.patchByFilterUnitPoints, bytesMax: FIXED.patchByFilterUnitBytes },
    keepsMatches: true,
    operation: (collection, ids, { points: patched, units }) => {
      const patches = ids.map((id) => ({ ...change, id }));
      return { kind: 'patch', collection, patches, where, earlier: { patched, units } };
    },
  };
}

/** How many points all units so far have changed. */
export function pointsOf(result: OperationResult | undefined): number {
  if (result?.kind === 'delete') return result.deleted;
  return result?.kind === 'patch' ? result.patched : 0;
}

/** Writes to all points that match a filter, as operations for one unit of them after the other. Pure; engine/write-path.ts runs them. */

import { vectorBytes } from '../model/answer-budget.js';
import { SkeinError } from '../model/errors.js';
import type { Filter } from '../model/filter.js';
import { FIXED } from '../model/limits.js';
import type { Operation, OperationResult } from '../model/operation.js';
import type { PointChange, PointId } from '../model/point.js';

/** Of one unit; the first point is in it however large it is. */
export interface UnitBounds {
  readonly limit: number;
  readonly bytesMax: number;
  /** What each point counts for beside its payload. */
  readonly bytesEach: number;
  /** Do its vectors count too? */
  readonly countsVectors: boolean;
}

export interface UnitForm {
  readonly bounds: UnitBounds;
  /** Do points that were written still match? Then asking again does them once more. */
  readonly keepsMatches: boolean;
  /** @param earlier what units before it did */
  operation(collection: string, ids: readonly PointId[], earlier: UnitsDone): Operation;
}

export interface UnitsDone {
  readonly points: number;
  readonly units: number;
}

export function deletesOf(where: Filter): UnitForm {
  return {
    bounds: {
      ...{ limit: FIXED.deleteByFilterUnitPoints, bytesMax: FIXED.deleteByFilterUnitBytes },
      ...{ bytesEach: 0, countsVectors: false },
    },
    keepsMatches: false,
    operation: (collection, ids, { points: deleted, units }) => {
      return { kind: 'delete', collection, ids, where, earlier: { deleted, units } };
    },
  };
}

/** @param unitBytesMax what the points of one patch may have together */
export function patchesOf(where: Filter, change: PointChange, unitBytesMax: number): UnitForm {
  const bytesMax = Math.min(FIXED.patchByFilterUnitBytes, unitBytesMax);
  // Whole points are written again, with what is given.
  const bytesEach = FIXED.idBytesMax + bytesGiven(change);
  return {
    bounds: { limit: FIXED.patchByFilterUnitPoints, bytesMax, bytesEach, countsVectors: true },
    keepsMatches: true,
    operation: (collection, ids, { points: patched, units }) => {
      const patches = ids.map((id) => ({ ...change, id }));
      return { kind: 'patch', collection, patches, where, earlier: { patched, units } };
    },
  };
}

function bytesGiven({ payload, change, vector, vectors }: PointChange): number {
  const given = change !== undefined && 'payload' in change ? change.payload.length : 0;
  return given + (payload?.length ?? 0) + (vector?.byteLength ?? 0) + (vectors === undefined ? 0 : vectorBytes(vectors));
}

/** How many points all units so far have changed. */
export function pointsOf(result: OperationResult | undefined): number {
  if (result?.kind === 'delete') return result.deleted;
  return result?.kind === 'patch' ? result.patched : 0;
}

/** What ended a write by filter before its end, with how far that came: what is durable stays. A unit that is durable itself was the last one. */
export function afterUnits(error: unknown, { keepsMatches }: UnitForm, done: UnitsDone): unknown {
  if (!(error instanceof SkeinError) || done.units === 0 || error.details['state'] === 'durable') return error;
  const { points, units } = done;
  const again = keepsMatches ? 'asking again does these once more, and then the others' : 'asking again does the others';
  const message = `${error.message}; ${points} points in ${units} unit${units === 1 ? '' : 's'} before it are done and stay so, ${again}`;
  return new SkeinError(error.type, message, { ...error.details, done }, error);
}

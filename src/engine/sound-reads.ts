/** The store as indexes read it: damaged rows are passed over and remembered, so that one of them costs its own point and not the index.
 *
 *  Whoever answers from such an index must say that it is not complete (IndexReport.damaged); reads by id and scans of rows go on to refuse.
 *  Must not know: indexes, repairs. */

import { SkeinError } from '../model/errors.js';
import type { LabelRow, StoreReads } from '../storage/storage.js';

export interface IndexReads extends StoreReads {
  /** Labels of live points that were passed over. */
  readonly damagedLabels?: ReadonlySet<number>;
}

/** Of one collection. */
export function soundReads(reads: StoreReads): IndexReads {
  const damagedLabels = new Set<number>();
  const passOver = (uid: number, label: number): void => {
    if (reads.lookAtLabel(uid, label)?.dead !== true) damagedLabels.add(label);
  };
  const orNone = <Row>(uid: number, label: number, read: () => Row | undefined): Row | undefined => {
    try {
      return read();
    } catch (error) {
      damagedLabel(error);
      passOver(uid, label);
      return undefined;
    }
  };
  const oneByOne = (uid: number, fromLabel: number, limit: number, bytesMax: number, withPayload: boolean): LabelRow[] => {
    const found: LabelRow[] = [];
    let bytes = 0;
    for (let next = fromLabel; found.length < limit && bytes < bytesMax; ) {
      try {
        const [row] = reads.labelsFrom(uid, next, 1, 1, withPayload);
        if (row === undefined) break;
        found.push(row);
        bytes += row.vectorSet.length + (row.payload?.length ?? 0);
        next = row.label + 1;
      } catch (error) {
        const label = damagedLabel(error);
        passOver(uid, label);
        next = label + 1;
      }
    }
    return found;
  };
  return {
    ...reads,
    damagedLabels,
    labelsFrom: (uid, fromLabel, limit, bytesMax, withPayload = false) => {
      try {
        return reads.labelsFrom(uid, fromLabel, limit, bytesMax, withPayload);
      } catch (error) {
        damagedLabel(error);
        return oneByOne(uid, fromLabel, limit, bytesMax, withPayload);
      }
    },
    changedBetween: (uid, afterSeq, throughSeq, limit, bytesMax) => {
      const page = reads.changedBetween(uid, afterSeq, throughSeq, limit, bytesMax);
      for (const label of page.damaged) passOver(uid, label);
      return page;
    },
    pointByLabel: (uid, label) => orNone(uid, label, () => reads.pointByLabel(uid, label)),
    vectorSet: (uid, label) => orNone(uid, label, () => reads.vectorSet(uid, label)),
    headByLabel: (uid, label) => orNone(uid, label, () => reads.headByLabel(uid, label)),
  };
}

/** The label whose row is damaged. @throws the error when it names none: a page that cannot be read, or no damage at all */
function damagedLabel(error: unknown): number {
  const label = error instanceof SkeinError && error.type === 'CorruptData' ? error.details['label'] : null;
  if (typeof label !== 'number') throw error;
  return label;
}

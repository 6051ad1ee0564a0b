/** Measures of each collection: points, memory, disk. The largest hundred have series of their own, the others are one: names come from
 *  callers, and what a scrape costs must not. Must not know: how a collection is kept. */

import type { CollectionInfo } from '../engine/engine.js';
import type { Meter } from '../model/meter.js';

/** No collection has this name. */
export const OTHER_COLLECTIONS = '(other)';
const SHOWN_MAX = 100;

type Sized = Pick<CollectionInfo, 'name' | 'pointsCount' | 'memoryBytes' | 'diskBytes'>;

/** @returns takes all collections before they are printed */
export function measureCollections(meter: Meter): (collections: readonly Sized[]) => void {
  const gauge = (name: string, help: string) => meter.gauge({ name: `collection_${name}`, help, labels: ['collection'] });
  const points = gauge('points', 'Live points of a collection.');
  const memory = gauge('memory_bytes', 'Memory of the indexes of a collection.');
  const disk = gauge('disk_bytes', 'Bytes of the rows and checkpoints of a collection.');
  return (collections) => {
    for (const measure of [points, memory, disk]) measure.clear();
    for (const { name, pointsCount, memoryBytes, diskBytes } of shownOf(collections)) {
      const labels = { collection: name };
      points.series(labels).set(pointsCount);
      memory.series(labels).set(memoryBytes);
      disk.series(labels).set(diskBytes);
    }
  };
}

function shownOf(collections: readonly Sized[]): readonly Sized[] {
  if (collections.length <= SHOWN_MAX) return collections;
  const ordered = [...collections].sort((a, b) => b.pointsCount - a.pointsCount);
  const others = ordered.slice(SHOWN_MAX);
  const sum = (of: (one: Sized) => number): number => others.reduce((total, one) => total + of(one), 0);
  return [
    ...ordered.slice(0, SHOWN_MAX),
    {
      name: OTHER_COLLECTIONS,
      pointsCount: sum((one) => one.pointsCount),
      memoryBytes: sum((one) => one.memoryBytes),
      diskBytes: sum((one) => one.diskBytes),
    },
  ];
}

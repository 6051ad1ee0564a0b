/** Work that fills a disk beside a running server, given up before the server itself is refused its writes.
 *  Must not know: what the work is. */

import { statfs } from 'node:fs/promises';
import { StorageFull } from '../storage/storage.js';

const LOOK_MS = 100;
/** Over the watermark of writes by so much: what a disk takes between two looks must not reach it. */
const FACTOR = 1.25;

export interface RoomRule {
  readonly folder: string;
  /** Below it the server refuses writes; 0: nothing is watched. */
  readonly freeBytesMin: number;
  /** Called at least once when too little is left, until the watch is ended. */
  onShort(error: StorageFull): void;
}

/** @returns what ends the watch  @throws StorageFull when there is too little from the beginning · Error when the folder cannot be asked */
export async function watchRoom({ folder, freeBytesMin, onShort }: RoomRule): Promise<() => void> {
  if (freeBytesMin === 0) return () => {};
  const shortage = async (): Promise<StorageFull | null> => {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize >= freeBytesMin * FACTOR) return null;
    return new StorageFull(`The disk has only ${bavail * bsize} bytes free, and writes need ${freeBytesMin}`);
  };
  const found = await shortage();
  if (found !== null) throw found;
  const timer = setInterval(() => {
    shortage().then(
      (short) => short !== null && onShort(short),
      // A folder that is gone is found out by the work.
      () => clearInterval(timer),
    );
  }, LOOK_MS);
  return () => clearInterval(timer);
}

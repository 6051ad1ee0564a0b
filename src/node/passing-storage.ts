/** Says when a data folder lies where data ends with its container or its machine. The server starts all the same: for a trial that is
 *  what is wanted. File systems by their numbers on Linux (statfs(2)); other systems number them otherwise, and nothing is said there.
 *  Must not know: what lies in the folder. */

import { statfs } from 'node:fs/promises';
import type { Log } from '../model/log.js';

const PASSING: ReadonlyMap<number, string> = new Map([
  [0x794c7630, 'the writable layer of a container (overlay)'],
  [0x61756673, 'the writable layer of a container (aufs)'],
  [0x01021994, 'memory (tmpfs)'],
  [0x858458f6, 'memory (ramfs)'],
]);

/** @param type of statfs  @returns what it is, or null when it stays */
export function passingStorage(type: number): string | null {
  return PASSING.get(type >>> 0) ?? null;
}

/** One line in the log, where the folder lies on what passes. @param platform process.platform @throws Error of the file system */
export async function warnOfPassingStorage(dataDir: string, platform: string, log: Log): Promise<void> {
  if (platform !== 'linux') return;
  const storage = passingStorage((await statfs(dataDir)).type);
  if (storage === null) return;
  log.warn('data_is_ephemeral', {
    data_dir: dataDir,
    storage,
    advice: 'the data is gone when the container or the machine is: mount a volume there',
  });
}

/** Makes a folder whose path somebody gave, with those above it that are missing. Instead of mkdir with `recursive`: that one never ends, with a
 *  core of its own, where a folder that is there takes no others and says ENOENT (/proc, a link to a disk that is not mounted).
 *  Seen with Node 20.20. Must not know: what the folder is for. */

import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Does nothing where it is there already. @throws Error of the file system, naming the folder that cannot be made
 *  Cost: one call to the system for each part of the path that is missing, and one more. */
export function makeFolder(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); !isThere(at) && dirname(at) !== at; at = dirname(at)) missing.push(at);
  // A file in its place: mkdir says so.
  if (missing.length === 0 && !isFolder(path)) missing.push(resolve(path));
  for (const folder of missing.reverse()) makeOne(folder);
}

function makeOne(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isFolder(folder)) throw error;
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

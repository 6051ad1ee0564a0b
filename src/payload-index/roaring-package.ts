/** Loads the package roaring without the installer by which it looks for its binary: that is 65 modules and 40 ms in each thread.
 *
 *  Where the binary is not found as expected (built from source into another folder, more than one), the package looks for it by itself.
 *  Must not know: bitmaps. */

import { readdirSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { dirname, join } from 'node:path';
import type Roaring from 'roaring';

const require = createRequire(import.meta.url);
/** What the package asks for the path of its binary, `find(its package.json)`. */
const FINDER = '@mapbox/node-pre-gyp/lib/pre-binding';

/** The process as the folder of a binary names it. */
export interface Build {
  /** Of Node's binary interface, `process.versions.modules`. */
  readonly abi: string;
  readonly platform: string;
  readonly arch: string;
}

/** @param names folders of binaries, such as `roaring-node-v115-linux-x64-glibc`  @returns the only one that fits, or null */
export function folderFor(names: readonly string[], { abi, platform, arch }: Build): string | null {
  const fitting = names.filter((name) => name.startsWith(`roaring-node-v${abi}-${platform}-${arch}-`));
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

/** @throws Error when the package or its binary is not there */
export function loadRoaring(): typeof Roaring {
  const finder = answerBeforeAsked();
  try {
    return require('roaring') as typeof Roaring;
  } finally {
    if (finder !== null) delete require.cache[finder];
  }
}

/** Puts the path of the binary where the package asks for it. @returns where that is, or null when nothing was put */
function answerBeforeAsked(): string | null {
  const own = require.resolve('roaring');
  const binaries = join(dirname(own), 'native');
  try {
    const finder = createRequire(own).resolve(FINDER);
    const folder = folderFor(readdirSync(binaries), { ...process, abi: process.versions.modules });
    if (folder === null || require.cache[finder] !== undefined) return null;
    const answer = new Module(finder);
    answer.exports = { find: () => join(binaries, folder, 'roaring.node') };
    answer.loaded = true;
    require.cache[finder] = answer;
    return finder;
  } catch {
    return null;
  }
}

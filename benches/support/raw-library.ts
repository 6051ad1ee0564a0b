/** hnswlib-node itself, for what is held against it: with AVX2 and FMA where this processor has them, as Skein's own build has.
 *
 *  The binary of npm knows no AVX and is slower by about a quarter: a comparison with it would flatter. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as Hnswlib from 'hnswlib-node';

type Library = typeof Hnswlib;
export type RawGraph = InstanceType<Library['HierarchicalNSW']>;

/** Seen from dist/benches/support/. */
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

/** Builds it when it is not there: ten seconds, once. */
export function rawLibrary(): Library['HierarchicalNSW'] {
  execFileSync(process.execPath, [join(PROJECT, 'src', 'install', 'build-native.js'), '--reference'], { stdio: 'inherit' });
  const built = join(PROJECT, 'build', 'native', 'hnswlib-avx2.node');
  const require = createRequire(import.meta.url);
  return (require(existsSync(built) ? built : 'hnswlib-node') as Library).HierarchicalNSW;
}

/** Native builds: chooses, at load, which binary keeps this process's graphs.
 *
 *    build/native/graph-avx2.{node,json}    our addon (native/), made by src/install/build-native.js, maybe on another machine (an image)
 *    build/native/graph-plain.{node,json}   the same for every processor of the architecture
 *    hnswlib-node's own binary              where neither could be made (library-graph.ts): slower, float32 only
 *
 *  Invariant: a binary of ours is loaded only when its marker and SHA-256 match, it belongs to the installed version of hnswlib-node, and
 *  this processor has what it was built for: otherwise the process would die of SIGILL, which nothing can catch.
 *  Must not know: indexes, points, threads (every worker that loads it gets the same choice). */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../model/errors.js';
import { type LibraryIndexConstructor, libraryGraphs } from './library-graph.js';
import type { NativeGraphConstructor } from './native-graph.js';
import { VECTOR_FORMS, type VectorForm } from './vector-index.js';

export interface LoadedNative {
  readonly Graph: NativeGraphConstructor;
  readonly build: 'avx2' | 'plain' | 'hnswlib-node';
  /** In which its graphs can keep vectors. */
  readonly forms: readonly VectorForm[];
  /** Why this build, in words for a log line and for `status`. */
  readonly reason: string;
}

/** What the choice depends on; the defaults are this machine and this installation. */
export interface NativeSources {
  /** The folder that may hold our binaries and their markers. */
  readonly folder?: string;
  /** The processor's flags in lower case, as /proc/cpuinfo names them. */
  readonly cpuFlags?: ReadonlySet<string>;
  /** The value of SKEIN_NATIVE_BUILD; `plain` refuses the AVX2 build, `hnswlib-node` all of ours. */
  readonly setting?: string | undefined;
}

/** What the addon must say of itself: the calls of native-graph.ts as they are now. */
const ADDON_VERSION = 1;
const NEEDED_FLAGS = ['avx2', 'fma', 'f16c'];
/** Seen from dist/src/vector-index/. */
const BUILD_FOLDER = fileURLToPath(new URL('../../../build/native/', import.meta.url));
const require = createRequire(import.meta.url);

/** Loads the binary that fits. Cost: about 2 ms (the binary is hashed); Node loads each binary once per thread.
 *  @throws Error when even hnswlib-node's binary cannot be loaded (it is not installed, or was built for another system). */
export function loadNative(sources: NativeSources = {}): LoadedNative {
  const setting = 'setting' in sources ? sources.setting : process.env['SKEIN_NATIVE_BUILD'];
  if (setting === 'hnswlib-node') return loadLibrary('SKEIN_NATIVE_BUILD=hnswlib-node');
  const folder = sources.folder ?? BUILD_FOLDER;
  const refusal = refusalOfAvx2(setting, sources.cpuFlags);
  const avx2 = refusal ?? loadOurs(folder, 'avx2');
  const forms = VECTOR_FORMS;
  if (typeof avx2 !== 'string') return { Graph: avx2, build: 'avx2', forms, reason: 'this processor has avx2, fma and f16c' };
  const plain = loadOurs(folder, 'plain');
  if (typeof plain !== 'string') return { Graph: plain, build: 'plain', forms, reason: avx2 };
  return loadLibrary(refusal === null ? `${avx2}; ${plain}` : plain);
}

function refusalOfAvx2(setting: string | undefined, cpuFlags: ReadonlySet<string> | undefined): string | null {
  if (setting === 'plain') return 'SKEIN_NATIVE_BUILD=plain';
  const flags = cpuFlags ?? readCpuFlags();
  const missing = NEEDED_FLAGS.filter((flag) => !flags.has(flag));
  return missing.length === 0 ? null : `this processor lacks ${missing.join(' and ')}`;
}

/** @returns the addon's class, or why it is not to be had */
function loadOurs(folder: string, build: 'avx2' | 'plain'): NativeGraphConstructor | string {
  const distrust = findDistrust(folder, build);
  if (distrust !== null) return distrust;
  try {
    const addon: unknown = require(join(folder, `graph-${build}.node`));
    if (typeof addon !== 'object' || addon === null || !('Graph' in addon && 'version' in addon))
      return `the ${build} build is not ours`;
    if (addon.version !== ADDON_VERSION) return `the ${build} build is of another version of Skein`;
    return addon.Graph as NativeGraphConstructor;
  } catch (error) {
    return `the ${build} build does not load: ${messageOf(error)}`;
  }
}

function loadLibrary(reason: string): LoadedNative {
  const addon: unknown = require('hnswlib-node');
  if (typeof addon !== 'object' || addon === null || !('HierarchicalNSW' in addon))
    throw new Error('hnswlib-node has no HierarchicalNSW');
  const Graph = libraryGraphs(addon.HierarchicalNSW as LibraryIndexConstructor);
  return { Graph, build: 'hnswlib-node', forms: ['none'], reason };
}

/** Why a binary in `folder` must not be loaded, or null when its marker vouches for it. */
function findDistrust(folder: string, build: string): string | null {
  let marker: Record<string, unknown>;
  let binary: Buffer;
  try {
    marker = JSON.parse(readFileSync(join(folder, `graph-${build}.json`), 'utf8')) as Record<string, unknown>;
    binary = readFileSync(join(folder, `graph-${build}.node`));
  } catch {
    return `no ${build} build was made at installation`;
  }
  const installed = installedVersion();
  if (marker['hnswlibNode'] !== installed) return `the ${build} build is of another version than hnswlib-node ${installed}`;
  if (marker['platform'] !== process.platform || marker['arch'] !== process.arch)
    return `the ${build} build is for another platform`;
  const sum = createHash('sha256').update(binary).digest('hex');
  return marker['sha256'] === sum ? null : `the ${build} build differs from its marker`;
}

function installedVersion(): string {
  const description = require('hnswlib-node/package.json') as { readonly version: string };
  return description.version;
}

function readCpuFlags(): ReadonlySet<string> {
  if (process.arch !== 'x64') return new Set();
  try {
    return new Set(cpuFlagsText().toLowerCase().split(/\s+/));
  } catch {
    return new Set();
  }
}

function cpuFlagsText(): string {
  if (process.platform === 'linux') return /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  if (process.platform !== 'darwin') return '';
  return execFileSync('sysctl', ['-n', 'machdep.cpu.features', 'machdep.cpu.leaf7_features'], { encoding: 'utf8' });
}

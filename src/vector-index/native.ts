/** Native builds: chooses, at load, which binary of hnswlib-node this process runs.
 *
 *    build/native/hnswlib-avx2.{node,json}   made by src/install/build-native.js, maybe on another machine (an image)
 *    hnswlib-node's own plain binary         works on every processor
 *
 *  Invariant: the AVX2 binary is loaded only when its marker and SHA-256 match, it belongs to the installed version of
 *  hnswlib-node, and this processor has AVX2 and FMA: otherwise the process would die of SIGILL, which nothing can catch.
 *  Must not know: indexes, points, threads (every worker that loads it gets the same choice). */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../model/errors.js';

/** What Skein uses of hnswlib-node 3's HierarchicalNSW. Everything is synchronous but readIndex and writeIndex.
 *  Danger: the native side checks little. A component that is not a number, or a filter that throws, aborts the process;
 *  NaN and labels outside uint32 are taken silently. Callers validate first. */
export interface NativeGraph {
  initIndex(maxElements: number, m?: number, efConstruct?: number, randomSeed?: number, allowReplaceDeleted?: boolean): void;
  /** Resets ef to 10; only on a fresh object, and only on a file whose checksum was verified. */
  readIndex(filename: string, allowReplaceDeleted?: boolean): Promise<boolean>;
  readIndexSync(filename: string, allowReplaceDeleted?: boolean): void;
  writeIndex(filename: string): Promise<boolean>;
  writeIndexSync(filename: string): void;
  resizeIndex(newMaxElements: number): void;
  addPoint(point: number[], label: number, replaceDeleted?: boolean): void;
  markDelete(label: number): void;
  unmarkDelete(label: number): void;
  /** Throws when `numNeighbors` exceeds the capacity. */
  searchKnn(query: number[], numNeighbors: number, filter?: (label: number) => boolean): NativeHits;
  /** Includes deleted labels, as does getCurrentCount. */
  getIdsList(): number[];
  /** Throws for a deleted label. */
  getPoint(label: number): number[];
  getMaxElements(): number;
  getCurrentCount(): number;
  getNumDimensions(): number;
  getEf(): number;
  setEf(ef: number): void;
}

export interface NativeHits {
  readonly distances: number[];
  readonly neighbors: number[];
}

/** `l2` is the squared distance, `ip` and `cosine` are 1 − the product. */
export type NativeGraphConstructor = new (space: 'l2' | 'ip' | 'cosine', dimension: number) => NativeGraph;

export interface LoadedNative {
  readonly HierarchicalNSW: NativeGraphConstructor;
  readonly build: 'avx2' | 'plain';
  /** Why this build, in words for a log line and for `status`. */
  readonly reason: string;
}

/** What the choice depends on; the defaults are this machine and this installation. */
export interface NativeSources {
  /** The folder that may hold hnswlib-avx2.node and its marker. */
  readonly folder?: string;
  /** The processor's flags in lower case, as /proc/cpuinfo names them. */
  readonly cpuFlags?: ReadonlySet<string>;
  /** The value of SKEIN_NATIVE_BUILD; `plain` refuses the AVX2 build. */
  readonly setting?: string | undefined;
}

const NEEDED_FLAGS = ['avx2', 'fma'];
/** Seen from dist/src/vector-index/. */
const BUILD_FOLDER = fileURLToPath(new URL('../../../build/native/', import.meta.url));
const require = createRequire(import.meta.url);

/** Loads the binary that fits. Cost: about 2 ms (the binary is hashed); Node loads each binary once per thread.
 *  @throws Error when even the plain binary cannot be loaded (hnswlib-node is not installed, or was built for another system). */
export function loadNative(sources: NativeSources = {}): LoadedNative {
  const setting = 'setting' in sources ? sources.setting : process.env['SKEIN_NATIVE_BUILD'];
  if (setting === 'plain') return loadPlain('SKEIN_NATIVE_BUILD=plain');
  const flags = sources.cpuFlags ?? readCpuFlags();
  const missing = NEEDED_FLAGS.filter((flag) => !flags.has(flag));
  if (missing.length > 0) return loadPlain(`this processor lacks ${missing.join(' and ')}`);
  const folder = sources.folder ?? BUILD_FOLDER;
  const distrust = findDistrust(folder);
  if (distrust !== null) return loadPlain(distrust);
  try {
    const addon = requireAddon(join(folder, 'hnswlib-avx2.node'));
    return { HierarchicalNSW: addon, build: 'avx2', reason: 'this processor has avx2 and fma' };
  } catch (error) {
    return loadPlain(`the AVX2 build does not load: ${messageOf(error)}`);
  }
}

function loadPlain(reason: string): LoadedNative {
  return { HierarchicalNSW: requireAddon('hnswlib-node'), build: 'plain', reason };
}

function requireAddon(name: string): NativeGraphConstructor {
  const addon: unknown = require(name);
  if (typeof addon !== 'object' || addon === null || !('HierarchicalNSW' in addon))
    throw new Error(`${name} is not hnswlib-node`);
  if (typeof addon.HierarchicalNSW !== 'function') throw new Error(`${name} has no HierarchicalNSW`);
  return addon.HierarchicalNSW as NativeGraphConstructor;
}

/** Why the AVX2 binary in `folder` must not be loaded, or null when its marker vouches for it. */
function findDistrust(folder: string): string | null {
  let marker: Record<string, unknown>;
  let binary: Buffer;
  try {
    marker = JSON.parse(readFileSync(join(folder, 'hnswlib-avx2.json'), 'utf8')) as Record<string, unknown>;
    binary = readFileSync(join(folder, 'hnswlib-avx2.node'));
  } catch {
    return 'no AVX2 build was made at installation';
  }
  const installed = installedVersion();
  if (marker['hnswlibNode'] !== installed) return `the AVX2 build is of another version than hnswlib-node ${installed}`;
  if (marker['platform'] !== process.platform || marker['arch'] !== process.arch) return 'the AVX2 build is for another platform';
  const sum = createHash('sha256').update(binary).digest('hex');
  return marker['sha256'] === sum ? null : 'the AVX2 build differs from its marker';
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

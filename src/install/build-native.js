/** Runs after `npm install`: builds the native graph (src/vector-index/native/) over the headers that hnswlib-node brings.
 *
 *    build/native/graph-plain.node + .json   for every processor of this architecture
 *    build/native/graph-avx2.node + .json    with AVX2, FMA and F16C, where this processor has them; native.ts chooses at run time
 *
 *  Invariant: it never fails an installation. Whatever goes wrong is one warning and exit code 0; without any of them hnswlib-node's own
 *  binary serves, and without avx2 the plain one does. Compiled is only what is not there, or came from other sources.
 *  SKEIN_NATIVE_BUILD=plain leaves avx2 out; `--reference` builds hnswlib-node itself with the same flags, for benches to be held against.
 *  Must not know: any room of src/ (none is compiled when this runs). */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedLibrary, isCurrent, putInPlace, reasonAgainstAvx2, runNode, runNodeGyp, sha256 } from './native-tools.js';

const projectFolder = fileURLToPath(new URL('../../', import.meta.url));
const sourceFolder = join(projectFolder, 'src', 'vector-index', 'native');
const targetFolder = join(projectFolder, 'build', 'native');
const REFERENCE_FLAGS = '-O3 -mavx2 -mfma';

/** Binary and marker of a build. */
function placeOf(name) {
  return { binary: join(targetFolder, `${name}.node`), marker: join(targetFolder, `${name}.json`) };
}

/** What a marker must say for its binary to be the one that would be built now. */
function factsOf(library, sources) {
  return { sources, hnswlibNode: library.version, platform: process.platform, arch: process.arch };
}

/** One hash of all that is compiled and how. */
function hashOfSources() {
  const names = readdirSync(sourceFolder).sort();
  return sha256(names.map((name) => `${name} ${sha256(readFileSync(join(sourceFolder, name)))}\n`).join(''));
}

/** A copy of the sources in which node-gyp may leave what it likes. */
function inWorkFolder(work) {
  mkdirSync(targetFolder, { recursive: true });
  const folder = mkdtempSync(join(targetFolder, 'work-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds, tries each binary in a process of its own, and only then puts them in place. @param builds 'plain', 'avx2' */
function buildGraphs(builds, library, facts) {
  inWorkFolder((folder) => {
    cpSync(sourceFolder, folder, { recursive: true });
    cpSync(join(library.folder, 'src', 'hnswlib'), join(folder, 'hnswlib'), { recursive: true });
    const defines = ['plain', 'avx2'].map((build) => `${build}=${builds.includes(build) ? 1 : 0}`).join(' ');
    runNodeGyp(folder, { GYP_DEFINES: defines, NODE_PATH: library.modules });
    for (const build of builds) {
      const built = join(folder, 'build', 'Release', `graph-${build}.node`);
      runNode(['-e', trialOf(built)], { cwd: folder });
      putInPlace(built, placeOf(`graph-${build}`), facts);
    }
  });
}

/** A program that fails unless the binary finds what it was given, in every form of vectors and through a filter. */
function trialOf(binary) {
  return `const { Graph } = require(${JSON.stringify(binary)});
    for (const form of ['none', 'float16', 'int8']) {
      const graph = new Graph('euclid', 40, form);
      graph.create(8, 4, 20, 1);
      const vector = (label) => Float32Array.from({ length: 40 }, (_, i) => Math.sin(label * 40 + i));
      for (let label = 0; label < 8; label += 1) { graph.load(vector(label), 1); graph.insert(label, true); }
      const bits = new Uint32Array(2048);
      for (const filter of [null, { pageOf: Int32Array.of(0), bits: bits.fill(1 << 5, 0, 1), size: 1 }]) {
        const { labels } = graph.search(vector(5), 1, { limit: 1, ef: 8, visitsMax: 0 }, filter);
        if (labels.length !== 1 || labels[0] !== 5) throw new Error('the new binary searches wrongly');
      }
    }`;
}

function buildAll() {
  const against = reasonAgainstAvx2();
  const wanted = against === null ? ['avx2', 'plain'] : ['plain'];
  const library = installedLibrary();
  const facts = factsOf(library, hashOfSources());
  const missing = wanted.filter((build) => {
    const { binary, marker } = placeOf(`graph-${build}`);
    return !isCurrent(binary, marker, facts);
  });
  const shown = `${wanted.join(' and ')}${against === null ? '' : `; ${against}`}`;
  if (missing.length === 0) return console.log(`skein: the native graph is already there (${shown})`);
  try {
    buildGraphs(missing, library, facts);
    console.log(`skein: the native graph was built (${shown})`);
  } catch (error) {
    // A compiler may know nothing of the flags of one build.
    if (!missing.includes('plain') || missing.length === 1) throw error;
    buildGraphs(['plain'], library, facts);
    console.warn(`skein: the native graph was built for plain processors only (slower by about a quarter): ${error.message}`);
  }
}

/** hnswlib-node with the flags of our AVX2 build. */
function buildReference() {
  const library = installedLibrary();
  const facts = { ...factsOf(library, REFERENCE_FLAGS) };
  const place = placeOf('hnswlib-avx2');
  if (reasonAgainstAvx2() !== null || isCurrent(place.binary, place.marker, facts)) return;
  inWorkFolder((folder) => {
    cpSync(library.folder, folder, { recursive: true, filter: (source) => source !== join(library.folder, 'build') });
    runNodeGyp(folder, { CXXFLAGS: REFERENCE_FLAGS, NODE_PATH: library.modules });
    putInPlace(join(folder, 'build', 'Release', 'addon.node'), place, facts);
  });
}

const isReference = process.argv.includes('--reference');
const loss = isReference
  ? 'no reference was built'
  : 'no native graph was built, hnswlib-node serves (no quantization, slow filters and scans)';
try {
  if (isReference) buildReference();
  else buildAll();
} catch (error) {
  console.warn(`skein: ${loss}: ${error instanceof Error ? error.message : String(error)}`);
}

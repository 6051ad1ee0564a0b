/** Runs after `npm install`: builds hnswlib-node once more with AVX2 and FMA, beside the plain binary that npm made.
 *
 *    node_modules/hnswlib-node/build/Release/addon.node   plain; never touched here
 *    build/native/hnswlib-avx2.node + .json               this build and its marker; src/vector-index/native.ts chooses at run time
 *
 *  Invariant: it never fails an installation. Whatever goes wrong is one warning and exit code 0, and the plain binary serves.
 *  SKEIN_NATIVE_BUILD=plain switches it off. Must not know: any room of src/ (none is compiled when this runs). */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FLAGS = '-O3 -mavx2 -mfma';
const BUILD_DEADLINE_MS = 300_000;
const projectFolder = fileURLToPath(new URL('../../', import.meta.url));
const targetFolder = join(projectFolder, 'build', 'native');
const binaryPath = join(targetFolder, 'hnswlib-avx2.node');
const markerPath = join(targetFolder, 'hnswlib-avx2.json');

/** Why no AVX2 build is wanted on this machine, or null when it is. */
function reasonToSkip() {
  if (process.env.SKEIN_NATIVE_BUILD === 'plain') return 'SKEIN_NATIVE_BUILD=plain';
  if (process.arch !== 'x64') return `processor architecture ${process.arch}`;
  if (process.platform !== 'linux' && process.platform !== 'darwin') return `platform ${process.platform}`;
  const flags = cpuFlags();
  if (!flags.has('avx2') || !flags.has('fma')) return 'this processor has no AVX2 or FMA';
  return null;
}

function cpuFlags() {
  const text =
    process.platform === 'linux'
      ? (/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '')
      : execFileSync('sysctl', ['-n', 'machdep.cpu.features', 'machdep.cpu.leaf7_features'], { encoding: 'utf8' });
  return new Set(text.toLowerCase().split(/\s+/));
}

function sha256(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function isCurrent(version) {
  if (!existsSync(markerPath) || !existsSync(binaryPath)) return false;
  try {
    const marker = JSON.parse(readFileSync(markerPath, 'utf8'));
    return (
      marker.hnswlibNode === version &&
      marker.flags === FLAGS &&
      marker.platform === process.platform &&
      marker.arch === process.arch &&
      marker.sha256 === sha256(binaryPath)
    );
  } catch {
    return false;
  }
}

/** npm tells its scripts where its own node-gyp is; started by hand, the one of the npm beside this node is taken. */
function findNodeGyp() {
  const fromNpm = process.env.npm_execpath === undefined ? [] : [join(dirname(process.env.npm_execpath), '..')];
  const besideNode = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm');
  const candidates = [
    process.env.npm_config_node_gyp,
    ...[...fromNpm, besideNode].map((npm) => join(npm, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js')),
  ];
  const found = candidates.find((path) => path !== undefined && existsSync(path));
  if (found === undefined) throw new Error('node-gyp, which comes with npm, was not found');
  return found;
}

/** The headers that came with this node, where they did, so that node-gyp need not fetch them. */
function headersEnvironment() {
  const prefix = join(dirname(process.execPath), '..');
  const here = process.env.npm_config_nodedir === undefined && existsSync(join(prefix, 'include', 'node', 'node_api.h'));
  return here ? { npm_config_nodedir: prefix } : {};
}

function run(command, options) {
  const result = spawnSync(process.execPath, command, { encoding: 'utf8', timeout: BUILD_DEADLINE_MS, ...options });
  if (result.error !== undefined) throw result.error;
  if (result.status === 0) return;
  const lines = `${result.stdout}${result.stderr}`.split('\n').filter((line) => line.trim() !== '');
  const reason =
    lines.find((line) => /\berror: |ERR! stack Error|^Error: /.test(line)) ?? lines.at(-1) ?? `exit code ${result.status}`;
  throw new Error(reason.replace('gyp ERR! stack ', '').trim());
}

/** Builds in a copy of the package's sources, tries the binary in a process of its own, and only then puts it in place. */
function build(packageFolder, packageRequire, version) {
  mkdirSync(targetFolder, { recursive: true });
  const workFolder = mkdtempSync(join(targetFolder, 'work-'));
  try {
    cpSync(packageFolder, workFolder, {
      recursive: true,
      filter: (source) => source !== join(packageFolder, 'build'),
    });
    const addonApi = dirname(dirname(packageRequire.resolve('node-addon-api/package.json')));
    run([findNodeGyp(), 'rebuild'], {
      cwd: workFolder,
      env: { ...process.env, ...headersEnvironment(), CXXFLAGS: FLAGS, NODE_PATH: addonApi },
    });
    const built = join(workFolder, 'build', 'Release', 'addon.node');
    const trial = `const { HierarchicalNSW } = require(${JSON.stringify(built)});
      const index = new HierarchicalNSW('l2', 16);
      index.initIndex(8);
      for (let label = 0; label < 8; label += 1) index.addPoint(new Array(16).fill(label), label);
      if (index.searchKnn(new Array(16).fill(5), 1).neighbors[0] !== 5) throw new Error('error: the new binary searches wrongly');`;
    run(['-e', trial], { cwd: workFolder });
    const marker = {
      hnswlibNode: version,
      flags: FLAGS,
      platform: process.platform,
      arch: process.arch,
      napi: process.versions.napi,
      node: process.versions.node,
      sha256: sha256(built),
    };
    // The old marker goes first: at no moment does a marker vouch for a binary it does not belong to.
    rmSync(markerPath, { force: true });
    renameSync(built, binaryPath);
    writeFileSync(join(workFolder, 'marker.json'), `${JSON.stringify(marker, null, 2)}\n`);
    renameSync(join(workFolder, 'marker.json'), markerPath);
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
}

try {
  const skip = reasonToSkip();
  if (skip !== null) {
    console.log(`skein: hnswlib-node stays the plain build (${skip})`);
  } else {
    const packageRequire = createRequire(import.meta.resolve('hnswlib-node'));
    const packageFolder = dirname(packageRequire.resolve('hnswlib-node/package.json'));
    const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
    if (isCurrent(version)) {
      console.log('skein: the AVX2 build of hnswlib-node is already there');
    } else {
      build(packageFolder, packageRequire, version);
      console.log('skein: hnswlib-node was built with AVX2 and FMA');
    }
  }
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  console.warn(`skein: no AVX2 build of hnswlib-node, the plain one serves (slower by about a quarter): ${reason}`);
}

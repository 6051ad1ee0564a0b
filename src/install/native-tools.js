/** What building a native addon takes: node-gyp, Node's headers, the processor's flags, and a way to put a binary and its marker in place.
 *
 *  Invariant: at no moment does a marker vouch for a binary that it does not belong to. Must not know: what is built. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const BUILD_DEADLINE_MS = 300_000;
const AVX2_FLAGS = ['avx2', 'fma', 'f16c'];

/** Why no AVX2 build is wanted on this machine, or null when it is. */
export function reasonAgainstAvx2() {
  if (process.env.SKEIN_NATIVE_BUILD === 'plain') return 'SKEIN_NATIVE_BUILD=plain';
  if (process.arch !== 'x64') return `processor architecture ${process.arch}`;
  if (process.platform !== 'linux' && process.platform !== 'darwin') return `platform ${process.platform}`;
  const flags = cpuFlags();
  const missing = AVX2_FLAGS.filter((flag) => !flags.has(flag));
  return missing.length === 0 ? null : `this processor lacks ${missing.join(' and ')}`;
}

function cpuFlags() {
  const text =
    process.platform === 'linux'
      ? (/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '')
      : execFileSync('sysctl', ['-n', 'machdep.cpu.features', 'machdep.cpu.leaf7_features'], { encoding: 'utf8' });
  return new Set(text.toLowerCase().split(/\s+/));
}

/** hnswlib-node as it is installed: where, which version, and the folder of the C++ wrapper of Node's API that came with it. */
export function installedLibrary() {
  const require = createRequire(createRequire(import.meta.url).resolve('hnswlib-node'));
  const folder = dirname(require.resolve('hnswlib-node/package.json'));
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return { folder, version, modules: dirname(dirname(require.resolve('node-addon-api/package.json'))) };
}

export function sha256(content) {
  return createHash('sha256').update(content).digest('hex');
}

/** Does the marker say `wanted`, of the binary as it is there? */
export function isCurrent(binary, marker, wanted) {
  try {
    const found = JSON.parse(readFileSync(marker, 'utf8'));
    const said = Object.entries(wanted).every(([name, value]) => found[name] === value);
    return said && found.sha256 === sha256(readFileSync(binary));
  } catch {
    return false;
  }
}

/** Puts a built binary and what it was built from in place. The old marker goes first. */
export function putInPlace(built, { binary, marker }, facts) {
  const { napi, node } = process.versions;
  const text = `${JSON.stringify({ ...facts, napi, node, sha256: sha256(readFileSync(built)) }, null, 2)}\n`;
  rmSync(marker, { force: true });
  renameSync(built, binary);
  writeFileSync(`${built}.json`, text);
  renameSync(`${built}.json`, marker);
}

/** Runs node-gyp in a folder. @throws Error with the line that says why */
export function runNodeGyp(folder, environment) {
  runNode([findNodeGyp(), 'rebuild', '-j', 'max'], {
    cwd: folder,
    env: { ...process.env, ...headersEnvironment(), ...environment },
  });
}

/** Runs this node. @throws Error with the line that says why */
export function runNode(command, options) {
  const result = spawnSync(process.execPath, command, { encoding: 'utf8', timeout: BUILD_DEADLINE_MS, ...options });
  if (result.error !== undefined) throw result.error;
  if (result.status === 0) return;
  const lines = `${result.stdout}${result.stderr}`.split('\n').filter((line) => line.trim() !== '');
  const reason =
    lines.find((line) => /\berror: |ERR! stack Error|^Error: /.test(line)) ?? lines.at(-1) ?? `exit code ${result.status}`;
  throw new Error(reason.replace('gyp ERR! stack ', '').trim());
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

/** Completes package-lock.json: adds the optional packages for other systems that `npm install` left out.
 *
 *  npm writes only what the registry it asked could serve. A registry without, say, the macOS build of a tool leaves a lock file
 *  with which `npm ci` fails ("Missing: … from lock file"). What is needed is known without asking: the version stands in the
 *  package that wants it, the system in its name. Run it after a change of dependencies when tests/house/lock-file.test.ts says so.
 *  Entries made here carry no integrity, as nothing was fetched. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const lockPath = fileURLToPath(new URL('../../package-lock.json', import.meta.url));
const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'];

/** The entry of a package whose last name parts say where it runs, such as `cli-linux-arm64-musl`. */
function entryFor(name, version, dev) {
  const parts = name.split(/[/-]/);
  const os = SYSTEMS.find((system) => parts.includes(system));
  const cpu = PROCESSORS.find((processor) => parts.includes(processor));
  if (os === undefined || cpu === undefined) throw new Error(`the name of ${name} does not say where it runs`);
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`${name} is wanted as ${version}, which is no exact version`);
  const musl = parts.some((part) => part.startsWith('musl'));
  const gnu = parts.some((part) => part.startsWith('gnu'));
  const libc = os === 'linux' && (musl || gnu) ? { libc: [musl ? 'musl' : 'glibc'] } : {};
  return { version, cpu: [cpu], ...(dev ? { dev: true } : {}), ...libc, optional: true, os: [os] };
}

const lock = JSON.parse(readFileSync(lockPath, 'utf8'));
const added = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (`${path}/node_modules/${name}` in lock.packages || `node_modules/${name}` in lock.packages) continue;
    lock.packages[`node_modules/${name}`] = entryFor(name, version, entry.dev === true);
    added.push(name);
  }
}
const [root, ...others] = Object.entries(lock.packages);
others.sort(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries([root, ...others]);
writeFileSync(lockPath, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? 'the lock file is complete' : `added ${added.join(', ')}`);

/** Puts test files, and the threads and children that they start, into few files for one run: a process that loads a thousand small
 *  modules spends most of a second on that, and a suite starts thousands of processes and threads.
 *
 *  Invariant: it is the code of dist as it is now, and `import.meta.url` stays that of the file each line came from, so that paths relative
 *  to a module mean the same; only a thread or child beside a module is the one in the bundle. Must not know: what the files test. */

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin, stop } from 'esbuild';

/** Native packages, clients and tools that load parts of themselves late, from their own folders. */
const LEFT_OUT = [
  ...['better-sqlite3', 'better-sqlite3-next', 'hnswlib-node', 'roaring'],
  ...['@fastify/swagger-ui', '@aws-sdk/*', '@langchain/*', 'pg'],
  ...['esbuild', 'playwright-core', 'typescript'],
];
/** How a module names a thread or child beside itself, and its file. */
const LOOKS_BESIDE = /new URL\([`'"]\.\/(\$\{file\}|[\w-]+-(thread|child)\.js)[`'"], import\.meta\.url\)/g;
const OWN_FILE = /-(thread|child)\.js$/;
const MODULE_URL = '__moduleUrl';
const BUNDLED_URL = '__bundledUrl';
const FOLDER_NAME = /^run-(\d+)$/;

export interface BundledTests {
  /** @param compiled a test file that was named to bundleTests */
  fileOf(compiled: string): string;
  remove(): void;
}

/** @param compiled the test files, in `dist`  @throws Error when a file cannot be read or put together */
export async function bundleTests(dist: string, compiled: readonly string[]): Promise<BundledTests> {
  removeLeftOvers(dist);
  const folder = join(dist, `run-${process.pid}`);
  const places = ['src', 'tests'].map((place) => join(dist, place)).filter((place) => existsSync(place));
  const files = places.flatMap((place) =>
    readdirSync(place, { recursive: true, encoding: 'utf8' }).map((path) => join(place, path)),
  );
  await build({
    absWorkingDir: dist,
    entryPoints: [...compiled, ...files.filter((path) => OWN_FILE.test(path))],
    outbase: dist,
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    legalComments: 'none',
    logLevel: 'error',
    external: LEFT_OUT,
    define: { 'import.meta.url': MODULE_URL },
    plugins: [ownUrls(dist, folder)],
    // Bundled CommonJS packages ask for Node's own modules by require.
    banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
  });
  // Its process would stay as long as ours.
  await stop();
  return {
    fileOf: (path) => join(folder, relative(dist, path)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Gives every module the address of its own file, and that in the bundle for what lies beside it. */
function ownUrls(dist: string, folder: string): Plugin {
  return {
    name: 'own-urls',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.m?js$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (!text.includes('import.meta.url')) return null;
        const [own, bundled] = [path, join(folder, relative(dist, path))].map((file) => JSON.stringify(pathToFileURL(file).href));
        const urls = `const ${MODULE_URL} = ${own}, ${BUNDLED_URL} = ${bundled};`;
        const looking = text.replace(LOOKS_BESIDE, (found) => found.replace('import.meta.url', BUNDLED_URL));
        return { contents: looking.replace(/^(#!.*\n)?/, (first) => `${first}${urls}`), loader: 'js' };
      });
    },
  };
}

/** What a run that was killed or that failed has left. */
function removeLeftOvers(dist: string): void {
  for (const name of readdirSync(dist)) {
    const pid = FOLDER_NAME.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(dist, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

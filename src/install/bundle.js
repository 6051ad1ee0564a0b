/** Puts the server into few files: dist/bundle/server/, one for each thread and what they share; and the client for browsers into one:
 *  dist/bundle/client/skein-client.js. Run by `npm run build` after tsc.
 *
 *  A library of hundreds of small modules costs the process tens of megabytes and a start tenths of a second; a bundle does not.
 *  What is run from a checkout (bin, npm start, Dockerfile) is the bundle; dist/src stays, for the SDK in Node, tests and benches.
 *  The folder is as deep as those of dist/src, so that paths relative to a module mean the same in both. */

import { chmodSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const project = fileURLToPath(new URL('../../', import.meta.url));
const outdir = `${project}dist/bundle/server`;
const entries = [
  'main',
  'engine/writer-thread',
  'engine/index-thread',
  'engine/scan-thread',
  'engine/snapshot-thread',
  'engine/replay-thread',
  'http/body-thread',
  'storage/verify-child',
  'backup/drill-child',
];

rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: project,
  entryPoints: entries.map((entry) => `dist/src/${entry}.js`),
  entryNames: '[name]',
  outdir,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  legalComments: 'none',
  logLevel: 'warning',
  // Native packages, pages that are read from the package's own folder, and clients that load parts of themselves late, which are CommonJS:
  // from a bundle their names would not come.
  external: [
    'better-sqlite3',
    'better-sqlite3-next',
    'hnswlib-node',
    'roaring',
    '@fastify/swagger-ui',
    '@aws-sdk/client-s3',
    'pg',
  ],
  // Bundled CommonJS packages ask for Node's own modules by require.
  banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
});
// Its first line says how it wants to be run.
chmodSync(`${outdir}/main.js`, 0o755);

// Nothing of Node is in it: esbuild refuses a module of Node's in a build for browsers. What stands in for Node's transport is said in package.json.
const client = await build({
  absWorkingDir: project,
  entryPoints: ['dist/src/sdk/browser.js'],
  outfile: 'dist/bundle/client/skein-client.js',
  bundle: true,
  minify: true,
  platform: 'browser',
  format: 'esm',
  target: ['chrome116', 'firefox124', 'safari17.4'],
  legalComments: 'inline',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  metafile: true,
});
const [bytes] = Object.entries(client.metafile.outputs).flatMap(([path, output]) => (path.endsWith('.js') ? [output.bytes] : []));
console.log(`client for browsers: ${Math.ceil(bytes / 1024)} KiB`);

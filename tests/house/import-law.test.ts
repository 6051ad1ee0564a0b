/** The import law, held by dependency-cruiser: our own sources obey it, and every kind of breach is truly seen. The second
 *  half matters as much: a cruiser that cannot read TypeScript finds nothing and reports success. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite, type TestContext } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';

const test = suite('house/import-law', { deadlineMs: 60_000 });

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: ReadonlyArray<{ readonly from: string; readonly to: string; readonly rule: { readonly name: string } }>;
  };
}

function cruise(folder: string, places: readonly string[]): Cruise['summary'] {
  const program = join(projectFolder, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const rules = join(projectFolder, 'tests', 'house', 'dependency-rules.cjs');
  const result = spawnSync(process.execPath, [program, '--config', rules, '--output-type', 'json', ...places], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  assert.ok(result.stdout.startsWith('{'), `dependency-cruiser did not answer: ${result.stdout}${result.stderr}`);
  return (JSON.parse(result.stdout) as Cruise).summary;
}

/** A small project of the given files under the same law. */
function plant(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = t.folder();
  for (const name of ['tsconfig.json', 'package.json']) copyFileSync(join(projectFolder, name), join(folder, name));
  symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test('our own sources obey the law, and all of them are looked at', () => {
  const { totalCruised, violations } = cruise(projectFolder, ['src', 'tests', 'benches'].filter(holdsSources));
  const sources = readdirSync(join(projectFolder, 'src'), { recursive: true, encoding: 'utf8' });
  const count = sources.filter((path) => path.endsWith('.ts')).length;
  assert.ok(totalCruised >= count, `only ${totalCruised} modules were cruised, and src alone has ${count}`);
  const told = violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  assert.equal(told, []);
});

test('every kind of breach is found', (t) => {
  const breaches: Record<string, Record<string, string>> = {
    'model-knows-its-rooms-only': {
      'src/model/a.ts': "import type { Store } from '../storage/storage.js';\nexport type A = Store;\n",
    },
    'engine-knows-its-rooms-only': { 'src/engine/b.ts': "export { frame } from '../wire/frames.js';\n" },
    'http-knows-its-rooms-only': { 'src/http/c.ts': "import { link } from '../replication/link.js';\nexport const c = link;\n" },
    'storage-is-entered-by-its-door': { 'src/engine/d.ts': "export { table } from '../storage/tables.js';\n" },
    'storage-has-a-side-door': { 'src/node/offline.ts': "export { table } from '../storage/tables.js';\n" },
    'replication-knows-its-rooms-only': { 'src/replication/r.ts': "export { place } from '../wire/place.js';\n" },
    'home-of-better-sqlite3': { 'src/engine/e.ts': "import Database from 'better-sqlite3';\nexport const e = Database;\n" },
    'home-of-msgpackr': { 'src/codec/f.ts': "import { pack } from 'msgpackr';\nexport const f = pack;\n" },
    'home-of-@fastify/*': { 'src/node/g.ts': "import swagger from '@fastify/swagger';\nexport const g = swagger;\n" },
    'every-package-has-a-home': { 'src/engine/h.ts': "import { test } from 'uvu';\nexport const h = test;\n" },
    'no-cycles': {
      'src/search/i.ts': "import { j } from './j.js';\nexport const i = (): unknown => j;\n",
      'src/search/j.ts': "import { i } from './i.js';\nexport const j = (): unknown => i;\n",
    },
    'only-known-rooms': {
      'src/engine/k.ts': "export { help } from '../helpers/help.js';\n",
      'src/helpers/help.ts': 'export const help = 1;\n',
    },
    'network-stays-in-its-rooms': {
      'src/storage/l.ts': "import { createServer } from 'node:net';\nexport const l = createServer;\n",
    },
    'pure-rooms-stay-pure': { 'src/model/m.ts': "import { readFileSync } from 'node:fs';\nexport const m = readFileSync;\n" },
    'sdk-runs-anywhere': { 'src/sdk/n.ts': "import { Buffer } from 'node:buffer';\nexport const n = Buffer;\n" },
    'src-knows-src-only': { 'src/engine/o.ts': "export { o } from '../../tests/o.js';\n", 'tests/o.ts': 'export const o = 1;\n' },
    'main-is-known-to-none': {
      'src/node/p.ts': "export { main } from '../main.js';\n",
      'src/main.ts': 'export const main = 1;\n',
    },
    resolvable: { 'src/engine/q.ts': "export { q } from './nowhere.js';\n" },
  };
  const lawful = {
    'src/storage/storage.ts': 'export interface Store {\n  readonly seq: number;\n}\n',
    'src/storage/tables.ts': "import Database from 'better-sqlite3';\nexport const table = Database;\n",
    'src/storage/manifest.ts': 'export const manifest = 1;\n',
    'src/wire/place.ts': 'export const place = 1;\n',
    'src/http/lawful.ts': "export { place } from '../wire/place.js';\n",
    'src/node/open-data.ts': "export { manifest } from '../storage/manifest.js';\n",
    'src/wire/frames.ts': 'export const frame = 1;\n',
    'src/replication/link.ts': 'export const link = 1;\n',
    'src/engine/lawful.ts': "import type { Store } from '../storage/storage.js';\nexport type Lawful = Store;\n",
  };
  const folder = plant(t, Object.assign({}, lawful, ...Object.values(breaches)));
  const { violations } = cruise(folder, ['src', 'tests']);
  for (const [rule, files] of Object.entries(breaches)) {
    const found = violations.some((violation) => violation.rule.name === rule && violation.from in files);
    assert.ok(found, `${rule} did not see the breach planted in ${Object.keys(files)[0]}`);
  }
  const innocent = violations.filter(({ from }) => from in lawful).map(({ rule, from }) => `${rule.name}: ${from}`);
  assert.equal(innocent, [], 'what the law allows was called a breach');
});

function holdsSources(folder: string): boolean {
  return readdirSync(projectFolder).includes(folder);
}

test.run();

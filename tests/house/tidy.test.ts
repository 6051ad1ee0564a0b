/** The house is tidy: every text file of the tree keeps the rules in tidiness.ts, and the rules see what they shall see. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';
import { findUntidiness } from './tidiness.js';

const test = suite('house/tidy');

const FOLDERS = ['src', 'tests', 'benches', 'docs', '.ci'];
const TOP_LEVEL = [
  ...['.ci', '.dockerignore', '.git', '.gitignore', 'CHANGELOG.md', 'Dockerfile', 'LICENSE', 'README.md', 'benches', 'docs'],
  ...['package-lock.json', 'package.json', 'src', 'tests', 'tsconfig.json'],
];
const TEXT = /\.(?:ts|js|cjs|json|md|sh|yaml|yml|css|html)$|^[^.]*$/;

function textFiles(): string[] {
  const below = FOLDERS.filter((folder) => readdirSync(projectFolder).includes(folder)).flatMap((folder) =>
    readdirSync(join(projectFolder, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  );
  const top = TOP_LEVEL.filter((name) => name !== 'package-lock.json' && readdirSync(projectFolder).includes(name));
  return [...top, ...below]
    .filter((path) => statSync(join(projectFolder, path)).isFile() && TEXT.test(path.split('/').at(-1) ?? ''))
    .filter((path) => !path.startsWith('benches/results/'));
}

test('every file keeps the house rules', () => {
  const files = textFiles();
  assert.ok(files.length > 50, `only ${files.length} files were found`);
  const findings = files.flatMap((path) => findUntidiness(path, readFileSync(join(projectFolder, path), 'utf8')));
  assert.equal(
    findings.map(({ path, problem }) => `${path}: ${problem}`),
    [],
  );
});

test('the top level holds what it is meant to hold, and nothing else', () => {
  const ignored = readFileSync(join(projectFolder, '.gitignore'), 'utf8').split('\n');
  const strangers = readdirSync(projectFolder).filter((name) => {
    const matches = (rule: string): boolean =>
      rule === name || rule === `${name}/` || (rule.startsWith('*') && name.endsWith(rule.slice(1)));
    return !TOP_LEVEL.includes(name) && !ignored.filter((rule) => rule !== '').some(matches);
  });
  assert.equal(strangers, []);
});

test('every room of src is one the import law knows, and holds a file', () => {
  const require = createRequire(import.meta.url);
  const { roomsKnownTo } = require(join(projectFolder, 'tests', 'house', 'rooms.cjs')) as {
    roomsKnownTo: Record<string, string[]>;
  };
  const entries = readdirSync(join(projectFolder, 'src'), { withFileTypes: true });
  const rooms = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  assert.equal(
    rooms.filter((room) => !(room in roomsKnownTo)),
    [],
  );
  assert.equal(
    entries.filter((entry) => entry.isFile()).map((entry) => entry.name),
    ['main.ts'],
  );
});

test('each kind of untidiness is seen', () => {
  const header = '/** A header. */\n';
  const samples: ReadonlyArray<readonly [path: string, text: string, expected: string]> = [
    ['src/engine/a.ts', 'export const a = 1;\n', 'header'],
    ['src/engine/a.ts', header + 'export {};\n'.repeat(400), '401 lines'],
    ['src/engine/utils.ts', header, 'a name that says nothing'],
    ['src/helpers/a.ts', header, 'a name that says nothing'],
    ['tests/engine/test-helper.ts', header, 'a name that says nothing'],
    ['src/engine/index.ts', header, 'index file'],
    ['src/engine/a.ts', `${header}// TODO: later\n`, 'unfinished'],
    ['README.md', 'see /work/main\n', 'path of one machine'],
    ['docs/a.md', 'in /home/somebody/skein\n', 'path of one machine'],
    ['tests/a.test.ts', `${header}const f = '/tmp/skein';\n`, 'path of one machine'],
    ['README.md', 'from registry.npmjs.org\n', 'registry'],
    ['tests/a.test.ts', `${header}test.only('x', () => {});\n`, 'runs only some'],
    ['tests/a.test.ts', `${header}test.skip('x', () => {});\n`, 'runs only some'],
    ['tests/a.test.ts', `${header}await new Promise((resolve) => setTimeout(resolve, 100));\n`, 'fixed time'],
    ['tests/a.test.ts', `${header}import { setTimeout as delay } from 'node:timers/promises';\n`, 'fixed time'],
    ['tests/a.test.ts', `${header}server.listen(7171);\n`, 'fixed port'],
    ['tests/a.test.ts', `${header}start({ port: 8080 });\n`, 'fixed port'],
    ['src/engine/a.ts', `${header}process.exit(1);\n`, 'ends the process'],
    ['src/engine/a.ts', `${header}console.log('x');\n`, 'prints by itself'],
    ['src/engine/a.ts', `${header}class A extends EventEmitter {}\n`, 'inherits'],
    ['src/engine/a.ts', `${header}// @ts-ignore\n`, 'silences'],
  ];
  for (const [path, text, expected] of samples) {
    const problems = findUntidiness(path, text).map(({ problem }) => problem);
    assert.is(problems.length, 1, `${expected}: ${problems.join('; ')}`);
    assert.match(problems[0] ?? '', expected);
  }
});

test('what only looks untidy passes', () => {
  const header = '/** A header. */\n';
  const samples: ReadonlyArray<readonly [path: string, text: string]> = [
    ['src/engine/a.ts', `${header}class A extends Error {}\nclass B extends SkeinError {}\n`],
    ['src/main.ts', `${header}process.exit(1);\n`],
    ['src/storage/verify-child.ts', `${header}process.exit(1);\n`],
    ['src/engine/a.ts', `${header}import { a } from '../work/a.js';\nconst timer = setTimeout(() => resolve(), 5);\n`],
    ['src/engine/a.ts', header + 'export {};\n'.repeat(399)],
    ['tests/a.test.ts', `${header}const deadline = setTimeout(() => reject(new Error('late')), 100);\n`],
    ['src/sdk/index.ts', header],
  ];
  for (const [path, text] of samples) assert.equal(findUntidiness(path, text), []);
});

test.run();

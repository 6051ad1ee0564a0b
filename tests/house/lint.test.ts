/** The linters see what they are there for. A settings file that matches no file, or a parser that lost its types, would
 *  report success for ever; so breaches are planted, and each must be found by its rule. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';

const test = suite('house/lint', { deadlineMs: 60_000 });

interface Finding {
  readonly code: string;
}

test('oxlint finds every kind of planted breach, also those that show in types alone', (t) => {
  const breaches: Record<string, string> = {
    'no-floating-promises': 'async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}',
    'no-misused-promises': 'export const list = [1].filter(async () => true);',
    'no-explicit-any': 'export const loose: any = 1;',
    'no-non-null-assertion': 'export const first = [1][0]!;',
    'consistent-type-imports': "import { Clock } from './clock.js';\nexport type Watch = Clock;",
    'switch-exhaustiveness-check':
      "export function sides(shape: 'line' | 'cube'): number {\n  switch (shape) {\n    case 'line':\n      return 1;\n  }\n  return 0;\n}",
    'await-thenable': 'export async function wait(): Promise<void> {\n  await 1;\n}',
    'only-throw-error': "export function fail(): never {\n  throw 'words';\n}",
  };
  const folder = t.folder();
  for (const name of ['tsconfig.json', 'package.json']) copyFileSync(join(projectFolder, name), join(folder, name));
  symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src', 'clock.ts'), 'export type Clock = () => number;\n');
  writeFileSync(join(folder, 'src', 'breaches.ts'), `${Object.values(breaches).join('\n')}\n`);
  const program = join(projectFolder, 'node_modules', 'oxlint', 'bin', 'oxlint');
  const rules = join(projectFolder, 'tests', 'house', 'oxlint-rules.json');
  const given = ['--type-aware', '--config', rules, '--format', 'json', 'src'];
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, ...given], { cwd: folder, encoding: 'utf8' });
  assert.is(status, 1, stderr);
  const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: readonly Finding[] };
  assert.equal(
    diagnostics.map(({ code }) => code).sort(),
    Object.keys(breaches)
      .map((rule) => `typescript(${rule})`)
      .sort(),
  );
});

test('biome finds a file of another format and a lint error', (t) => {
  const biome = (text: string): number | null => {
    const folder = t.folder();
    writeFileSync(join(folder, 'a.ts'), text);
    const rules = join(folder, 'biome-rules.json');
    writeFileSync(rules, readFileSync(join(projectFolder, 'tests', 'house', 'biome-rules.json')));
    const program = join(projectFolder, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
    return spawnSync(process.execPath, [program, 'check', `--config-path=${rules}`, '.'], { cwd: folder }).status;
  };
  assert.is(biome("export const name = 'skein';\n"), 0);
  assert.is(biome('export const name = "skein"\n'), 1);
  assert.is(biome("import { readFileSync } from 'fs';\n\nexport const read = readFileSync;\n"), 1);
});

test.run();

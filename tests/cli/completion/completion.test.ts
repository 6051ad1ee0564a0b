/** Completion: a real bash is asked what it would offer. The scripts of the other shells are made from the same tree. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { allCommands } from '../../../src/cli/completion/command-tree.js';
import { programTree } from '../../../src/cli/program.js';
import { suite, type TestContext } from '../../support/suite.js';
import { runSkein } from '../run-skein.js';

const test = suite('cli/completion/completion', { deadlineMs: 30_000 });

/** What bash offers for the last of some words, one line of lines for each question. */
async function offered(t: TestContext, questions: readonly (readonly string[])[]): Promise<readonly (readonly string[])[]> {
  const folder = t.folder();
  writeFileSync(join(folder, 'points.ndjson'), '');
  const { output, exitCode } = await runSkein(['completion', 'bash']);
  assert.is(exitCode, 0);
  const asks = questions.map(
    (words) =>
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _skein; echo "\${COMPREPLY[*]}"`,
  );
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', `${output}\n${asks.join('\n')}`], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.is(status, 0, stderr);
  assert.is(stderr, '');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').filter((word) => word !== ''));
}

test('bash completes commands, flags, values and files, each where it belongs', async (t) => {
  const [commands, short, nested, flags, choices, equals, files, argument, shells, actions, nothing] = await offered(t, [
    ['skein', ''],
    ['skein', 'se'],
    ['skein', 'keys', 'cr'],
    ['skein', 'search', 'films', '--ex'],
    ['skein', 'keys', 'create', 'me', '--role', 're'],
    ['skein', 'import', 'c', '--distance', '=', 'd'],
    ['skein', 'import', 'c', '--report', 'po'],
    ['skein', 'import', 'c', 'poi'],
    ['skein', 'completion', ''],
    ['skein', 'backup', ''],
    ['skein', 'status', '--timeout-ms', ''],
  ]);
  const roots = programTree().commands.map(({ path }) => path);
  assert.equal([...(commands ?? [])].sort(), [...roots].sort());
  assert.equal(short, ['serve', 'search']);
  assert.equal(nested, ['create']);
  assert.equal(flags, ['--exact', '--explain']);
  assert.equal(choices, ['read', 'replicate']);
  assert.equal(equals, ['dot']);
  assert.equal(files, ['points.ndjson']);
  assert.equal(argument, ['points.ndjson']);
  assert.equal(shells, ['bash', 'zsh', 'fish']);
  assert.equal(actions, ['create', 'list', 'verify', 'remove']);
  assert.equal(nothing ?? [], []);
});

test('every command and flag is in every script, and an unknown shell is a slip', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { output, exitCode } = await runSkein(['completion', shell]);
    assert.is(exitCode, 0);
    for (const { path, flags } of allCommands(programTree()))
      for (const word of [
        path.split(' ').at(-1) ?? '',
        ...flags.filter(({ hidden }) => !hidden).map(({ flag }) => flag.slice(2)),
      ])
        assert.ok(output.includes(word), `${shell}: ${path} ${word}`);
  }
  const unknown = await runSkein(['completion', 'powershell']);
  assert.is(unknown.exitCode, 2);
  assert.match(unknown.errors, 'bash, zsh, fish');
});

test.run();

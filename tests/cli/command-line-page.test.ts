/** docs/CLI.md says what the tree of commands says, and every command keeps the rules that all of them have. */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { allCommands } from '../../src/cli/completion/command-tree.js';
import { programTree } from '../../src/cli/program.js';
import { suite } from '../support/suite.js';
import { commandLinePage, PAGE_PATH } from './command-line-page.js';

const test = suite('cli/command-line-page');

/** Commands without --json, and why. */
const WITHOUT_JSON: Readonly<Record<string, string>> = {
  serve: 'it is a server: its log has --log-format json, and --print-config prints JSON',
  probe: 'its exit code is the answer; it prints nothing when all is well',
  mcp: 'standard output carries the protocol',
  completion: 'what it prints is a script',
  changes: 'it prints JSON alone',
};

test('the page is the one that the commands make', () => {
  const page = readFileSync(PAGE_PATH, 'utf8');
  const hint = 'run: node dist/tests/cli/command-line-page.js --write';
  assert.ok(commandLinePage(page) === page, `docs/CLI.md differs from the commands; ${hint}`);
});

test('every command that prints something prints it as JSON when asked, or is named as one that cannot', () => {
  const leaves = allCommands(programTree()).filter(({ path, commands }) => path !== '' && commands.length === 0);
  const without = leaves.filter(({ flags }) => !flags.some(({ flag }) => flag === '--json')).map(({ path }) => path);
  assert.equal(without.sort(), Object.keys(WITHOUT_JSON).sort());
});

test('every command and argument says what it is', () => {
  for (const { path, description, flags } of allCommands(programTree())) {
    assert.match(description, /^[A-Z].*\.$/, path);
    for (const { flag, description: doc } of flags) assert.ok(doc.length > 10, `${path} ${flag}`);
  }
});

test.run();

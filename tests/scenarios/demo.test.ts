/** `npm run demo` at a small scale: it ends with equal nodes and exit code 0, and leaves neither processes nor folders, also when it is
 *  interrupted in the middle of its load. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const DEMO = fileURLToPath(new URL('../../benches/demo.js', import.meta.url));
const INTERRUPTED = 130;
const test = suite('scenarios/demo', { deadlineMs: 90_000 });

/** A demo whose nodes have their folders below `folder`. */
function startDemo(t: TestContext, folder: string, scale: string): { child: ChildProcess; output(): string } {
  const env = { ...process.env, TMPDIR: folder, SKEIN_BENCH_SCALE: scale };
  const child = spawn(process.execPath, [DEMO], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  });
  return { child, output: () => output };
}

/** Processes that name the folder in their command line. */
function processesOn(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
      } catch {
        // It has ended meanwhile.
        return false;
      }
    });
}

test('a killed replica comes back from the log, all digests are equal, and nothing is left behind', async (t) => {
  const folder = t.folder();
  const { child, output } = startDemo(t, folder, '0.05');
  await once(child, 'close');
  assert.is(child.exitCode, 0, output());
  const digests = [...output().matchAll(/digest ([0-9a-f]{32}) at position \d+; nearest \d+/g)].map(([, digest]) => digest);
  assert.is(digests.length, 3, output());
  assert.is(new Set(digests).size, 1, output());
  assert.match(output(), /replica 2 came back from the log alone/);
  assert.equal(readdirSync(folder), []);
  assert.equal(processesOn(folder), []);
});

test('interrupted in the middle of its load it takes its processes and folders with it', async (t) => {
  const folder = t.folder();
  const { child, output } = startDemo(t, folder, '1');
  await waitUntil(() => / load \| /.test(output()) || child.exitCode !== null, { what: 'the load', deadlineMs: 60_000 });
  assert.is(processesOn(folder).length, 3, output());
  const ended = once(child, 'close');
  child.kill('SIGINT');
  await ended;
  assert.is(child.exitCode, INTERRUPTED, output());
  assert.equal(readdirSync(folder), []);
  assert.equal(processesOn(folder), []);
});

test.run();

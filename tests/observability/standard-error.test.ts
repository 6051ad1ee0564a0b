/** The log of a real process whose standard error nobody reads: it works on, ends when it is to, and says what it lost. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';

const test = suite('observability/standard-error');

const LOGGING = new URL('../../src/observability/logging.js', import.meta.url).href;
/** Far more bytes than a pipe and what is kept for it hold. */
const LINES = 8_000;
const PROGRAM = `
  const { createLog, flushLog } = await import(${JSON.stringify(LOGGING)});
  const log = createLog({ level: 'info', format: 'json', file: null, secrets: [] });
  for (let i = 0; i < ${LINES}; i++) log.info('said', { i, long: 'x'.repeat(300) });
  flushLog();
  process.stdout.write(String(log.control.status().lostLines), () => process.exit(7));
`;

async function run(stderr: number | 'pipe', isGone = false): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], { stdio: ['ignore', 'pipe', stderr] });
  if (isGone) child.stderr?.destroy();
  const lost = text(child.stdout as NodeJS.ReadableStream);
  const [code] = (await once(child, 'exit')) as [number | null];
  assert.is(code, 7);
  return Number(await lost);
}

test('a pipe or a socket that nobody reads stops neither the process nor its end', async (t) => {
  const path = join(t.folder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const pipe = openSync(path, constants.O_RDWR);
  t.after(() => closeSync(pipe));
  for (const lost of await Promise.all([run(pipe), run('pipe')])) assert.ok(lost > LINES / 4 && lost < LINES, `${lost}`);
  const begin = Buffer.alloc(20);
  readSync(pipe, begin);
  assert.match(begin.toString(), /^\{"level":"info"/);
});

test('every line is counted when the reader has gone', async () => {
  assert.is(await run('pipe', true), LINES);
});

test.run();

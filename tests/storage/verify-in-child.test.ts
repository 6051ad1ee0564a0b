/** The verifying child: its report, its death, its end on request. */

import { writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { createDataFolder } from '../../src/storage/data-folder.js';
import { verifyInChild } from '../../src/storage/verify-in-child.js';
import { suite } from '../support/suite.js';
import { IDENTITY, OPTIONS } from './story.js';

const test = suite('storage/verify-in-child');

test('the report and the progress of the child arrive', async (t) => {
  const dataDir = t.folder();
  createDataFolder(dataDir, IDENTITY, { role: 'master', bootId: 'boot' }, OPTIONS);
  const progress: number[] = [];
  const report = await verifyInChild(dataDir, 'quick', (some) => progress.push(some.progress));
  assert.equal(report.findings, []);
  assert.equal([report.ok, report.level, report.position?.seq], [true, 'quick', 0]);
  assert.is(progress.at(-1), 1);
});

test('a child that is killed, crashes or ends without a report is a fatal finding that says how it ended', async (t) => {
  const folder = t.folder();
  const cases: [string, RegExp][] = [
    ['process.kill(process.pid, "SIGSEGV"); setInterval(() => {}, 1000);', /signal SIGSEGV/],
    ['console.log(\'{"progress":{"step":"open","progress":0}}\'); process.abort();', /signal SIGABRT/],
    ['throw new Error("EIO: the disk is ill")', /exit code 1 .*EIO: the disk is ill/],
    ['process.stdout.write(\'{"report":{"ok":true,\')', /exit code 0/],
    ['console.log(\'{"report":{"ok":true,"findings":[]}}\'); process.exit(3)', /exit code 3/],
  ];
  for (const [source, expected] of cases) {
    const childPath = `${folder}/child.mjs`;
    writeFileSync(childPath, source);
    const report = await verifyInChild(folder, 'full', () => {}, { childPath });
    assert.not(report.ok);
    assert.is(report.findings[0]?.kind, 'process_died');
    assert.match(report.findings[0]?.message ?? '', expected);
  }
});

test('an abort ends the child and the wait', async (t) => {
  const childPath = `${t.folder()}/child.mjs`;
  writeFileSync(childPath, 'console.log(\'{"progress":{"step":"open","progress":0}}\'); setInterval(() => {}, 1000);');
  const stop = new AbortController();
  const waiting = verifyInChild('anywhere', 'full', () => stop.abort(new Error('shutting down')), {
    childPath,
    signal: stop.signal,
  });
  let message = '';
  await waiting.catch((error: Error) => {
    message = error.message;
  });
  assert.is(message, 'shutting down');
});

test.run();

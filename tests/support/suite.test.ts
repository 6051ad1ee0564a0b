/** Suites and the runner: everything that must turn a file red does so. Each case is a small test file run for real. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite, type TestContext } from './suite.js';
import { type FileResult, runTestFile } from './test-files.js';

const test = suite('support/suite');

const suiteModule = new URL('./suite.js', import.meta.url).href;

function runText(t: TestContext, text: string, deadlineMs = 20_000): Promise<FileResult> {
  const path = join(t.folder(), 'case.test.mjs');
  writeFileSync(path, `import { suite } from ${JSON.stringify(suiteModule)};\nimport { existsSync } from 'node:fs';\n${text}`);
  return runTestFile(path, 'case', deadlineMs);
}

test('counts what passed and what failed, and shows the failure in full', async (t) => {
  const result = await runText(
    t,
    `const test = suite('counting');
     test('adds up', () => {});
     test('falls down', (t) => { t.seed(); throw new Error('because of this', { cause: new Error('and of that') }); });
     test('stands up again', () => {});
     test.run();`,
  );
  assert.is(result.passed, 2);
  assert.equal(result.failures, ['case: counting: falls down']);
  assert.match(result.output, 'because of this');
  assert.match(result.output, 'and of that');
  assert.match(result.output, 'repeat with SKEIN_TEST_SEED=');
});

test('fails a file whose suite was never run', async (t) => {
  const result = await runText(
    t,
    `const first = suite('remembered');
     first('passes', () => {});
     first.run();
     const second = suite('forgotten');
     second('would pass', () => {});`,
  );
  assert.is(result.passed, 1);
  assert.equal(result.failures, ['case: the file ended with code 1']);
  assert.match(result.output, 'suite "forgotten" was never run');
});

test('fails a file that executes no test', async (t) => {
  const result = await runText(t, '');
  assert.equal(result.failures, ['case: no test was executed']);
});

test('fails a test that outlives its deadline, by name, and still cleans up', async (t) => {
  const marker = join(t.folder(), 'cleaned');
  const result = await runText(
    t,
    `import { writeFileSync } from 'node:fs';
     const test = suite('slow', { deadlineMs: 50 });
     test('sleeps too long', async (t) => {
       const timer = setTimeout(() => {}, 60_000);
       t.after(() => { clearTimeout(timer); writeFileSync(${JSON.stringify(marker)}, ''); });
       await new Promise(() => {});
     });
     test.run();`,
  );
  assert.equal(result.failures, ['case: slow: sleeps too long']);
  assert.match(result.output, 'test "sleeps too long" did not end within 50 ms');
  assert.ok(existsSync(marker));
});

test('runs cleanups in reverse order, removes folders, and fails when a cleanup fails', async (t) => {
  const result = await runText(
    t,
    `const test = suite('cleanups');
     let folder;
     const order = [];
     test('fails to clean up', (t) => {
       folder = t.folder();
       t.after(() => order.push('first'));
       t.after(() => { throw new Error('cleanup broke'); });
       t.after(() => order.push('last'));
     });
     test('sees what was done', () => {
       if (order.join() !== 'last,first') throw new Error(order.join());
       if (existsSync(folder)) throw new Error('the folder is still there');
     });
     test.run();`,
  );
  assert.equal(result.failures, ['case: cleanups: fails to clean up']);
  assert.match(result.output, 'cleanup broke');
});

test('says what is left open when a file does not end by itself', async (t) => {
  const result = await runText(
    t,
    `const test = suite('leaky');
     test('leaves a timer', () => { setInterval(() => {}, 1000); });
     test.run();`,
  );
  assert.is(result.passed, 1);
  assert.is(result.failed, 1);
  assert.match(result.output, /these are still open: .*Timeout/);
});

test('kills a file that blocks, with the processes it started', async (t) => {
  const marker = join(t.folder(), 'child');
  const text = `import { spawn } from 'node:child_process';
     import { writeFileSync } from 'node:fs';
     const test = suite('blocking');
     test('never comes back', () => {
       const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
       writeFileSync(${JSON.stringify(marker)}, String(child.pid));
       for (;;);
     });
     test.run();`;
  // Once more, with more time, where the machine is so busy that the file had not begun when it was killed.
  for (const deadlineMs of [2_000, 20_000]) {
    const { failures } = await runText(t, text, deadlineMs);
    // The result comes only when the child has closed the output it shares, so it is dead by now.
    assert.equal(failures, [`case: the file did not end within ${deadlineMs} ms`]);
    if (existsSync(marker)) return;
  }
  assert.unreachable('the file never began');
});

test('fails a file that crashes or leaves early', async (t) => {
  const crash = await runText(
    t,
    `const test = suite('crashing');
     test('dies', () => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); });
     test.run();`,
  );
  assert.equal(crash.failures, ['case: the file was ended by SIGKILL']);
  const early = await runText(
    t,
    `const test = suite('leaving');
     test('passes', () => {});
     test('leaves', () => process.exit(0));
     test.run();`,
  );
  assert.equal(early.failures, ['case: the file ended with code 1']);
  const quiet = await runText(
    t,
    `const test = suite('slipping away');
     test('passes', () => {});
     test('ends the process past all handlers', () => process.reallyExit(0));
     test.run();`,
  );
  assert.equal(quiet.failures, ['case: the file ended with code 0 before all its suites had ended']);
});

test('refuses two tests of one name, an empty suite and a second run', async (t) => {
  const result = await runText(
    t,
    `const refusals = [];
     const refused = (action) => { try { action(); } catch (error) { refusals.push(error.message); } };
     const test = suite('strict');
     refused(() => test.run());
     test('is here', () => {
       const expected = ['has no tests', 'two tests named', 'was run twice', 'after run()'];
       expected.forEach((words, index) => { if (!refusals[index]?.includes(words)) throw new Error(refusals[index]); });
     });
     refused(() => test('is here', () => {}));
     test.run();
     refused(() => test.run());
     refused(() => test('comes late', () => {}));`,
  );
  assert.equal(result.failures, []);
  assert.is(result.passed, 1);
});

test.run();

/** A writer killed with SIGKILL at any moment loses nothing it acknowledged and leaves no half unit. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { decodeDefaultVector } from '../../src/codec/vector-set.js';
import { createDataFolder } from '../../src/storage/data-folder.js';
import { lockFolder } from '../../src/storage/folder-lock.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { suite, type TestContext } from '../support/suite.js';
import { IDENTITY, OPTIONS, Story } from './story.js';

const test = suite('storage/killed-writer', { deadlineMs: 120_000 });
const CHILD = fileURLToPath(new URL('./writing-child.js', import.meta.url));
const ROUNDS = 30;

function newFolder(t: TestContext): { dataDir: string; databasePath: string } {
  const dataDir = t.folder();
  const { databasePath } = createDataFolder(dataDir, IDENTITY, { role: 'master', bootId: 'boot' }, OPTIONS);
  const store = openWriter(databasePath, OPTIONS);
  const story = new Story(store);
  story.commit(story.create('c'));
  store.close();
  return { dataDir, databasePath };
}

/** Starts a writer, kills it a random moment after `groups` acknowledgements. @returns the last acknowledged seq */
async function killAfter(dataDir: string, groups: number, delayMs: number): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [CHILD, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let acked = 0;
  let count = 0;
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  lines.on('line', (line) => {
    acked = Number(line);
    count += 1;
    if (count === groups) setTimeout(() => child.kill('SIGKILL'), delayMs);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  assert.is(signal, 'SIGKILL', `the writer ended by itself with code ${code}`);
  return acked;
}

test('what was acknowledged is there after every SIGKILL, whole units only, and the lock is free at once', async (t) => {
  const { dataDir, databasePath } = newFolder(t);
  let random = t.seed();
  const next = (below: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return random % below;
  };
  let floor = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const acked = await killAfter(dataDir, 1 + next(25), next(40) / 8);
    assert.ok(acked > floor, 'the writer made progress');
    lockFolder(dataDir).release();
    const report = verifyStore(dataDir, 'full');
    assert.equal(report.findings, [], `round ${round}`);
    const reader = openReader(databasePath, OPTIONS);
    const { seq } = reader.state();
    assert.ok(seq >= acked, `acknowledged ${acked}, found ${seq}`);
    assert.is((seq - 1) % 4, 0, 'only whole units of four entries');
    // Each unit writes x, y and z with its first seq; all three must come from the same, last unit.
    for (const id of ['x', 'y', 'z']) {
      const row = reader.pointById(1, id);
      const vector = decodeDefaultVector(reader.vectorSet(1, row?.label ?? 0) ?? new Uint8Array());
      assert.is(vector?.[0], seq - 3);
    }
    for (let mark = 2; mark < seq; mark += 4) assert.ok(reader.pointById(1, mark) !== undefined, `the point of unit ${mark}`);
    reader.close();
    floor = seq;
  }
});

test('a second process on the folder is refused while the first lives', async (t) => {
  const { dataDir } = newFolder(t);
  const first = spawn(process.execPath, [CHILD, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => first.kill('SIGKILL'));
  await once(first.stdout, 'data');
  assert.throws(() => lockFolder(dataDir), /in use by another Skein process/);
  const second = spawn(process.execPath, [CHILD, dataDir], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  second.stderr.on('data', (text) => {
    said += String(text);
  });
  const [code] = (await once(second, 'close')) as [number];
  assert.is(code, 1);
  assert.match(said, /in use by another Skein process/);
  const closed = once(first, 'close');
  first.kill('SIGKILL');
  await closed;
  lockFolder(dataDir).release();
});

test.run();

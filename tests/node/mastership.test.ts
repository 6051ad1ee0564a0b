/** The role of a node in memory, in its file and in the write thread: what was not noted is taken back, and no epoch is begun twice. */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ReplicatedLog } from '../../src/engine/engine.js';
import { Mastership } from '../../src/node/mastership.js';
import { NODE_FILE, type NodeState, readNodeState, writeNodeState } from '../../src/node/node-state.js';
import { FakeLog } from '../support/fake-log.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('node/mastership');
const MASTER: NodeState = { role: 'master', masterUrl: null, highestEpoch: 3 };

function made(t: TestContext, state: NodeState) {
  const dataDir = t.folder();
  writeNodeState(dataDir, state);
  const fake = new FakeLog();
  const calls: unknown[] = [];
  const given = { refuse: false };
  const log = {
    ...fake.log,
    setRole: async (role: string, ownFromEpoch: number) => void calls.push([role, ownFromEpoch]),
    beginHistory: async ({ epoch }: { epoch: number }) => {
      calls.push(['begin', epoch]);
      if (given.refuse) throw new Error('the disk is full');
      fake.epoch = epoch;
    },
  } as unknown as ReplicatedLog;
  return { dataDir, fake, calls, given, mastership: new Mastership(dataDir, state, () => log) };
}

test('a step down that could not be noted is taken back, and writes go on in the same epoch', async (t) => {
  const { dataDir, calls, mastership } = made(t, MASTER);
  await mastership.pauseWrites();
  // A file can be put in the place of a file, not of a folder.
  const path = join(dataDir, NODE_FILE);
  rmSync(path);
  mkdirSync(join(path, 'x'), { recursive: true });
  assert.throws(() => mastership.noteReplica('ws://other:1', 3));
  assert.is(mastership.isMaster, false);
  assert.ok(mastership.stepBack());
  await mastership.resumeWrites();
  assert.equal(calls, [
    ['replica', 0],
    ['master', 3],
  ]);
});

test('it is not taken back once a newer epoch was seen, or the file says replica', (t) => {
  const seen = made(t, MASTER);
  seen.mastership.stepDown(4);
  assert.not(seen.mastership.stepBack());
  const noted = made(t, MASTER);
  noted.mastership.noteReplica('ws://other:1', 3);
  assert.not(noted.mastership.stepBack());
  assert.is(readNodeState(noted.dataDir)?.role, 'replica');
});

test('an epoch that was noted and could not begin begins when it is asked for again; one that was seen never does', async (t) => {
  const { calls, given, mastership, dataDir } = made(t, { role: 'replica', masterUrl: 'ws://m:1', highestEpoch: 3 });
  given.refuse = true;
  for (let time = 0; time < 2; time += 1) {
    await mastership.begin().then(
      () => assert.unreachable('it began'),
      () => {},
    );
    assert.equal([mastership.isMaster, mastership.isIncomplete, readNodeState(dataDir)?.highestEpoch], [true, true, 4]);
  }
  given.refuse = false;
  assert.is(await mastership.begin(), 4);
  assert.is(mastership.isIncomplete, false);
  assert.equal(calls, [
    ['master', 4],
    ['begin', 4],
    ['begin', 4],
    ['begin', 4],
  ]);
  mastership.stepDown(7);
  assert.is(await mastership.begin(), 8);
});

test('a master that begins another history writes nothing in between', async (t) => {
  const { calls, mastership } = made(t, MASTER);
  assert.is(await mastership.begin(), 4);
  assert.equal(calls, [
    ['master', 4],
    ['begin', 4],
  ]);
});

test.run();

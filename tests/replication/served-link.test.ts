/** A real link between two sides in one process: what one of them cannot do now it does later, and nothing ends but the link. */

import * as assert from 'uvu/assert';
import type { BuiltSnapshot } from '../../src/engine/snapshot.js';
import { FakeLog, NODE } from '../support/fake-log.js';
import { keptLog } from '../support/kept-log.js';
import { logOfAnother, startFollower, startSource } from '../support/served-link.js';
import { headOf } from '../support/snapshots.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('replication/served-link');

test('a voter that the log did not take is registered with a later heartbeat', async (t) => {
  const fake = new FakeLog();
  let refusals = 2;
  const log = {
    ...fake.log,
    registerVoters: async (voters: Parameters<typeof fake.log.registerVoters>[0]) => {
      if (refusals-- > 0) throw new Error('the queue is full');
      return fake.log.registerVoters(voters);
    },
  };
  const { streamUrl } = await startSource(t, { log, heartbeatMs: 20 });
  startFollower(t, streamUrl, { feed: logOfAnother() });
  await waitUntil(() => fake.voters.length === 2, { what: 'the voter to be registered' });
  assert.equal(fake.voters.map(({ nodeId }) => nodeId).sort(), [NODE, 'b'.repeat(32)]);
});

test('a master whose epoch cannot be noted is not followed until it can', async (t) => {
  const { source, streamUrl } = await startSource(t);
  let refusals = 3;
  const { follower, counts } = startFollower(t, streamUrl, {
    feed: logOfAnother(),
    noteEpoch: () => {
      if (refusals-- > 0) throw new Error('no space left on the device');
    },
  });
  await waitUntil(() => follower.state.phase === 'following', { what: 'the link' });
  assert.equal([refusals, follower.state.epoch, counts.partialSyncs], [-1, 3, 1]);
  await waitUntil(() => source.linkedIds().length === 1, { what: 'one link' });
});

test('how old the data of a node is that is itself behind, it says at once', async (t) => {
  const { streamUrl } = await startSource(t, { heartbeatMs: 60_000 });
  const { counts } = startFollower(t, streamUrl, { feed: logOfAnother() });
  await waitUntil(() => counts.heartbeatsReceived === 1, { what: 'the first heartbeat, long before the second is due' });
});

test('a replica that asks for other snapshots too fast is told to come again, which is no error', async (t) => {
  const fake = new FakeLog();
  const { log: says, lines } = keptLog();
  let built = 0;
  const buildSnapshot = (): BuiltSnapshot => {
    built += 1;
    // By the time the replica comes again the log does not go on from this one.
    fake.logMinSeq = 10;
    return { head: headOf(String(built)), chunk: () => Promise.reject(new Error('gone')), remove: async () => {} } as never;
  };
  const { source, streamUrl } = await startSource(t, { log: fake.log, says, buildSnapshot, snapshotMinIntervalMs: 60_000 });
  const another = logOfAnother();
  startFollower(t, streamUrl, { feed: { ...another, state: () => ({ ...another.state(), epoch: 0, seq: 0 }) } });
  await waitUntil(() => built >= 3, { what: 'the third snapshot' });
  assert.is(source.fullSyncs, 1);
  assert.equal(
    lines.filter(({ level }) => level === 'error'),
    [],
  );
});

test.run();

/** A real link between two sides in one process: what one of them cannot do now it does later, and nothing ends but the link. */

import * as assert from 'uvu/assert';
import { FakeLog, NODE } from '../support/fake-log.js';
import { logOfAnother, startFollower, startSource } from '../support/served-link.js';
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

test.run();

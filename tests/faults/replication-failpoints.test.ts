/** SIGKILL at every failpoint of replication, in real nodes under writes: of the master and of the replica, of the side that sends and of the side
 *  that receives. Whoever died comes back, and nothing acknowledged is lost, nothing happens twice, nothing differs, nothing is left over. */

import * as assert from 'uvu/assert';
import { FAILPOINTS } from '../../src/model/failpoint.js';
import { suite } from '../support/suite.js';
import { placesOf, SWEEPS, SWEPT, type SweepName } from './failpoint-table.js';

const test = suite('faults/replication-failpoints', { deadlineMs: 600_000 });

const TITLES: Readonly<Record<SweepName, string>> = {
  masterDies: 'a master that dies while it commits, sends or greets comes back as master, and nothing is copied anew',
  masterIsReplaced: 'what a majority confirmed outlives a master that dies and is replaced',
  replicaDies: 'a replica that dies while it greets, receives, applies or acknowledges goes on from its log',
  bothDie: 'what a replica has acknowledged is durable there, and outlives it and the master',
  middleDies: 'a replica that others follow dies as a master may',
  senderDies: 'a master that dies over a snapshot leaves nothing of it, and builds it anew',
  middleSenderDies: 'a replica that others follow dies over a snapshot as a master may',
  joiningDies: 'a replica that dies over its first snapshot fetches only what is missing',
  refreshingDies: 'a replica that dies over another copy of its data has the old or the new, and goes on from its log',
  handoverTargetDies: 'the target of a handover dies: no acknowledged write is lost, no epoch is used twice',
  handoverSourceDies: 'the old master dies in a handover: no acknowledged write is lost, and there are never two masters',
  forcedTargetDies: 'a replica dies in a promotion by force: what a majority confirmed is there, no epoch is used twice',
  completionDies: 'a promoted node dies while its start completes the promotion',
  siblingDies: 'a replica dies when it hears of another master',
  returningMasterDies: 'a master that was replaced dies when it comes back: what only it had is kept once',
  lostTailDies: 'a master lost its tail, and it or its replica dies over that',
};

test('there is a sweep for every failpoint', () => {
  assert.equal(
    FAILPOINTS.filter((name) => Object.keys(SWEPT[name]).length === 0),
    [],
  );
});

for (const name of Object.keys(SWEEPS) as SweepName[]) {
  test(TITLES[name], (t) => {
    let beginMs = performance.now();
    return SWEEPS[name](t, placesOf(name), (place, what) => {
      const endMs = performance.now();
      console.log(`${place.padEnd(24)} ${what} (${((endMs - beginMs) / 1_000).toFixed(1)} s)`);
      beginMs = endMs;
    });
  });
}

test.run();

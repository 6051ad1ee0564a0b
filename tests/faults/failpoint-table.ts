/** Where every failpoint is passed in a cluster: the sweeps that let a node die there, and at which pass.
 *
 *  A failpoint without a row does not compile, one with an empty row fails the sweep: no name is added that no node dies at. */

import { FAILPOINTS, type ReplicationFailpoint } from '../../src/model/failpoint.js';
import type { TestContext } from '../support/suite.js';
import {
  completionDies,
  forcedTargetDies,
  handoverSourceDies,
  handoverTargetDies,
  lostTailDies,
  returningMasterDies,
  siblingDies,
} from './failpoint-role-sweeps.js';
import { joiningDies, middleSenderDies, refreshingDies, senderDies } from './failpoint-snapshot-sweeps.js';
import type { Place, Say } from './failpoint-stand.js';
import { bothDie, masterDies, masterIsReplaced, middleDies, replicaDies } from './failpoint-stream-sweeps.js';

export const SWEEPS = {
  masterDies,
  masterIsReplaced,
  replicaDies,
  bothDie,
  middleDies,
  senderDies,
  middleSenderDies,
  joiningDies,
  refreshingDies,
  handoverTargetDies,
  handoverSourceDies,
  forcedTargetDies,
  completionDies,
  siblingDies,
  returningMasterDies,
  lostTailDies,
} satisfies Readonly<Record<string, (t: TestContext, places: readonly Place[], say: Say) => Promise<void>>>;

export type SweepName = keyof typeof SWEEPS;

export const SWEPT: Readonly<Record<ReplicationFailpoint, Partial<Readonly<Record<SweepName, number>>>>> = {
  'commit.before_begin': { masterDies: 8, handoverTargetDies: 1 },
  'commit.before_commit': { masterDies: 8, masterIsReplaced: 8, handoverTargetDies: 1 },
  'commit.after_commit': { masterDies: 8, masterIsReplaced: 8, handoverTargetDies: 1 },
  'commit.after_manifest': { masterDies: 8, masterIsReplaced: 8, replicaDies: 8, bothDie: 8, handoverTargetDies: 1 },
  'apply.before_commit': { replicaDies: 8, bothDie: 8 },
  'apply.after_commit': { replicaDies: 8, bothDie: 8 },
  'stream.before_send': { masterDies: 8, masterIsReplaced: 8, middleDies: 8 },
  'stream.after_send': { masterDies: 8, masterIsReplaced: 8, middleDies: 8 },
  'stream.frame_received': { replicaDies: 8, bothDie: 8 },
  'stream.before_ack': { replicaDies: 12, bothDie: 12 },
  'link.hello_sent': { replicaDies: 1 },
  'link.welcome_sent': { masterDies: 1, middleDies: 1 },
  'link.welcome_received': { replicaDies: 1 },
  'snapshot.before_cut': { senderDies: 1, middleSenderDies: 1 },
  'snapshot.after_cut': { senderDies: 1, middleSenderDies: 1 },
  'snapshot.before_head': { senderDies: 1, middleSenderDies: 1 },
  'snapshot.chunk_sent': { senderDies: 2, middleSenderDies: 2 },
  'snapshot.chunk_received': { joiningDies: 2, refreshingDies: 2 },
  'snapshot.chunk_written': { joiningDies: 2, refreshingDies: 2 },
  'snapshot.before_verify': { joiningDies: 1, refreshingDies: 1 },
  'snapshot.after_verify': { joiningDies: 1, refreshingDies: 1 },
  'switch.before_rename': { joiningDies: 1, refreshingDies: 1 },
  'switch.after_rename': { joiningDies: 1, refreshingDies: 1 },
  'switch.after_current': { joiningDies: 1, refreshingDies: 1 },
  'switch.after_manifest': { joiningDies: 1, refreshingDies: 1 },
  'switch.before_open': { joiningDies: 1, refreshingDies: 1 },
  'switch.after_open': { joiningDies: 1, refreshingDies: 1 },
  'role.before_note': {
    handoverTargetDies: 1,
    handoverSourceDies: 1,
    forcedTargetDies: 1,
    siblingDies: 1,
    returningMasterDies: 1,
    lostTailDies: 1,
  },
  'role.after_note': {
    handoverTargetDies: 1,
    handoverSourceDies: 1,
    forcedTargetDies: 1,
    siblingDies: 1,
    returningMasterDies: 1,
    lostTailDies: 1,
  },
  'promote.before_history': {
    handoverTargetDies: 1,
    forcedTargetDies: 1,
    completionDies: 1,
    lostTailDies: 1,
  },
  'promote.after_history': { handoverTargetDies: 1, forcedTargetDies: 1, completionDies: 1, lostTailDies: 1 },
  'rollback.before_write': { returningMasterDies: 1, lostTailDies: 1 },
  'rollback.after_write': { returningMasterDies: 1, lostTailDies: 1 },
};

/** In the order of the list of failpoints. */
export function placesOf(sweep: SweepName): Place[] {
  return FAILPOINTS.flatMap((name) => {
    const count = SWEPT[name][sweep];
    return count === undefined ? [] : [{ name, count }];
  });
}

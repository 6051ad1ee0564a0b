/** When indexes are saved. */

import * as assert from 'uvu/assert';
import { checkpointDue } from '../../src/engine/index-schedule.js';
import { indexReport as report } from '../support/index-report.js';
import { suite } from '../support/suite.js';

const test = suite('engine/index-schedule');

test('a checkpoint is due when replaying would take two seconds and a tenth of a rebuild, sooner when all is quiet', () => {
  assert.not(checkpointDue(report({ replayMs: 1_900 }), false, 0));
  assert.ok(checkpointDue(report({ replayMs: 2_100 }), false, 0));
  assert.not(checkpointDue(report({ replayMs: 2_100, rebuildMs: 30_000 }), false, 0));
  assert.ok(checkpointDue(report({ replayMs: 600, rebuildMs: 30_000 }), true, 0));
  assert.not(checkpointDue(report({ replayMs: 0 }), true, 0));
  assert.not(checkpointDue(report({ replayMs: 9_000, saving: true }), true, 0));
  assert.not(checkpointDue(report({ replayMs: 9_000, phase: 'building' }), true, 0));
});

test('a rebuild while all is quiet is saved as seldom as changes are, and once more when it has ended', () => {
  const ended = report({ replayMs: 900 });
  const running = { ...ended, status: { ...ended.status, growing: 1_000 } };
  assert.not(checkpointDue(running, true, 0));
  assert.ok(checkpointDue({ ...running, replayMs: 2_100 }, true, 0));
  assert.ok(checkpointDue(ended, true, 0));
});

test('a checkpoint that could not be written is tried again half a minute later, not at once', () => {
  const failed = report({ replayMs: 9_000, saveFailed: true });
  assert.not(checkpointDue(failed, false, 250));
  assert.not(checkpointDue(failed, true, 29_000));
  assert.ok(checkpointDue(failed, false, 31_000));
});

test.run();

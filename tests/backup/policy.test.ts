/** Policy: what is due when, by cases and by properties. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type BackupProgress, type BackupSchedule, backupDue } from '../../src/backup/policy.js';
import { suite } from '../support/suite.js';

const test = suite('backup/policy');
const HOUR_MS = 3_600_000;
const SCHEDULE: BackupSchedule = {
  everyOperations: 100,
  intervalMs: HOUR_MS,
  minIntervalMs: 10_000,
  fullIntervalMs: 24 * HOUR_MS,
};

interface Given {
  operations?: number;
  ageMs?: number;
  fullAgeMs?: number;
  continued?: boolean;
  increments?: number;
  incrementBytes?: number;
  endedAgoMs?: number | null;
  failures?: number;
}

const NOW_MS = 1_000 * HOUR_MS;

function progress(given: Given = {}): BackupProgress {
  const { operations = 0, ageMs = 0, fullAgeMs = ageMs, continued = true, increments = 3, incrementBytes = 10 } = given;
  const { endedAgoMs = null, failures = 0 } = given;
  return {
    nowMs: NOW_MS,
    newest: { createdAtMs: NOW_MS - ageMs, operationsSince: operations, continued, lacking: false },
    full: { createdAtMs: NOW_MS - fullAgeMs, bytes: 1_000, increments, incrementBytes },
    lastEndedAtMs: endedAgoMs === null ? null : NOW_MS - endedAgoMs,
    failures,
  };
}

const incremental = (because: string) => ({ kind: 'incremental', because });
const full = (because: string, fullBecause: string) => ({ kind: 'full', because, fullBecause });
const none = (askAgainMs: number | null) => ({ kind: 'none', askAgainMs });

test('the first backup is due at once, and it is a full one', () => {
  assert.equal(backupDue({ ...progress(), newest: null, full: null }, SCHEDULE), full('first', 'first'));
  assert.equal(
    backupDue({ ...progress({ operations: 1 }), full: null }, SCHEDULE),
    full('first', 'first'),
    'none of them is good',
  );
});

test('a hundred operations, or an hour with any, make an increment due', () => {
  assert.equal(backupDue(progress({ operations: 99 }), SCHEDULE), none(HOUR_MS));
  assert.equal(backupDue(progress({ operations: 100 }), SCHEDULE), incremental('operations'));
  assert.equal(backupDue(progress({ operations: 1, ageMs: HOUR_MS - 1 }), SCHEDULE), none(1));
  assert.equal(backupDue(progress({ operations: 1, ageMs: HOUR_MS }), SCHEDULE), incremental('interval'));
  assert.equal(backupDue(progress({ operations: 0, ageMs: 90 * HOUR_MS }), SCHEDULE), none(null), 'nothing was written');
});

test('each reason can be switched off', () => {
  const byTime = { ...SCHEDULE, everyOperations: 0 };
  assert.equal(backupDue(progress({ operations: 1e6 }), byTime), none(HOUR_MS));
  assert.equal(backupDue(progress({ operations: 1e6, ageMs: HOUR_MS }), byTime), incremental('interval'));
  const byCount = { ...SCHEDULE, intervalMs: 0 };
  assert.equal(backupDue(progress({ operations: 99, ageMs: 90 * HOUR_MS }), byCount), none(null));
  const byHand = { ...SCHEDULE, everyOperations: 0, intervalMs: 0 };
  assert.equal(backupDue({ ...progress({ operations: 1e6 }), newest: null, full: null }, byHand), none(null));
});

test('it is a full one when the newest full one is old, or when what came behind it outweighs it', () => {
  const due = { operations: 100 };
  assert.equal(backupDue(progress({ ...due, fullAgeMs: 24 * HOUR_MS }), SCHEDULE), full('operations', 'full_interval'));
  assert.equal(backupDue(progress({ ...due, incrementBytes: 1_000 }), SCHEDULE), full('operations', 'increments_outweigh'));
  assert.equal(backupDue(progress({ ...due, increments: 1_000 }), SCHEDULE), full('operations', 'increments_outweigh'));
  assert.equal(
    backupDue(progress({ fullAgeMs: 99 * HOUR_MS }), SCHEDULE),
    none(null),
    'a full one of the same data says nothing new',
  );
});

test('a line of data that the newest backup does not reach needs a full one, however little was written', () => {
  assert.equal(backupDue(progress({ continued: false }), SCHEDULE), full('not_continued', 'not_continued'));
});

test('between two there is a rest, and after failures a growing one', () => {
  const due = { operations: 100 };
  assert.equal(backupDue(progress({ ...due, endedAgoMs: 9_999 }), SCHEDULE), none(1));
  assert.equal(backupDue(progress({ ...due, endedAgoMs: 10_000 }), SCHEDULE), incremental('operations'));
  assert.equal(backupDue(progress({ ...due, endedAgoMs: 10_000, failures: 3 }), SCHEDULE), none(30_000));
  assert.equal(backupDue(progress({ ...due, endedAgoMs: 0, failures: 50 }), SCHEDULE), none(15 * 60_000));
});

const someProgress = fc
  .record({
    operations: fc.nat(300),
    ageMs: fc.integer({ min: -2 * HOUR_MS, max: 3 * HOUR_MS }),
    fullAgeMs: fc.integer({ min: -HOUR_MS, max: 30 * HOUR_MS }),
    continued: fc.boolean(),
    increments: fc.nat(1_100),
    incrementBytes: fc.nat(1_500),
    endedAgoMs: fc.option(fc.integer({ min: -20_000, max: 40_000 })),
    failures: fc.nat(10),
  })
  .map(progress);
const someSchedule = fc.record({
  everyOperations: fc.constantFrom(0, 1, 100, 250),
  intervalMs: fc.constantFrom(0, 60_000, HOUR_MS),
  minIntervalMs: fc.constantFrom(0, 10_000, 30_000),
  fullIntervalMs: fc.constantFrom(60_000, 24 * HOUR_MS),
});

test('a wait is never for nothing nor too long: before it nothing is due, after it something is', (t) => {
  const property = fc.property(someProgress, someSchedule, (given, schedule) => {
    const due = backupDue(given, schedule);
    if (due.kind !== 'none') return;
    if (due.askAgainMs === null) {
      assert.is(backupDue({ ...given, nowMs: given.nowMs + 1_000 * HOUR_MS }, schedule).kind, 'none');
      return;
    }
    assert.ok(due.askAgainMs >= 1);
    assert.is(backupDue({ ...given, nowMs: given.nowMs + due.askAgainMs - 1 }, schedule).kind, 'none');
    // A clock behind the stamps counts as standing at them, so time must first catch up.
    const behindMs = Math.max(0, (given.newest?.createdAtMs ?? 0) - given.nowMs, (given.lastEndedAtMs ?? 0) - given.nowMs);
    assert.is.not(backupDue({ ...given, nowMs: given.nowMs + behindMs + due.askAgainMs }, schedule).kind, 'none');
  });
  fc.assert(property, { seed: t.seed(), numRuns: 1_000 });
});

test('more operations never take back what is due', (t) => {
  const property = fc.property(someProgress, someSchedule, fc.nat(500), (given, schedule, more) => {
    const { newest } = given;
    if (newest === null || backupDue(given, schedule).kind === 'none') return;
    const later = { ...given, newest: { ...newest, operationsSince: newest.operationsSince + more } };
    assert.is.not(backupDue(later, schedule).kind, 'none');
  });
  fc.assert(property, { seed: t.seed(), numRuns: 500 });
});

test.run();

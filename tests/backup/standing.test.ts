/** Where an archive stands: what continues what, by the plain definition; which increments were replaced; and that no clock that is set keeps a
 *  backup from being due. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { BackupHead, IncrementHead } from '../../src/backup/head.js';
import { nameOf } from '../../src/backup/names.js';
import { NEWEST, planRestore } from '../../src/backup/plan.js';
import { type BackupSchedule, backupDue } from '../../src/backup/policy.js';
import {
  type Attempts,
  isOn,
  keptBackups,
  progressOf,
  type Running,
  replacedIncrements,
  restorableFrom,
  standingOf,
} from '../../src/backup/standing.js';
import { suite } from '../support/suite.js';

const test = suite('backup/standing');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const [FIRST, SECOND] = ['1'.repeat(32), '2'.repeat(32)];
const LINES: Readonly<Record<string, BackupHead['lineage']>> = {
  [FIRST]: [row(FIRST, 1, 0)],
  [SECOND]: [row(FIRST, 1, 0), row(SECOND, 2, 30)],
};

function row(historyId: string, epoch: number, startSeq: number) {
  return { epoch, historyId, startSeq, startHash: '0'.repeat(64) };
}

/** @param fromSeq null: a full one */
function head(historyId: string, fromSeq: number | null, seq: number, createdAtMs: number): BackupHead {
  const id = nameOf({ createdAtMs, range: fromSeq === null ? null : { fromSeq, toSeq: seq } });
  const end = { historyId, epoch: 1, seq, timeMs: createdAtMs, chainHash: '0'.repeat(64), digest: '0'.repeat(32) };
  const bytes = fromSeq === null ? 1_000 : 10;
  const files = [{ name: 'entries', bytes, sha256: '', storedBytes: bytes, storedSha256: '' }];
  const ids = { format: 1, id, clusterId: FIRST, nodeId: FIRST, createdAtMs } as const;
  const base = { ...ids, end, lineage: LINES[historyId] ?? [], files };
  if (fromSeq === null) return { ...base, kind: 'full', snapshot: {} } as unknown as BackupHead;
  return { ...base, kind: 'incremental', fromSeq, firstTimeMs: createdAtMs };
}

const someHeads = fc
  .array(
    fc.record({
      second: fc.boolean(),
      full: fc.boolean(),
      from: fc.integer({ min: 1, max: 60 }),
      length: fc.integer({ min: 0, max: 15 }),
    }),
    { maxLength: 40 },
  )
  .map((rows) =>
    rows.map(({ second, full, from, length }, i) =>
      head(second && from + length > 30 ? SECOND : FIRST, full ? null : from, from + length, 1_000_000 + i),
    ),
  );

test('an increment continues what ends inside of it, or directly before it, on its line', () => {
  fc.assert(
    fc.property(someHeads, (backups) => {
      const kept = new Map(keptBackups({ backups, damaged: [] }, RUNNING).map(({ id, continues }) => [id, continues]));
      for (const one of backups) {
        const wanted =
          one.kind === 'full'
            ? []
            : backups.filter(
                ({ id, end }) =>
                  id !== one.id &&
                  one.fromSeq <= end.seq + 1 &&
                  end.seq < one.end.seq &&
                  isOn({ lineage: one.lineage, seq: one.end.seq }, end),
              );
        assert.equal([...(kept.get(one.id) ?? [])].sort(), wanted.map(({ id }) => id).sort());
      }
    }),
  );
});

test('an increment was replaced when a longer one of its line begins where it begins, and only then', () => {
  const heads = [
    head(FIRST, 1, 10, 1),
    head(FIRST, 1, 20, 2),
    head(FIRST, 11, 20, 3),
    head(FIRST, 25, 35, 4),
    head(SECOND, 25, 40, 5),
    head(FIRST, null, 9, 6),
  ];
  assert.equal(replacedIncrements({ backups: heads }), [heads[0]?.id], 'seq 31 to 35 of the first line are in no other');
  const parted = [head(FIRST, 11, 28, 1), head(FIRST, 29, 50, 2), head(SECOND, 11, 40, 3)];
  assert.equal(replacedIncrements({ backups: parted }), [], 'the first line leads on from it');
  assert.equal(replacedIncrements({ backups: [parted[0], parted[2]] as BackupHead[] }), [parted[0]?.id]);
  fc.assert(
    fc.property(someHeads, (backups) => {
      const replaced = new Set(replacedIncrements({ backups }));
      const left = backups.filter((one): one is IncrementHead => one.kind === 'incremental' && !replaced.has(one.id));
      for (const one of backups.filter(({ id }) => replaced.has(id))) {
        const covers = (other: IncrementHead): boolean =>
          one.kind === 'incremental' && other.fromSeq === one.fromSeq && isOn({ ...other, seq: other.end.seq }, one.end);
        assert.ok(left.some(covers), 'nothing of it is lost');
      }
    }),
  );
});

const SCHEDULE: BackupSchedule = { everyOperations: 0, intervalMs: HOUR_MS, minIntervalMs: 10_000, fullIntervalMs: DAY_MS };
const RUNNING = { seq: 100, logMinSeq: 1, lineage: LINES[FIRST] ?? [] };
const NOW_MS = 400 * DAY_MS;

function due(heads: readonly BackupHead[], attempts: Partial<Attempts>, running: Running = RUNNING): string {
  const before = { wallMs: NOW_MS, monotonicMs: 50 * DAY_MS, lastEndedAtMs: null, lastFullAtMs: null, failures: 0 };
  const given = { ...before, ...attempts };
  return backupDue(progressOf(standingOf({ backups: heads }, running), running, given), SCHEDULE).kind;
}

const leadsToNewest = (backups: readonly BackupHead[]): boolean => {
  try {
    const { full, increments } = planRestore({ backups, damaged: [] }, NEWEST);
    return (increments.at(-1) ?? full).end.seq === RUNNING.seq;
  } catch {
    return false;
  }
};

test('every state can be restored from where it is said, and no full backup before that one leads as far', () => {
  const canBeRestored = (backups: readonly BackupHead[], seq: number): boolean => {
    try {
      planRestore({ backups, damaged: [] }, { ...NEWEST, seq }, RUNNING);
      return true;
    } catch {
      return false;
    }
  };
  const seqs = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  fc.assert(
    fc.property(someHeads, (heads) => {
      const from = restorableFrom(heads, RUNNING);
      const newest = standingOf({ backups: heads }, RUNNING).newest?.end.seq ?? 0;
      if (from !== null) for (const seq of seqs(from.seq, newest)) assert.ok(canBeRestored(heads, seq), `seq ${seq}`);
      // What another line has in common with this one may lead further.
      const own = heads.filter(({ lineage }) => lineage.length === 1);
      const fulls = own.filter(({ kind }) => kind === 'full').map(({ end }) => end.seq);
      const leading = fulls.filter((full) => seqs(full, newest).every((seq) => canBeRestored(own, seq)));
      assert.is(restorableFrom(own, RUNNING)?.seq, leading.length === 0 ? undefined : Math.min(...leading));
    }),
  );
});

test('the next increment leads to the newest state and leaves out nothing that the log still has, or none would be of use', () => {
  fc.assert(
    fc.property(someHeads, fc.integer({ min: 1, max: 80 }), (heads, logMinSeq) => {
      const backups = heads.filter(({ lineage }) => lineage.length === 1);
      const { fromSeq, continued } = standingOf({ backups }, { ...RUNNING, logMinSeq });
      const withNext = (from: number): BackupHead[] => [...backups, head(FIRST, from, RUNNING.seq, 2_000_000)];
      if (!continued) {
        for (let from = logMinSeq; from <= RUNNING.seq; from++) {
          const isStart = backups.some(({ end }) => end.seq + 1 === from);
          if (isStart) assert.not(leadsToNewest(withNext(from)), `from ${from}`);
        }
        return;
      }
      const made = withNext(fromSeq ?? 0);
      const oldest = Math.min(...backups.filter(({ kind }) => kind === 'full').map(({ end }) => end.seq));
      for (const seq of backups.map(({ end }) => end.seq + 1).filter((start) => start > oldest && start >= logMinSeq)) {
        const isHeld = made.some((one) => one.kind === 'incremental' && one.fromSeq <= seq && seq <= one.end.seq);
        assert.ok(isHeld, `seq ${seq} is in an increment`);
      }
      assert.ok(leadsToNewest(made));
    }),
    { numRuns: 1_000 },
  );
  const chain = [head(FIRST, null, 10, 1), head(FIRST, 11, 20, 2), head(FIRST, 21, 30, 3), head(FIRST, 31, 40, 4)];
  const starts = chain.map((_, gone) => standingOf({ backups: chain.filter((_one, i) => i !== gone) }, RUNNING));
  assert.equal(
    starts.map(({ fromSeq, continued, lacking }) => [fromSeq, continued, lacking]),
    [
      [null, false, false],
      [11, true, true],
      [21, true, true],
      [31, true, false],
    ],
  );
});

test('increments go on where the last one ended, whatever full ones were made since', () => {
  const fulls = [head(FIRST, null, 10, 1), head(FIRST, null, 30, 3), head(FIRST, null, 60, 4)];
  assert.is(standingOf({ backups: fulls }, RUNNING).fromSeq, 11);
  const { fromSeq, full, lacking } = standingOf({ backups: [...fulls, head(FIRST, 11, 40, 2)] }, RUNNING);
  assert.equal([fromSeq, full?.end.seq, lacking], [41, 60, false]);
  assert.is(standingOf({ backups: fulls }, { ...RUNNING, logMinSeq: 12 }).fromSeq, 31, 'the log has nothing older');
});

test('a hole is filled at once, by a full one only where the log cannot', () => {
  const chain = [head(FIRST, null, 50, NOW_MS - 9_000), head(FIRST, 51, 60, NOW_MS - 6_000), head(FIRST, 61, 70, NOW_MS - 3_000)];
  assert.is(due(chain, {}), 'none');
  const holed = [chain[0], chain[2]] as BackupHead[];
  assert.is(due(holed, {}), 'incremental');
  assert.is(due(holed, {}, { ...RUNNING, logMinSeq: 60 }), 'full');
});

test('what only a damaged backup holds is written again at once, and once', () => {
  const [full, last] = [head(FIRST, null, 50, NOW_MS - 9_000), head(FIRST, 51, 60, NOW_MS - 3_000)];
  const again = head(FIRST, 51, 100, NOW_MS - 1_000);
  const lacking = (gone: BackupHead, end: BackupHead['end'] | null, backups: BackupHead[], running: Running = RUNNING) =>
    standingOf({ backups, damaged: [{ id: gone.id, object: 'o', problem: 'p', end }] }, running).lacking;
  assert.ok(lacking(last, last.end, [full]));
  assert.ok(lacking(last, null, [full]), 'nobody can tell what it held');
  assert.not(lacking(last, last.end, [again, full]));
  assert.not(lacking(last, null, [again, full]));
  assert.not(lacking(last, null, [full], { ...RUNNING, seq: 50 }), 'nothing was written');
  const left = head(SECOND, 31, 60, NOW_MS - 3_000);
  assert.not(lacking(left, left.end, [full]), 'it is of another line');
});

test('a history that no backup knows is backed up at once', () => {
  const chain = [head(FIRST, null, 20, NOW_MS - 9_000), head(FIRST, 21, 30, NOW_MS - 6_000)];
  const running = { seq: 31, logMinSeq: 1, lineage: LINES[SECOND] ?? [] };
  assert.is(due(chain, {}, running), 'incremental');
  assert.is(due([...chain, head(SECOND, 31, 31, NOW_MS - 1_000)], {}, running), 'none');
  assert.is(due(chain, {}, { ...running, seq: 30 }), 'none', 'nothing was written in it');
});

test('backups from a future that a clock has come back from hold nothing up, and bring no storm of backups', () => {
  const usual = [head(FIRST, 51, 60, NOW_MS - 10_000), head(FIRST, null, 50, NOW_MS - HOUR_MS)];
  assert.is(due(usual, {}), 'none');
  const future = [head(FIRST, 51, 60, NOW_MS + 9 * DAY_MS), head(FIRST, null, 50, NOW_MS + 8 * DAY_MS)];
  assert.is(due(future, {}), 'full', 'nobody knows how old they are');
  const since = { monotonicMs: 50 * DAY_MS, lastEndedAtMs: 50 * DAY_MS - 60_000, lastFullAtMs: 50 * DAY_MS - HOUR_MS };
  assert.is(due(future, since), 'none', 'this node knows that they are young');
  assert.is(due(future, { ...since, monotonicMs: 50 * DAY_MS + HOUR_MS }), 'incremental');
  assert.is(due(future, { ...since, monotonicMs: 51 * DAY_MS }), 'full');
});

test.run();

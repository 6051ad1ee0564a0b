/** Plans of restores: from random lines of data with random backups, a plan leads exactly to what was asked for, or says that nothing does. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { BackupHead, HeadLineage } from '../../src/backup/head.js';
import { nameOf } from '../../src/backup/names.js';
import { NEWEST, planRestore } from '../../src/backup/plan.js';
import { SkeinError } from '../../src/model/errors.js';
import { suite } from '../support/suite.js';

const test = suite('backup/plan');

const hex = (byte: number, bytes: number): string => byte.toString(16).padStart(2, '0').repeat(bytes);
const history = (epoch: number): string => hex(epoch, 16);

/** Epoch 2 begins behind seq 50; epoch 3 is another end of epoch 1, from seq 40 on. */
const LINES: Readonly<Record<number, readonly HeadLineage[]>> = {
  2: [lineage(1, 0), lineage(2, 50)],
  3: [lineage(1, 0), lineage(3, 40)],
};

function lineage(epoch: number, startSeq: number): HeadLineage {
  return { epoch, historyId: history(epoch), startSeq, startHash: hex(0, 32) };
}

let madeMs = 1_000;

/** @param from null: a full one. The time of entry n is 10 n. */
function head(line: 2 | 3, from: number | null, to: number): BackupHead {
  madeMs += 1_000;
  const rows = (LINES[line] ?? []).filter(({ startSeq }) => startSeq < to || startSeq === 0);
  const { historyId, epoch } = rows.at(-1) ?? lineage(1, 0);
  const id = nameOf({ createdAtMs: madeMs, range: from === null ? null : { fromSeq: from, toSeq: to } });
  const end = { historyId, epoch, seq: to, timeMs: to * 10, chainHash: hex(0, 32), digest: hex(0, 16) };
  const base = {
    format: 1,
    id,
    clusterId: hex(9, 16),
    nodeId: hex(8, 16),
    createdAtMs: madeMs,
    end,
    lineage: rows,
    files: [],
  } as const;
  if (from === null) return { ...base, kind: 'full', snapshot: {} } as unknown as BackupHead;
  return { ...base, kind: 'incremental', fromSeq: from, firstTimeMs: from * 10 };
}

const newestFirst = (heads: readonly BackupHead[]): BackupHead[] => [...heads].reverse();
const typeOf = (plan: () => unknown): string => {
  try {
    plan();
    return 'planned';
  } catch (error) {
    return error instanceof SkeinError ? error.type : String(error);
  }
};

test('a plan has no gap, stays on one line, and ends where it was asked to', () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 20 }));
  const some = fc.record({ line: fc.constantFrom<2 | 3>(2, 3), full: fc.boolean(), range });
  fc.assert(
    fc.property(
      fc.array(some, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 110 }),
      fc.constantFrom(1, 2, 3),
      (made, seq, epoch) => {
        const heads = made.map(({ line, full, range: [from, length] }) => head(line, full ? null : from, from + length));
        // A history wrote nothing before its beginning.
        fc.pre(seq > ({ 1: 0, 2: 50, 3: 40 }[epoch] ?? 0));
        const position = { historyId: history(epoch), epoch, seq };
        let plan: ReturnType<typeof planRestore>;
        try {
          plan = planRestore({ backups: newestFirst(heads), damaged: [] }, { ...NEWEST, position });
        } catch (error) {
          if (!(error instanceof SkeinError)) throw error;
          return;
        }
        const line = [...plan.increments, plan.full].reduce(
          (last, one) => (one.end.seq > last.end.seq ? one : last),
          plan.full as BackupHead,
        );
        const at = [...line.lineage].reverse().find(({ startSeq }) => startSeq < seq);
        assert.is(at?.historyId, position.historyId, 'the history that wrote it');
        assert.ok(plan.full.end.seq <= seq);
        let reached = plan.full.end.seq;
        for (const { fromSeq, end } of plan.increments) {
          assert.ok(fromSeq <= reached + 1 && end.seq > reached);
          reached = end.seq;
        }
        assert.ok(reached >= seq);
      },
    ),
    { numRuns: 300 },
  );
});

test('what is beyond a fork is lost, what is in a hole is not found, and an instant never jumps over one', () => {
  const heads = [head(2, null, 20), head(2, 21, 30), head(2, null, 60), head(2, 61, 80)];
  const known = { backups: newestFirst(heads), damaged: [] };
  const at = (epoch: number, seq: number) =>
    typeOf(() => planRestore(known, { ...NEWEST, position: { historyId: history(epoch), epoch, seq } }));
  assert.is(at(1, 25), 'planned');
  assert.is(at(1, 55), 'PositionLost');
  assert.is(at(1, 40), 'BackupNotFound');
  assert.is(at(2, 70), 'planned');
  assert.is(at(2, 90), 'PositionLost');
  const when = (timeMs: number) => typeOf(() => planRestore(known, { ...NEWEST, timeMs }));
  assert.equal(
    [when(250), when(400), when(650), when(9_999), when(10)],
    ['planned', 'BackupNotFound', 'planned', 'planned', 'BackupNotFound'],
  );
});

test('a damaged backup that may hold more is named, and one that was asked for as well', () => {
  const heads = [head(2, null, 20), head(2, 21, 30)];
  const broken = {
    id: nameOf({ createdAtMs: madeMs + 5_000, range: { fromSeq: 31, toSeq: 35 } }),
    object: 'o',
    problem: 'p',
    end: null,
  };
  const known = { backups: newestFirst(heads), damaged: [broken] };
  assert.is(
    typeOf(() => planRestore(known, NEWEST)),
    'BackupDamaged',
  );
  assert.is(
    typeOf(() => planRestore(known, { ...NEWEST, backup: broken.id })),
    'BackupDamaged',
  );
  assert.is(
    typeOf(() => planRestore(known, { ...NEWEST, seq: 25 })),
    'planned',
  );
  assert.is(
    typeOf(() => planRestore(known, { ...NEWEST, timeMs: 250 })),
    'planned',
  );
  assert.is(
    typeOf(() => planRestore({ backups: [], damaged: [] }, NEWEST)),
    'BackupNotFound',
  );
});

test.run();

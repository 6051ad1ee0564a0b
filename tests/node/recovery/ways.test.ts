/** The decisions of a repair: which ways are open for which damage on which node, in which order, how often, and what a start does. */

import * as assert from 'uvu/assert';
import { type DamageKind, damageOf } from '../../../src/model/damage.js';
import type { Way } from '../../../src/model/recovery.js';
import { type Damaged, isRowDamage, planForDamage } from '../../../src/node/recovery/start-damage.js';
import {
  afterTry,
  foundAgain,
  newCase,
  nextStep,
  type Surroundings,
  TRIES_MAX,
  waysFor,
} from '../../../src/node/recovery/ways.js';
import { suite } from '../../support/suite.js';

const test = suite('node/recovery/ways');

const ALONE: Surroundings = {
  role: 'master',
  linked: false,
  replicas: 0,
  backups: false,
  mayTakeSnapshot: true,
  copyBegun: false,
};
const MASTER: Surroundings = { ...ALONE, replicas: 2 };
const REPLICA: Surroundings = { ...ALONE, role: 'replica', linked: true };
const KINDS: readonly DamageKind[] = ['payload', 'vectors', 'head', 'log', 'digest_page', 'table', 'page'];
const of = (kind: DamageKind) => damageOf(kind, 'points', 'damaged', { collectionUid: 1, label: 2 });

test('the ways of each kind of damage, cheapest first', () => {
  const table = (around: Surroundings): Way[][] => KINDS.map((kind) => waysFor(of(kind), around));
  const own: Way[] = ['log'];
  assert.equal(table(ALONE), [own, own, own, [], ['recount'], [], []]);
  const near: Way[] = ['log', 'replica'];
  assert.equal(table(MASTER), [near, near, near, ['replica'], ['recount'], [], []]);
  const far: Way[] = ['log', 'master', 'snapshot'];
  assert.equal(table(REPLICA), [far, far, far, ['master', 'snapshot'], ['recount', 'snapshot'], ['snapshot'], ['snapshot']]);
  assert.equal(table({ ...REPLICA, linked: false }), [own, own, own, [], ['recount'], [], []]);
  assert.equal(table({ ...REPLICA, mayTakeSnapshot: false }).at(-1), []);
  const kept: Way[] = ['log', 'backup'];
  assert.equal(table({ ...ALONE, backups: true }), [kept, kept, kept, ['backup'], ['recount'], [], []]);
  assert.equal(table({ ...REPLICA, backups: true })[0], ['log', 'master', 'backup', 'snapshot']);
});

test('a way is gone a bounded number of times, with longer pauses, and then the next one; at the end comes quarantine', () => {
  let known = afterTry(newCase(of('vectors'), 0), 'log', true, 'absent', 0);
  const taken: Way[] = [];
  const pauses: number[] = [];
  let nowMs = 0;
  for (let step = nextStep(known, REPLICA, nowMs); step.kind !== 'quarantine'; step = nextStep(known, REPLICA, nowMs)) {
    if (step.kind === 'wait') {
      pauses.push(known.nextAtMs - nowMs);
      nowMs = known.nextAtMs;
      continue;
    }
    taken.push(step.way);
    known = afterTry(known, step.way, false, 'nothing came', nowMs);
  }
  assert.equal(taken, [...Array<Way>(TRIES_MAX).fill('master'), ...Array<Way>(TRIES_MAX).fill('snapshot')]);
  assert.equal(pauses.slice(0, 3), [1_000, 5_000, 25_000]);
});

test('what another try would not change ends its way at once', () => {
  const known = afterTry(newCase(of('log'), 0), 'master', true, 'unproven', 0);
  assert.equal(nextStep(known, REPLICA, 0), { kind: 'try', way: 'snapshot' });
  const step = nextStep(known, { ...REPLICA, mayTakeSnapshot: false }, 0);
  assert.is(step.kind, 'quarantine');
  assert.match(step.kind === 'quarantine' ? step.reason : '', /unproven/);
});

test('quarantine is no end: a way that opens is tried, and a damage that is found again begins anew', () => {
  const alone = { ...newCase(of('log'), 0), quarantined: true };
  assert.equal(nextStep(alone, ALONE, 9), { kind: 'wait' });
  assert.equal(nextStep(alone, MASTER, 9), { kind: 'try', way: 'replica' });
  const spent = { ...afterTry(alone, 'replica', true, 'unproven', 0), quarantined: true };
  assert.equal(nextStep(spent, MASTER, 9), { kind: 'wait' });
  assert.equal(nextStep(foundAgain(spent, 9), MASTER, 9), { kind: 'try', way: 'replica' });
  const open = afterTry(newCase(of('log'), 0), 'replica', false, 'nothing came', 0);
  assert.equal(foundAgain(open, 9), { ...open, seenAtMs: 9 }, 'what is being tried goes on');
});

test('while a copy of all data may still come, nothing is given up', () => {
  const spent = afterTry(newCase(of('table'), 0), 'snapshot', false, 'begun', 0);
  assert.equal(nextStep(spent, { ...REPLICA, mayTakeSnapshot: false, copyBegun: true }, 9), { kind: 'wait' });
  assert.is(nextStep(spent, { ...REPLICA, mayTakeSnapshot: false }, 9).kind, 'quarantine');
});

const row: Damaged = { kind: 'row_damaged', table: 'vectors' };
const structure: Damaged = { kind: 'structure', table: null };

test('a start serves beside single rows, takes a replica’s data again when it may, and refuses all else', () => {
  const plan = (change: Partial<Parameters<typeof planForDamage>[0]>) =>
    planForDamage({
      setting: 'rows',
      damage: [row],
      isAll: true,
      before: { role: 'master', masterUrl: null },
      movedLately: 0,
      ...change,
    });
  const replica = { role: 'replica', masterUrl: 'http://a:1' } as const;
  assert.is(plan({}).kind, 'serve');
  assert.is(plan({ setting: 'resync', before: replica }).kind, 'serve');
  assert.match(JSON.stringify(plan({ setting: 'off' })), /refuse.*recover-at-start rows/);
  assert.is(plan({ isAll: false }).kind, 'refuse');
  assert.is(plan({ damage: [row, structure] }).kind, 'refuse');
  assert.match(JSON.stringify(plan({ damage: [structure], before: replica })), /refuse.*recover-at-start resync/);
  const trashed = { setting: 'resync', damage: [structure] } as const;
  assert.equal(plan({ ...trashed, before: replica }), { kind: 'resync', masterUrl: 'http://a:1' });
  assert.is(plan(trashed).kind, 'refuse', 'a master never');
  assert.is(plan({ ...trashed, before: { role: 'replica', masterUrl: null } }).kind, 'refuse');
  assert.match(JSON.stringify(plan({ ...trashed, before: replica, movedLately: 3 })), /refuse.*look at the disk/);
});

test('what is a single row', () => {
  const rows: readonly [Damaged, boolean][] = [
    [row, true],
    [{ kind: 'row_damaged', table: 'log' }, true],
    [{ kind: 'row_damaged', table: 'remembered' }, true],
    [{ kind: 'row_missing', table: 'vectors' }, true],
    [{ kind: 'row_damaged', table: 'state' }, false],
    [{ kind: 'row_damaged', table: 'collections' }, false],
    [{ kind: 'hash_mismatch', table: 'points' }, false],
    [{ kind: 'page_damaged', table: 'points' }, false],
    [{ kind: 'digest_mismatch', table: 'state' }, false],
  ];
  for (const [finding, expected] of rows) assert.is(isRowDamage(finding), expected, JSON.stringify(finding));
});

test.run();

/** Retention: which backups may go, by cases and by properties. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { expiredBackups, type KeptBackup, type RetentionRules } from '../../src/backup/retention.js';
import { suite } from '../support/suite.js';

const test = suite('backup/retention');
const DAY_MS = 86_400_000;

const full = (id: string, day: number, good = true): KeptBackup => ({
  id,
  kind: 'full',
  createdAtMs: day * DAY_MS,
  good,
  isRunning: true,
  continues: [],
});
const increment = (id: string, day: number, ...continues: readonly string[]): KeptBackup => ({
  id,
  kind: 'incremental',
  createdAtMs: day * DAY_MS,
  good: true,
  isRunning: true,
  continues,
});
const keep = (fullsMax: number, ageDays: number | null = null): RetentionRules => ({
  fullsMax,
  ageMsMax: ageDays === null ? null : ageDays * DAY_MS,
});

test('so many full backups stay, and older ones go with what was written after them', () => {
  const backups = [
    full('a', 1),
    increment('a1', 1.2, 'a'),
    increment('a2', 1.4, 'a1'),
    full('b', 2),
    increment('b1', 2.5, 'b', 'a2'),
    full('c', 3),
  ];
  assert.equal(expiredBackups(backups, keep(3), 4 * DAY_MS), []);
  assert.equal(expiredBackups(backups, keep(2), 4 * DAY_MS), ['a2', 'a1', 'a'], 'b1 can be replayed on b as well');
  assert.equal(expiredBackups([...backups].reverse(), keep(1), 4 * DAY_MS), ['a2', 'a1', 'b1', 'a', 'b']);
  assert.equal(expiredBackups([], keep(1), 0), []);
});

test('a damaged backup counts for nothing, and goes in its turn', () => {
  const backups = [full('a', 1), full('b', 2, false), full('c', 3, false)];
  assert.equal(expiredBackups(backups, keep(1), 9 * DAY_MS), [], 'the only good one and what is newer');
  assert.equal(expiredBackups([...backups, full('d', 4)], keep(1), 9 * DAY_MS), ['a', 'b', 'c']);
  assert.equal(expiredBackups(backups, keep(1, 1), 9 * DAY_MS), []);
});

test('by age everything goes that no moment of the stretch needs', () => {
  const backups = [full('a', 1), increment('a1', 1.5, 'a'), full('b', 2), full('c', 3)];
  assert.equal(expiredBackups(backups, keep(9, 2), 3.9 * DAY_MS), [], 'the moment 1.9 needs a');
  assert.equal(expiredBackups(backups, keep(9, 2), 4 * DAY_MS), ['a1', 'a']);
  assert.equal(expiredBackups(backups, keep(9, 2), 99 * DAY_MS), ['a1', 'a', 'b'], 'the newest stays however old');
});

test('what was left pushes nothing out of what runs, and goes in its own turn', () => {
  const left = (one: KeptBackup): KeptBackup => ({ ...one, isRunning: false });
  const backups = [full('a', 1), increment('a1', 1.5, 'a'), left(full('b', 2)), left(full('c', 3)), full('d', 4)];
  assert.equal(expiredBackups(backups, keep(1), 9 * DAY_MS), ['a1', 'a', 'b', 'c']);
  assert.equal(expiredBackups(backups, keep(2), 9 * DAY_MS), ['b']);
  assert.equal(expiredBackups(backups.slice(0, 4), keep(1), 9 * DAY_MS), ['b'], 'the only one of what runs');
});

test('an increment whose full backup is gone goes by the same rules', () => {
  const backups = [increment('lost', 1, 'gone'), increment('lost2', 2, 'lost'), full('a', 3), full('b', 4)];
  assert.equal(expiredBackups(backups, keep(3), 5 * DAY_MS), []);
  assert.equal(expiredBackups(backups, keep(2), 5 * DAY_MS), ['lost2', 'lost']);
});

/** Random sets: chains over several full backups, forks, damage, equal times, lost ends and circles. */
const someBackups = fc
  .array(
    fc.record({ isFull: fc.boolean(), good: fc.boolean(), day: fc.nat(12), links: fc.array(fc.nat(30), { maxLength: 3 }) }),
    {
      maxLength: 25,
    },
  )
  .map((rows) =>
    rows.map(({ isFull, good, day, links }, i) =>
      isFull ? full(`x${i}`, day, good) : { ...increment(`x${i}`, day, ...links.map((link) => `x${link}`)), good },
    ),
  );
const someRules = fc.record({
  fullsMax: fc.integer({ min: 1, max: 4 }),
  ageMsMax: fc.option(fc.nat(10).map((days) => days * DAY_MS)),
});
const NOW_MS = 12 * DAY_MS;

function restorable(backups: readonly KeptBackup[]): Set<string> {
  const found = new Set(backups.filter(({ kind }) => kind === 'full').map(({ id }) => id));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { id, continues } of backups) if (continues.some((base) => found.has(base))) found.add(id);
  }
  return found;
}

test('the first full backup of each of the last days stays, however many were made since', () => {
  const hurried = Array.from({ length: 200 }, (_, i) => full(`x${String(i).padStart(3, '0')}`, 1 + i / 50));
  const left = (now: number, fullsMax: number): string[] => {
    const gone = new Set(expiredBackups(hurried, keep(fullsMax), now * DAY_MS));
    return hurried.map(({ id }) => id).filter((id) => !gone.has(id));
  };
  assert.equal(left(4.99, 3), ['x050', 'x100', 'x150', 'x197', 'x198', 'x199']);
  assert.equal(left(6.5, 3), ['x150', 'x197', 'x198', 'x199']);
  assert.equal(left(9, 3), ['x197', 'x198', 'x199']);
  assert.equal(left(0.5, 2), ['x000', 'x050', 'x100', 'x150', 'x198', 'x199'], 'a clock that was set back removes no day');
});

test('whatever there is, the newest good full backup stays, and only as many others as asked for, and one a day', (t) => {
  const property = fc.property(someBackups, someRules, (backups, rules) => {
    const gone = new Set(expiredBackups(backups, rules, NOW_MS));
    const goodFulls = backups.filter(({ kind, good }) => kind === 'full' && good);
    const left = goodFulls.filter(({ id }) => !gone.has(id));
    const newestMs = Math.max(...goodFulls.map(({ createdAtMs }) => createdAtMs));
    if (goodFulls.length > 0) assert.ok(left.some(({ createdAtMs }) => createdAtMs === newestMs));
    else assert.is(gone.size, 0, 'without a good one nothing goes');
    assert.ok(left.length >= Math.min(goodFulls.length, rules.ageMsMax === null ? rules.fullsMax : 1));
    const days = new Set(
      left.map(({ createdAtMs }) => Math.floor(createdAtMs / DAY_MS)).filter((day) => day > 12 - rules.fullsMax),
    );
    assert.ok(left.length <= rules.fullsMax + days.size);
  });
  fc.assert(property, { seed: t.seed(), numRuns: 500 });
});

test('wherever removing is broken off, nothing has lost what it hangs on', (t) => {
  const property = fc.property(someBackups, someRules, (backups, rules) => {
    const before = restorable(backups);
    const order = expiredBackups(backups, rules, NOW_MS);
    assert.is(new Set(order).size, order.length);
    for (let done = 1; done <= order.length; done++) {
      const gone = new Set(order.slice(0, done));
      const left = backups.filter(({ id }) => !gone.has(id));
      const after = restorable(left);
      for (const { id } of left) assert.is(after.has(id), before.has(id), id);
    }
    const left = backups.filter(({ id }) => !order.includes(id));
    assert.equal(expiredBackups(left, rules, NOW_MS), [], 'a second run has nothing to do');
  });
  fc.assert(property, { seed: t.seed(), numRuns: 300 });
});

test('as far as the count allows, every moment of the stretch of age keeps its full backup', (t) => {
  const property = fc.property(someBackups, fc.nat(10), fc.nat(12), (backups, ageDays, moment) => {
    const rules = keep(1_000, ageDays);
    if (moment < 12 - ageDays) return;
    const gone = new Set(expiredBackups(backups, rules, NOW_MS));
    const usable = backups.filter(({ kind, good, createdAtMs }) => kind === 'full' && good && createdAtMs <= moment * DAY_MS);
    const newestMs = Math.max(...usable.map(({ createdAtMs }) => createdAtMs));
    if (usable.length > 0) assert.ok(usable.some(({ id, createdAtMs }) => createdAtMs === newestMs && !gone.has(id)));
  });
  fc.assert(property, { seed: t.seed(), numRuns: 500 });
});

test.run();

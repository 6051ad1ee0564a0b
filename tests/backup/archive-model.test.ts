/** The archive under random fates of a cluster: what a plain look at lines of data says must be restorable, is; and what is due ends by being done. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { BackupHead } from '../../src/backup/head.js';
import { NEWEST } from '../../src/backup/plan.js';
import { type Need, removalOf, type Way } from '../../src/backup/removal.js';
import { isOn, keptBackups, standingOf } from '../../src/backup/standing.js';
import { SkeinError } from '../../src/model/errors.js';
import { ArchiveWorld, DAY_MS, FULLS_MAX, type Kill, type Place } from '../support/archive-world.js';
import { suite } from '../support/suite.js';

const test = suite('backup/archive-model', { deadlineMs: 120_000 });

/** What nobody but time, writers and operators do: after it no moment may be missing. */
const GENTLE = [
  'write',
  'write',
  'look',
  'look',
  'full',
  'increment',
  'prune',
  'promote',
  'restore',
  'killed',
  'tidy',
  'wait',
  'day',
] as const;
const ROUGH = [...GENTLE, 'cut', 'late_promote', 'vanish', 'damage', 'heal', 'tidy_killed', 'asked_to_go'] as const;
type Step = { readonly what: (typeof ROUGH)[number]; readonly some: number; readonly more: number };

const stepsOf = (kinds: readonly Step['what'][]) =>
  fc.array(fc.record({ what: fc.constantFrom(...kinds), some: fc.nat(1_000), more: fc.nat(6) }), { maxLength: 40, size: 'max' });
/** Three entries make an increment that is not made anew, or none ever do. */
const somePacking = fc.constantFrom(1 / 80, 1e-6);
const KILLS: readonly Kill[] = ['before_increment', 'before_removal', 'before_full', 'before_tidying'];

const pick = <T>(from: readonly T[], at: number): T | undefined => from[at % Math.max(1, from.length)];

function take(world: ArchiveWorld, { what, some, more }: Step): void {
  switch (what) {
    case 'write':
      return world.write(more + 1);
    case 'look': {
      const due = world.due();
      if (due.kind !== 'none') world.make(due.kind, more % 3);
      return;
    }
    case 'full':
      return void world.make('full', more % 3);
    case 'increment':
      return void world.make(world.kindWanted(), more % 3);
    case 'prune':
      return world.prune();
    case 'promote':
      return world.promote(more % 4, 0);
    case 'restore': {
      const place = pick(restorable(world), some);
      if (place !== undefined) world.restore(place);
      return;
    }
    case 'killed':
      return void world.make(world.kindWanted(), some % 3, pick(KILLS, more));
    case 'tidy':
      return world.tidy();
    case 'tidy_killed':
      return world.tidy(more);
    case 'wait':
      world.nowMs += 20_000;
      return;
    case 'day':
      world.nowMs += DAY_MS / 2;
      return;
    case 'cut':
      return world.pruneTo(world.running.seq - (some % 10));
    case 'late_promote':
      return world.promote(more % 4, world.running.seq - (some % 20));
    case 'vanish': {
      const head = pick(world.backups, some);
      return head && world.remove(head.id);
    }
    case 'asked_to_go': {
      const head = pick(world.backups, some);
      const removal = head && removalOf(world.listing(), world.running, head, more % 2 === 0);
      if (removal !== undefined && 'ids' in removal) for (const id of removal.ids) world.remove(id);
      return;
    }
    case 'damage': {
      const head = pick(world.backups, some);
      return head && world.damage(head, more % 2 === 0);
    }
    case 'heal':
      return world.heal();
  }
}

/** Every moment of every line that some backup is of. */
function restorable(world: ArchiveWorld): Place[] {
  return allPlaces(world).filter((place) => canRestore(world, place));
}

function allPlaces(world: ArchiveWorld): Place[] {
  const found = new Map<string, Place>();
  const lines = [...world.backups.map(({ lineage, end }) => ({ lineage, seq: end.seq })), world.running];
  const widest = new Map<string, (typeof lines)[number]>();
  for (const line of lines) {
    const last = line.lineage.at(-1)?.historyId ?? '';
    if ((widest.get(last)?.seq ?? -1) < line.seq) widest.set(last, line);
  }
  for (const line of widest.values()) for (const place of world.placesOf(line)) found.set(keyOf(place), place);
  return [...found.values()];
}

const keyOf = ({ historyId, seq }: Place): string => `${historyId} ${seq}`;

/** Does a plan lead there, and is it a right one? */
function canRestore(world: ArchiveWorld, place: Place): boolean {
  let plan: ReturnType<typeof world.plan>;
  try {
    plan = world.plan({ ...NEWEST, position: place });
  } catch (error) {
    if (error instanceof SkeinError) return false;
    throw error;
  }
  const heads: BackupHead[] = [plan.full, ...plan.increments];
  const last = heads.at(-1) as BackupHead;
  const line = { lineage: last.lineage, seq: last.end.seq };
  assert.ok(isOn(line, place), 'the plan ends on the line of the moment');
  assert.ok(last.end.seq >= place.seq && plan.full.end.seq <= place.seq);
  let reached = plan.full.end.seq;
  for (const head of plan.increments) {
    assert.ok(isOn(line, head.end) && head.fromSeq <= reached + 1 && head.end.seq > reached);
    reached = head.end.seq;
  }
  return true;
}

function reachedBy(plan: () => ReturnType<ArchiveWorld['plan']>): string {
  try {
    const { full, increments } = plan();
    const { historyId, seq } = (increments.at(-1) ?? full).end;
    return `${historyId} ${seq}`;
  } catch (error) {
    return error instanceof SkeinError ? `${error.type}: ${error.message}` : String(error);
  }
}

function ownFulls(world: ArchiveWorld): BackupHead[] {
  return world.backups.filter(({ kind, end }) => kind === 'full' && isOn(world.running, end));
}

/** After a backup, with nothing written since. */
function mustHoldNewest(world: ArchiveWorld): void {
  const newest = keyOf(world.placesOf(world.running).at(-1) as Place);
  assert.is(
    reachedBy(() => world.plan(NEWEST)),
    newest,
    'in the server',
  );
  assert.is(
    reachedBy(() => world.plan(NEWEST, null)),
    newest,
    'from the folder alone',
  );
  const fulls = ownFulls(world);
  if (fulls.length < 2) return;
  for (const gone of fulls) {
    const others = Object.assign(Object.create(world) as ArchiveWorld, {
      backups: world.backups.filter(({ id }) => id !== gone.id),
    });
    assert.is(
      reachedBy(() => others.plan(NEWEST)),
      newest,
      `without ${gone.id}`,
    );
    const broken = { id: gone.id, object: 'o', problem: 'p', end: gone.end };
    const damaged = Object.assign(Object.create(others) as ArchiveWorld, { damaged: [{ head: gone, broken }] });
    assert.is(
      reachedBy(() => damaged.plan(NEWEST)),
      newest,
      `with ${gone.id} damaged`,
    );
  }
}

function mustHoldAll(world: ArchiveWorld): void {
  const oldest = Math.min(...ownFulls(world).map(({ end }) => end.seq));
  for (const place of world.placesOf(world.running).filter(({ seq }) => seq >= oldest)) {
    assert.ok(canRestore(world, place), `${keyOf(place)} cannot be restored`);
    const { full, increments } = world.plan({ ...NEWEST, seq: place.seq });
    assert.ok((increments.at(-1) ?? full).end.seq >= place.seq);
  }
}

/** Nobody writes: what is due becomes less, and then nothing is. */
function mustComeToRest(world: ArchiveWorld): void {
  for (let turn = 0; ; turn++) {
    world.nowMs += 20_000;
    const due = world.due();
    if (due.kind === 'none') return;
    assert.ok(turn < 200, `a storm: ${JSON.stringify(due)}`);
    world.make(due.kind);
  }
}

/** By itself it came to hold something of the data that runs. */
function mustFollow(world: ArchiveWorld): void {
  const { newest } = standingOf(world.listing(), world.running);
  assert.is(newest?.end.historyId, world.running.lineage.at(-1)?.historyId);
}

/** A restore that begins with a full one leaves nothing in an increment that went over its end. */
function mustNotCross({ backups }: ArchiveWorld, known: ReadonlySet<BackupHead>): void {
  for (const one of backups) {
    if (one.kind === 'full' || known.has(one)) continue;
    const line = { lineage: one.lineage, seq: one.end.seq };
    const inside = backups.filter(({ kind, end }) => kind === 'full' && end.seq >= one.fromSeq && end.seq < one.end.seq);
    assert.not(
      inside.some(({ end }) => isOn(line, end)),
      `${one.id} goes over the end of a full one`,
    );
  }
}

function mustBeTidy(world: ArchiveWorld): void {
  const listing = world.listing();
  const kept = keptBackups(listing, world.running);
  const ids = new Set(kept.map(({ id }) => id));
  for (const { id, kind, continues } of kept) {
    if (kind === 'incremental')
      assert.ok(
        continues.some((before) => ids.has(before)),
        `${id} hangs on nothing`,
      );
  }
  const fulls = world.backups.filter(({ kind }) => kind === 'full');
  assert.ok(fulls.length <= 4 * FULLS_MAX, `${fulls.length} full backups`);
}

/** The first full ones of the last days lead to all that was behind them. */
function mustStay(world: ArchiveWorld): Place[] {
  const today = Math.floor(world.nowMs / DAY_MS);
  const firsts = new Map<number, BackupHead>();
  for (const head of world.backups.filter(({ kind }) => kind === 'full')) firsts.set(Math.floor(head.createdAtMs / DAY_MS), head);
  const kept = [...firsts].filter(([day, { end }]) => day > today - FULLS_MAX && isOn(world.running, end));
  const from = Math.min(...kept.map(([, { end }]) => end.seq));
  return world.placesOf(world.running).filter((place) => place.seq >= from && canRestore(world, place));
}

const isKeeping = ({ what }: Step): boolean =>
  !['vanish', 'damage', 'heal', 'tidy', 'full', 'look', 'increment', 'killed', 'restore'].includes(what);

test('whatever becomes of a cluster, no moment since the oldest full backup is missing while the log is kept for it', (t) => {
  const property = fc.property(stepsOf(GENTLE), somePacking, (steps, packing) => {
    const world = new ArchiveWorld(packing);
    world.write(1);
    world.make('full');
    for (const step of steps) {
      const before = step.what === 'tidy' ? mustStay(world) : isKeeping(step) ? restorable(world) : [];
      const hadFull = ownFulls(world).length > 0;
      take(world, step);
      for (const place of before) assert.ok(canRestore(world, place), `${step.what} took ${keyOf(place)}`);
      if (step.what.startsWith('tidy')) assert.is(ownFulls(world).length > 0, hadFull);
      if (standingOf(world.listing(), world.running).newest?.end.seq === world.running.seq && step.what === 'restore')
        mustHoldNewest(world);
    }
    mustComeToRest(world);
    mustFollow(world);
    world.archiveRest();
    mustHoldNewest(world);
    mustHoldAll(world);
    world.tidy();
    mustBeTidy(world);
    mustHoldNewest(world);
    mustHoldAll(world);
  });
  fc.assert(property, { seed: t.seed(), numRuns: t.rounds(300, 3_000) });
});

test('what is lost is refused by name, nothing is passed off as the newest, and the next backup makes it good', (t) => {
  const property = fc.property(stepsOf(ROUGH), somePacking, (steps, packing) => {
    const world = new ArchiveWorld(packing);
    world.write(1);
    world.make('full');
    for (const step of steps) {
      const hadFull = ownFulls(world).length > 0;
      const known = new Set(world.backups);
      take(world, step);
      if (step.what !== 'heal') mustNotCross(world, known);
      if (step.what.startsWith('tidy')) assert.is(ownFulls(world).length > 0, hadFull);
      mustNotPassOff(world);
      mustAnswerAlike(world);
      if (step.what !== 'increment') continue;
      world.make(world.kindWanted());
      const newest = keyOf(world.placesOf(world.running).at(-1) as Place);
      assert.is(
        reachedBy(() => world.plan(NEWEST)),
        newest,
      );
    }
    mustComeToRest(world);
    mustFollow(world);
    const isBlind = world.damaged.some(({ broken }) => broken.end === null);
    assert.not.match(
      reachedBy(() => world.plan(NEWEST)),
      isBlind ? 'NotFound' : ':',
    );
  });
  fc.assert(property, { seed: t.seed(), numRuns: t.rounds(300, 3_000) });
});

/** A damaged backup that has more than what is reached is never kept quiet. */
function mustNotPassOff(world: ArchiveWorld): void {
  let plan: ReturnType<typeof world.plan>;
  try {
    plan = world.plan(NEWEST, null);
  } catch (error) {
    if (error instanceof SkeinError) return;
    throw error;
  }
  const { end } = plan.increments.at(-1) ?? plan.full;
  for (const { head } of world.damaged)
    assert.not(head.end.epoch > end.epoch || (head.end.epoch === end.epoch && head.end.seq > end.seq), `${head.id} has more`);
}

/** Whoever names a seq of the line that runs gets what its position gives. */
function mustAnswerAlike(world: ArchiveWorld): void {
  const archived = Math.max(0, ...world.backups.filter(({ end }) => isOn(world.running, end)).map(({ end }) => end.seq));
  for (const place of world.placesOf(world.running).filter(({ seq }) => seq <= archived)) {
    const bySeq = reachedBy(() => world.plan({ ...NEWEST, seq: place.seq }));
    if (canRestore(world, place)) assert.not.match(bySeq, ':', `${keyOf(place)}: ${bySeq}`);
    else assert.match(bySeq, ':');
  }
}

/** What a backup holds itself is no loss when it goes. */
function isOwn(head: BackupHead, place: Place): boolean {
  if (!isOn({ lineage: head.lineage, seq: head.end.seq }, place)) return false;
  return head.kind === 'full' ? place.seq === head.end.seq : place.seq >= head.fromSeq;
}

/** What a full one has behind it: it was asked for that such states may go. */
function isPassedBy(fulls: readonly BackupHead[], place: Place): boolean {
  return fulls.some(({ kind, lineage, end }) => kind === 'full' && isOn({ lineage, seq: end.seq }, place));
}

/** The furthest of the line that runs, and of all while nothing of the history that runs can be restored. */
function newestPlaces(world: ArchiveWorld, restorablePlaces: readonly Place[]): { own: Place | null; all: Place | null } {
  const known = new Set(restorablePlaces.map(keyOf));
  const own = world.placesOf(world.running).findLast((place) => known.has(keyOf(place))) ?? null;
  const isHeld = own?.historyId === world.running.lineage.at(-1)?.historyId;
  const all = isHeld ? null : restorablePlaces.toSorted((a, b) => a.epoch - b.epoch || a.seq - b.seq).at(-1);
  return { own, all: all ?? null };
}

/** What a refusal says to help, done as it says. */
function mustHelp(world: ArchiveWorld, head: BackupHead, { ways, neededBy }: Need): void {
  const goes = (one: BackupHead, withThem: boolean): boolean => 'ids' in removalOf(world.listing(), world.running, one, withThem);
  const afterThem = (): boolean => {
    for (const id of neededBy) {
      const one = [...world.backups, ...world.damaged.map((known) => known.head)].find((known) => known.id === id);
      if (one === undefined || !goes(one, false)) return false;
      world.remove(id);
    }
    return goes(head, false);
  };
  const done: Record<Way, () => boolean> = {
    with_increments: () => goes(head, true),
    increments_first: afterThem,
  };
  for (const way of ways) {
    const helps = world.tried(() => done[way]() || !world.backups.includes(head));
    assert.ok(helps, `${way} does not let ${head.id} go`);
  }
}

function mustTakeNothing(world: ArchiveWorld, head: BackupHead, withIncrements: boolean, ids: readonly string[]): void {
  const before = restorable(world);
  const { own, all } = newestPlaces(world, before);
  const { continued } = standingOf(world.listing(), world.running);
  const fulls = ownFulls(world).length;
  const ifSound = world.tried(() => {
    world.heal(true);
    return restorable(world);
  });
  const helping = world.backups.filter((one) => one !== head);
  const isLeft = (place: Place): boolean =>
    canRestore(world, place) || isOwn(head, place) || (withIncrements && isPassedBy(helping, place));
  for (const id of ids) {
    world.remove(id);
    for (const place of before) assert.ok(isLeft(place), `${head.id} took ${keyOf(place)}`);
  }
  const goesOn = standingOf(world.listing(), world.running).continued;
  assert.ok(goesOn || !continued, 'the log goes on from the archive');
  for (const [what, place] of Object.entries({ own: goesOn ? null : own, all }))
    assert.ok(place === null || canRestore(world, place), `${head.id} took the newest of ${what}`);
  assert.is(ownFulls(world).length > 0, fulls > 0);
  world.heal(true);
  for (const place of ifSound) assert.ok(isLeft(place), `${head.id} took ${keyOf(place)}, had all been sound`);
}

test('one that is asked to go takes nothing with it but what is its own, and what a newer full one has passed where that is asked for', (t) => {
  const steps = stepsOf(ROUGH.filter((what) => what !== 'asked_to_go'));
  const counted = { went: 0, stayed: 0, last_full: 0, increments: 0, log: 0, newest: 0, helped: 0, doubted: 0 };
  const asked = fc.record({ some: fc.nat(1_000), withIncrements: fc.boolean(), hurt: fc.option(fc.nat(1_000)) });
  const property = fc.property(steps, somePacking, asked, (taken, packing, { some, withIncrements, hurt }) => {
    const world = new ArchiveWorld(packing);
    world.write(1);
    world.make('full');
    for (const step of taken) take(world, step);
    const hurtOne = hurt === null ? undefined : pick(world.backups, hurt);
    if (hurtOne !== undefined) world.damage(hurtOne, false);
    const listing = world.listing();
    const head = pick(world.backups, some);
    if (head === undefined) return;
    if (listing.doubted.length > 0) counted.doubted += 1;
    const removal = removalOf(listing, world.running, head, withIncrements);
    if ('need' in removal) {
      counted.stayed += 1;
      counted[removal.need.reason] += 1;
      counted.helped += removal.need.ways.length;
      return mustHelp(world, head, removal.need);
    }
    counted.went += 1;
    assert.is(removal.ids.at(-1), head.id);
    if (!withIncrements) assert.is(removal.ids.length, 1);
    mustTakeNothing(world, head, withIncrements, removal.ids);
  });
  fc.assert(property, { seed: t.seed(), numRuns: t.rounds(500, 5_000) });
  for (const [what, count] of Object.entries(counted)) assert.ok(count > 0, `${what}: ${count}`);
});

test.run();

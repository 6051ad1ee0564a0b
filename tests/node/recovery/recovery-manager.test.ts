/** The recovery manager over a store that is imagined: what it repairs, gives up, forgets and shows, and that its lists are bounded. */

import * as assert from 'uvu/assert';
import type { StoreCare } from '../../../src/engine/engine.js';
import { type Damage, damageKey, damageOf } from '../../../src/model/damage.js';
import { silentLog } from '../../../src/model/log.js';
import type { Way } from '../../../src/model/recovery.js';
import type { QuarantineLine } from '../../../src/node/recovery/quarantine-list.js';
import { CASES_MAX, RecoveryManager } from '../../../src/node/recovery/recovery-manager.js';
import type { RepairResult } from '../../../src/node/recovery/repairs.js';
import type { Surroundings } from '../../../src/node/recovery/ways.js';
import { suite } from '../../support/suite.js';

const test = suite('node/recovery/recovery-manager');

const at = (label: number): Damage =>
  damageOf('payload', 'points', `label ${label}`, { collectionUid: 1, label, id: label, version: 1 });
const ABSENT: RepairResult = { outcome: 'absent', error: 'not there', isFinal: true };
const REPAIRED: RepairResult = { outcome: 'repaired', error: null, isFinal: true };

class Stand {
  nowMs = 0;
  around: Surroundings = { role: 'master', linked: false, replicas: 0, backups: false, mayTakeSnapshot: true, copyBegun: false };
  readonly damaged = new Set<string>();
  readonly shown: number[] = [];
  readonly gone: Way[] = [];
  readonly lines: QuarantineLine[] = [];
  readonly stopping = new AbortController();
  unread: number[] = [];
  passesWanted = 0;
  answer: (way: Way, damage: Damage) => RepairResult | Promise<RepairResult> = () => ABSENT;
  meet: (damage: Damage) => void = () => {};
  show = async (uid: number): Promise<void> => void this.shown.push(uid);
  engine: { care: StoreCare } | null = { care: this.#care() };
  readonly manager = new RecoveryManager({
    engine: () => this.engine as never,
    around: () => this.around,
    repairs: {
      go: async (way, damage) => {
        this.gone.push(way);
        const result = await this.answer(way, damage);
        if (result.outcome === 'repaired') this.damaged.delete(damageKey(damage));
        return result;
      },
    },
    quarantine: { add: async (lines) => void this.lines.push(...lines) },
    clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
    log: silentLog,
    wantPass: () => {
      this.passesWanted += 1;
    },
    stopping: this.stopping.signal,
  });

  #care(): StoreCare {
    return {
      look: async (damage: Damage) => (this.damaged.has(damageKey(damage)) ? damage : null),
      show: (uid: number) => this.show(uid),
      nameOf: () => 'c',
      unread: () => this.unread,
      onDamage: (listener: (damage: Damage) => void) => {
        this.meet = listener;
        return () => {};
      },
    } as unknown as StoreCare;
  }

  find(damage: Damage): void {
    this.damaged.add(damageKey(damage));
    this.manager.found(damage);
  }

  /** One round, with all that follows from it. */
  async round(): Promise<void> {
    this.manager.tick();
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function opened(): Stand {
  const stand = new Stand();
  stand.manager.tick();
  return stand;
}

test('what is repaired is counted and forgotten, and shown once nothing of its collection is under way', async () => {
  const stand = opened();
  stand.answer = (_way, { label }) => (label === 1 ? REPAIRED : { ...ABSENT, isFinal: false });
  stand.find(at(1));
  stand.find(at(2));
  await stand.round();
  assert.equal([stand.manager.status().damaged, stand.shown], [1, []]);
  stand.answer = () => REPAIRED;
  stand.nowMs = 60_000;
  await stand.round();
  assert.equal([stand.manager.status().damaged, stand.shown, stand.manager.concern], [0, [1], null]);
  assert.equal(stand.manager.status().counts, [
    { way: 'log', outcome: 'repaired', count: 2 },
    { way: 'log', outcome: 'absent', count: 1 },
  ]);
});

test('what nobody has is listed once, and ends when the row is written anew', async () => {
  const stand = opened();
  stand.find(at(1));
  for (let round = 0; round < 4; round++) await stand.round();
  assert.equal([stand.gone, stand.lines.map(({ damage }) => damage.label)], [['log'], [1]]);
  assert.match(stand.manager.concern ?? '', /1 damaged rows.*1 of them are in quarantine/);
  stand.manager.found(at(1));
  await stand.round();
  await stand.round();
  assert.equal([stand.gone.length, stand.lines.length], [2, 1], 'found again, tried again, not listed again');
  stand.damaged.clear();
  stand.manager.found(at(1));
  await stand.round();
  assert.equal([stand.manager.status().damaged, stand.shown], [0, [1]]);
});

test('what a pass does not meet any more is looked at, also in quarantine', async () => {
  const stand = opened();
  stand.find(at(1));
  stand.find(at(2));
  for (let round = 0; round < 4; round++) await stand.round();
  assert.is(stand.manager.status().quarantined, 2);
  // Its collection was dropped, say, or the log was pruned behind it: nobody names the place again.
  stand.damaged.delete(damageKey(at(1)));
  stand.nowMs = 10;
  stand.manager.found(at(2));
  stand.manager.passed(5);
  await stand.round();
  assert.equal(
    stand.manager.status().known.map(({ damage }) => damage.label),
    [2],
  );
  stand.nowMs = 30;
  stand.manager.passed(20);
  await stand.round();
  assert.equal([stand.manager.status().damaged, stand.manager.status().quarantined], [1, 1], 'it is damaged still');
});

test('an index that is built anew holds up no repair, and a repair that takes long holds up no stop', async () => {
  const stand = opened();
  stand.answer = () => REPAIRED;
  let shown = (): void => {};
  stand.show = (uid) => {
    stand.shown.push(uid);
    return new Promise((resolve) => {
      shown = resolve;
    });
  };
  stand.find(at(1));
  await stand.round();
  stand.find(at(2));
  await stand.round();
  await stand.round();
  assert.equal([stand.manager.status().damaged, stand.shown], [0, [1]], 'one building after the other');
  shown();
  await stand.round();
  assert.equal(stand.shown, [1, 1], 'what was mended meanwhile is shown too');
  stand.answer = () => new Promise<never>(() => {});
  stand.find(at(3));
  await stand.round();
  stand.stopping.abort();
  await stand.manager.stop();
});

test('no more cases are kept than the bound, and the rest is looked for when they are done', async () => {
  const stand = opened();
  for (let label = 0; label < CASES_MAX + 5; label++) stand.find(at(label));
  assert.is(stand.manager.status().damaged, CASES_MAX);
  assert.ok(stand.manager.status().known.length <= 100);
  stand.answer = () => REPAIRED;
  while (stand.manager.status().damaged > 0) await stand.round();
  assert.is(stand.passesWanted, 1);
  assert.equal(stand.shown, [1], 'an index is not built anew for every round');
});

test('a read that meets damage makes a case of its place; without a place all of the store is read', async () => {
  const stand = opened();
  stand.meet(damageOf('page', 'file', 'a page'));
  assert.equal([stand.passesWanted, stand.manager.status().damaged], [1, 0]);
  stand.damaged.add(damageKey(at(1)));
  stand.meet(at(1));
  stand.meet(at(1));
  assert.is(stand.manager.status().damaged, 1);
});

test('damage that cannot be looked at alone is gone when a whole pass does not meet it', async () => {
  const stand = opened();
  stand.find(damageOf('table', 'remembered', '1 idempotency keys fail their checksums'));
  await stand.round();
  assert.is(stand.manager.status().quarantined, 1);
  stand.manager.passed(0);
  assert.is(stand.manager.status().damaged, 1, 'found since this pass began');
  stand.manager.passed(1);
  assert.is(stand.manager.status().damaged, 0);
});

test('an index that lacks rows which a whole pass finds sound reads them again', async () => {
  const stand = opened();
  stand.unread = [7];
  await stand.round();
  assert.equal([stand.passesWanted, stand.shown], [1, []]);
  stand.manager.passed(1);
  await stand.round();
  assert.equal(stand.shown, [7]);
});

test('another store has nothing of the damage of the one before, and a stop waits for no answer', async () => {
  const stand = opened();
  stand.find(at(1));
  const { engine } = stand;
  stand.engine = null;
  await stand.round();
  assert.is(stand.manager.status().damaged, 0);
  stand.engine = engine;
  await stand.round();
  stand.find(at(2));
  let begun = (): void => {};
  const asked = new Promise<void>((resolve) => {
    begun = resolve;
  });
  stand.answer = async () => {
    begun();
    await new Promise((resolve) => stand.stopping.signal.addEventListener('abort', resolve));
    return ABSENT;
  };
  stand.manager.tick();
  await asked;
  stand.stopping.abort();
  await stand.manager.stop();
  assert.equal([stand.lines, stand.manager.status().counts], [[], []], 'an end of the node is no failure of a way');
});

test.run();

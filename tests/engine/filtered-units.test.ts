/** Writes by filter unit by unit: how long they may take, and what is told of those that end before their end. */

import * as assert from 'uvu/assert';
import type { RunningEngine, WriteOptions } from '../../src/engine/engine.js';
import { Cancellation } from '../../src/model/cancellation.js';
import { type Clock, systemClock } from '../../src/model/clock.js';
import { FIXED } from '../../src/model/limits.js';
import { openTestEngine, pointBlock, WAIT } from '../support/open-test-engine.js';
import { rejectionOf } from '../support/refusal.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/filtered-units', { deadlineMs: 60_000 });

const UNIT = FIXED.patchByFilterUnitPoints;
const POINTS = 3 * UNIT + 10;
const ALL = { must: [{ kind: 'exists', key: 'a', exists: true }] } as const;
const SEEN = { must: [{ kind: 'exists', key: 'seen', exists: true }] } as const;
const HOUR_MS = 3_600_000;
const CHANGE = { change: { kind: 'set', payload: Buffer.from('{"seen":true}') } } as const;

interface Stand {
  readonly engine: RunningEngine;
  /** Called behind each unit that is written. */
  behindUnit: () => void;
  /** What the clock is ahead of the world's. */
  aheadMs: number;
}

async function filled(t: TestContext): Promise<Stand> {
  const stand = { behindUnit: (): void => {}, aheadMs: 0 };
  const clock: Clock = {
    wallMs: () => systemClock.wallMs(),
    monotonicMs: () => systemClock.monotonicMs() + stand.aheadMs,
  };
  const onWork = ({ kind }: { readonly kind: string }): void => {
    if (kind === 'written') stand.behindUnit();
  };
  const { engine, create } = await openTestEngine(t.folder(), {}, 'master', 0, { clock, onWork });
  t.after(() => engine.stop());
  await create('c', 2);
  const points = Array.from({ length: POINTS }, (_, id) => ({ id, vector: [id, 1], payload: { a: 1 } }));
  await engine.write([{ kind: 'upsert', collection: 'c', points: pointBlock(points) }], WAIT);
  return Object.assign(stand, { engine });
}

test('a time for all units ends them between two, and what is done is told and stays', async (t) => {
  const stand = await filled(t);
  stand.behindUnit = () => (stand.aheadMs += HOUR_MS);
  const patched = await rejectionOf(stand.engine.patchByFilter('c', ALL, CHANGE, WAIT));
  assert.equal([patched.type, patched.details['done']], ['Timeout', { points: UNIT, units: 1 }]);
  assert.match(patched.message, `${UNIT} points in 1 unit before it are done and stay so, asking again does these once more`);
  assert.is((await stand.engine.count('c', SEEN)).count, UNIT);
});

test('with a time for each unit all of them may take any time', async (t) => {
  const stand = await filled(t);
  stand.behindUnit = () => (stand.aheadMs += HOUR_MS);
  const { results } = await stand.engine.patchByFilter('c', ALL, CHANGE, { ...WAIT, eachUnitAnew: true });
  assert.equal(results, [{ kind: 'patch', patched: POINTS, units: 4 }]);
  assert.is((await stand.engine.count('c', SEEN)).count, POINTS);
});

test('who goes away ends them between two units', async (t) => {
  const stand = await filled(t);
  const cancellation = new Cancellation();
  let units = 0;
  stand.behindUnit = () => {
    units += 1;
    if (units === 2) cancellation.cancel();
  };
  const options: WriteOptions = { ...WAIT, eachUnitAnew: true, cancellation };
  const gone = await rejectionOf(stand.engine.patchByFilter('c', ALL, CHANGE, options));
  assert.equal([gone.details['abandoned'], gone.details['done']], [true, { points: 2 * UNIT, units: 2 }]);
  assert.is((await stand.engine.count('c', SEEN)).count, 2 * UNIT);
});

test('a write has an end however much comes behind it meanwhile', async (t) => {
  const stand = await filled(t);
  const { engine } = stand;
  const written: Promise<unknown>[] = [];
  stand.behindUnit = () => {
    const first = POINTS + written.length * 2 * UNIT;
    const more = Array.from({ length: 2 * UNIT }, (_, i) => ({ id: first + i, vector: [i, 1], payload: { a: 1 } }));
    // What is written here is a unit too.
    if (written.length < 4) written.push(engine.write([{ kind: 'upsert', collection: 'c', points: pointBlock(more) }], WAIT));
  };
  const { results } = await engine.patchByFilter('c', ALL, CHANGE, { ...WAIT, eachUnitAnew: true });
  assert.equal(results, [{ kind: 'patch', patched: POINTS, units: 4 }]);
  await Promise.all(written);
  stand.behindUnit = () => {};
  assert.is((await engine.count('c', SEEN)).count, POINTS);
  const all = (await engine.count('c')).count;
  assert.ok(all > FIXED.deleteByFilterUnitPoints);
  const deleted = await engine.deleteByFilter('c', ALL, WAIT);
  assert.equal(deleted.results, [{ kind: 'delete', deleted: all, units: Math.ceil(all / FIXED.deleteByFilterUnitPoints) }]);
});

test('what ends a delete says that asking again does the others', async (t) => {
  const stand = await filled(t);
  const more = Array.from({ length: FIXED.deleteByFilterUnitPoints }, (_, i) => ({
    id: POINTS + i,
    vector: [i, 1],
    payload: { a: 1 },
  }));
  await stand.engine.write([{ kind: 'upsert', collection: 'c', points: pointBlock(more) }], WAIT);
  stand.behindUnit = () => (stand.aheadMs += HOUR_MS);
  const deleted = await rejectionOf(stand.engine.deleteByFilter('c', ALL, WAIT));
  assert.match(deleted.message, 'asking again does the others');
  assert.is((await stand.engine.count('c')).count, POINTS);
  stand.behindUnit = () => {};
  assert.equal((await stand.engine.deleteByFilter('c', ALL, WAIT)).results, [{ kind: 'delete', deleted: POINTS, units: 1 }]);
});

test.run();

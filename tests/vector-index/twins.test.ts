/** Copies are noticed when they are many, rare vectors are not, and groups come back as they were. */

import * as assert from 'uvu/assert';
import { Twins } from '../../src/vector-index/twins.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/twins');

test('from the ninth copy on the first is named, also when many other vectors come in between', (t) => {
  const random = new Random(t.seed());
  const twins = new Twins();
  const named: (number | null)[] = [];
  for (let round = 0; round < 12; round++) {
    named.push(twins.notice(0xdeadbeef, round));
    for (let i = 0; i < 1_000; i++) assert.is(twins.notice(random.uint32(), 1_000 + i), null);
  }
  assert.equal(named, [...new Array<null>(8).fill(null), 0, 0, 0, 0]);
});

test('a vector that is often seen takes the place of one that was', () => {
  const twins = new Twins();
  const [old, young] = [7, 7 + 2 ** 15];
  for (let label = 0; label < 300; label++) twins.notice(old, label);
  let taken: number | null = null;
  let label = 300;
  for (; taken === null && label < 2_000; label++) taken = twins.notice(young, label);
  assert.ok(taken !== null && taken >= 300);
  assert.is(twins.notice(old, label), null);
});

test('twins stand behind their front until they are removed, and groups build the same again', () => {
  const twins = new Twins();
  for (const label of [12, 10, 11]) twins.add(3, label);
  twins.add(4, 20);
  assert.ok(twins.remove(11));
  assert.not(twins.remove(11));
  assert.not(twins.remove(3));
  assert.ok(twins.remove(20));
  assert.equal(twins.groups(), new Map([[3, Uint32Array.of(10, 12)]]));
  const again = new Twins(twins.groups());
  assert.is(again.size, 2);
  assert.equal([...again.behind(3)], [10, 12]);
  assert.equal([...again.behind(4)], []);
});

test.run();

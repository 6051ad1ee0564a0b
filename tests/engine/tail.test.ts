/** Tails: they move forward only, wake exactly those whose seq is reached, and give up on time. */

import * as assert from 'uvu/assert';
import { Tail } from '../../src/engine/tail.js';
import { suite } from '../support/suite.js';

const test = suite('engine/tail');

test('a wait ends when its seq is reached, not before', async () => {
  const tail = new Tail(3);
  assert.ok(await tail.reach(3, 0));
  const order: string[] = [];
  const five = tail.reach(5, 60_000).then((reached) => order.push(`five ${reached}`));
  const four = tail.reach(4, 60_000).then((reached) => order.push(`four ${reached}`));
  tail.advance(4);
  await four;
  assert.equal(order, ['four true']);
  assert.is(tail.waiting, 1);
  tail.advance(9);
  await five;
  assert.equal(order, ['four true', 'five true']);
});

test('a wait that is too long ends with false and leaves nothing behind', async () => {
  const tail = new Tail(0);
  assert.not(await tail.reach(1, 1));
  assert.is(tail.waiting, 0);
});

test('a tail never goes back', () => {
  const tail = new Tail(7);
  tail.advance(2);
  assert.is(tail.seq, 7);
});

test('closing ends every wait with false', async () => {
  const tail = new Tail(0);
  const wait = tail.reach(1, 60_000);
  tail.close();
  assert.not(await wait);
});

test.run();

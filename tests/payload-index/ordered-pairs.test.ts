/** Ordered pairs against a sorted list, through splits and joins of chunks. */

import * as assert from 'uvu/assert';
import { type Cut, OrderedPairs } from '../../src/payload-index/ordered-pairs.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('payload-index/ordered-pairs');

type Pair = readonly [number, number];
const compare = (a: Pair, b: Pair): number => a[0] - b[0] || a[1] - b[1];
const EVERYTHING: readonly [Cut, Cut] = [
  { value: Number.NEGATIVE_INFINITY, after: false },
  { value: Number.POSITIVE_INFINITY, after: true },
];

function between(pairs: OrderedPairs, from: Cut, to: Cut): Pair[] {
  const found: Pair[] = [];
  pairs.visit(pairs.find(from), pairs.find(to), (labels, values) => {
    for (const [place, label] of labels.entries()) found.push([values[place] as number, label]);
  });
  return found;
}

function checkCuts(pairs: OrderedPairs, wanted: readonly Pair[], random: Random): void {
  const cut = (): Cut => ({ value: random.integer(-20, 320) / 2, after: random.boolean() });
  const isBehind = ([value]: Pair, { value: at, after }: Cut): boolean => (after ? value > at : value >= at);
  for (let number = 0; number < 30; number++) {
    const [from, to] = [cut(), cut()];
    const inside = wanted.filter((pair) => isBehind(pair, from) && !isBehind(pair, to));
    assert.equal(between(pairs, from, to), inside);
    assert.is(pairs.count(pairs.find(from), pairs.find(to)), inside.length);
    const { loose, bitmaps } = pairs.gather(pairs.find(from), pairs.find(to));
    const gathered = new Set([...loose, ...bitmaps.flatMap((bitmap) => [...bitmap.toUint32Array()])]);
    assert.equal(gathered, new Set(inside.map(([, label]) => label)));
  }
}

test('any stretch of the order has the pairs of a sorted list, while pairs come and go', (t) => {
  const random = new Random(t.seed());
  const pairs = new OrderedPairs();
  let wanted: Pair[] = [];
  for (const keep of [0.9, 0.5, 0.2, 0.8, 0.05]) {
    for (let change = 0; change < 3_000; change++) {
      if (random.boolean(keep)) {
        const pair: Pair = [random.integer(0, 300) / 2, random.integer(0, 5_000)];
        pairs.add(...pair);
        wanted.push(pair);
      } else if (wanted.length > 0) {
        const place = random.integer(0, wanted.length - 1);
        const [pair] = wanted.splice(place, 1, wanted[wanted.length - 1] as Pair);
        wanted.pop();
        assert.is(pairs.remove(...(pair as Pair)), true);
      }
    }
    wanted = wanted.sort(compare);
    assert.is(pairs.size, wanted.length);
    assert.equal(between(pairs, ...EVERYTHING), wanted);
    checkCuts(pairs, wanted, random);
  }
  assert.is(pairs.remove(1_000, 1), false);
  for (const pair of wanted) assert.is(pairs.remove(...pair), true);
  assert.is(pairs.memoryBytes, 0);
});

test('what is removed gives its memory back, and what arrives in order fills its chunks', () => {
  const pairs = new OrderedPairs();
  for (let label = 0; label < 100_000; label++) pairs.add(label, label);
  assert.ok(pairs.memoryBytes < 100_000 * 13, `${pairs.memoryBytes} bytes`);
  for (let label = 0; label < 100_000; label++) if (label % 50 !== 0) pairs.remove(label, label);
  assert.is(pairs.size, 2_000);
  assert.ok(pairs.memoryBytes < 2_000 * 13 * 8, `${pairs.memoryBytes} bytes for 2,000 pairs`);
});

test.run();

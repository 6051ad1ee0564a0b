/** Sets put together before they are made: the labels, the bounds of their number and the word about each label agree with plain sets. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { bitmapOf } from '../../src/payload-index/bitmap.js';
import { HeldLabels, type LabelSource, MadeOnDemand, NO_LABELS } from '../../src/payload-index/label-source.js';
import { SetAlgebra } from '../../src/payload-index/set-algebra.js';
import { suite } from '../support/suite.js';

const test = suite('payload-index/set-algebra');

const LIVE = Array.from({ length: 200 }, (_, place) => place * 3);
const algebra = new SetAlgebra(bitmapOf(Uint32Array.from(LIVE)));

interface Both {
  readonly source: LabelSource;
  readonly plain: ReadonlySet<number>;
}

const held = fc.tuple(fc.subarray(LIVE), fc.boolean()).map(([labels, onDemand]): Both => {
  const plain = new Set(labels);
  const loose = (): Uint32Array => Uint32Array.from([...labels, ...labels]).reverse();
  const made = new MadeOnDemand({
    size: () => ({ least: 0, expected: Math.round(labels.length / 2), most: labels.length * 2 }),
    gather: () => ({ loose: loose(), bitmaps: [] }),
    holds: (label) => plain.has(label),
  });
  return { source: onDemand ? made : new HeldLabels(bitmapOf(loose())), plain };
});
const few = fc
  .subarray(LIVE, { maxLength: 3 })
  .map((labels): Both => ({ source: new HeldLabels(bitmapOf(Uint32Array.from(labels))), plain: new Set(labels) }));
const ends = fc.constantFrom<Both>({ source: NO_LABELS, plain: new Set() }, { source: algebra.all, plain: new Set(LIVE) });

function atLeast(parts: readonly Both[], count: number): Both {
  const plain = LIVE.filter((label) => parts.filter((part) => part.plain.has(label)).length >= count);
  return {
    source: algebra.atLeast(
      parts.map((part) => part.source),
      count,
    ),
    plain: new Set(plain),
  };
}

const together: fc.Memo<Both> = fc.memo((depth) => {
  const leaf = fc.oneof({ weight: 4, arbitrary: held }, { weight: 3, arbitrary: few }, { weight: 1, arbitrary: ends });
  if (depth <= 1) return leaf;
  const inner = together(depth - 1);
  const parts = fc.array(inner, { maxLength: 6 });
  const sources = (list: readonly Both[]): LabelSource[] => list.map((part) => part.source);
  return fc.oneof(
    leaf,
    parts.map((list) => ({ ...atLeast(list, list.length), source: algebra.and(sources(list)) })),
    parts.map((list) => ({ ...atLeast(list, 1), source: algebra.or(sources(list)) })),
    inner.map(({ source, plain }) => ({
      source: algebra.not(source),
      plain: new Set(LIVE.filter((label) => !plain.has(label))),
    })),
    fc.tuple(parts, fc.nat(7)).map(([list, count]) => atLeast(list, count)),
  );
});

test('and, or, not and at least so many, inside each other, give what plain sets give', () => {
  let some = 0;
  fc.assert(
    fc.property(together(3), ({ source, plain }) => {
      const { least, expected, most } = source.size();
      assert.ok(least <= plain.size && plain.size <= most, `${plain.size} is not in ${least} … ${most}`);
      assert.ok(least <= expected && expected <= most && Number.isInteger(expected));
      for (const label of LIVE) assert.is(source.holds(label), plain.has(label));
      const wanted = Uint32Array.from(plain).sort();
      assert.equal(source.labels().toUint32Array(), wanted);
      assert.equal(source.labels().toUint32Array(), wanted, 'the second time as well');
      for (const label of LIVE) assert.is(source.holds(label), plain.has(label));
      if (plain.size > 0 && plain.size < LIVE.length) some += 1;
    }),
    { numRuns: 2_000 },
  );
  assert.ok(some > 500, `${some} sets were neither empty nor everything`);
});

test('sets that do not meet are never in several of them, however many are asked for', () => {
  const apart = Array.from({ length: 9 }, (_, place) => new HeldLabels(bitmapOf(Uint32Array.of(place * 3))));
  for (let count = 2; count <= 8; count++) assert.is(algebra.atLeast(apart, count).labels().size, 0, `${count} of 9`);
});

test.run();

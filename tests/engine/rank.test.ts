/** Points in the order of a rule: against the formulas written out, over a running engine. */

import * as assert from 'uvu/assert';
import type { Distance } from '../../src/model/distance.js';
import type { SkeinError } from '../../src/model/errors.js';
import type { Filter } from '../../src/model/filter.js';
import type { PointId } from '../../src/model/point.js';
import type { RankRule } from '../../src/model/rank-rule.js';
import { openTestEngine, type TestEngine } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/rank', { deadlineMs: 30_000 });

type Rule = RankRule<Float32Array>;
const SHOWN = { withPayload: true, withVector: false } as const;
const DIMENSION = 4;

interface Stored {
  readonly id: PointId;
  readonly vector: Float32Array;
  readonly payload: { readonly n: number; readonly at: string; readonly list?: readonly number[] };
}

async function filled(t: TestContext, distance: Distance, count: number): Promise<{ held: TestEngine; stored: Stored[] }> {
  const held = await openTestEngine(t.folder());
  t.after(() => held.engine.stop());
  const random = new Random(3);
  const vector = (): Float32Array => Float32Array.from({ length: DIMENSION }, () => random.unit() * 2 - 1);
  const stored = Array.from({ length: count }, (_, id): Stored => {
    const payload = { n: id % 10, at: new Date(Date.UTC(2026, 0, 1 + ((id * 7) % 300))).toISOString() };
    return { id, vector: vector(), payload: id % 3 === 0 ? { ...payload, list: [id, -id] } : payload };
  });
  await held.create('c', DIMENSION, distance);
  await held.put('c', stored);
  return { held, stored };
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
const similarity: Record<Distance, (a: Float32Array, b: Float32Array) => number> = {
  dot,
  cosine: (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
  euclid: (a, b) => -a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0),
};
const soft = (x: number): number => x / (1 + Math.abs(x));
const half = (x: number): number => 0.5 * (soft(x) + 1);

function plainScore(rule: Rule, near: (example: Float32Array) => number): number {
  switch (rule.kind) {
    case 'best_score': {
      const like = Math.max(...rule.positive.map(near), -1e300);
      const unlike = Math.max(...rule.negative.map(near), -1e300);
      return like > unlike ? half(like) : -half(unlike);
    }
    case 'sum_scores': {
      const sum = (list: readonly Float32Array[]): number => list.map(near).reduce((a, b) => a + b, 0);
      return sum(rule.positive) - sum(rule.negative);
    }
    case 'discover': {
      const sides = rule.pairs.map(({ positive, negative }) => Math.sign(near(positive) - near(negative)));
      return sides.reduce((a, b) => a + b, 0) + half(near(rule.target));
    }
    case 'context':
      return rule.pairs
        .map(({ positive, negative }) => soft(Math.min(near(positive) - near(negative) - 1.1920929e-7, 0)))
        .reduce((a, b) => a + b, 0);
    default:
      throw new Error('not of vectors');
  }
}

for (const distance of ['cosine', 'dot', 'euclid'] as const) {
  test(`every rule over vectors orders all points as its formula does, under ${distance}`, async (t) => {
    const { held, stored } = await filled(t, distance, 150);
    const example = (at: number): Float32Array => stored[at]?.vector.map((value) => value + 0.05) as Float32Array;
    const pairs = [
      { positive: example(1), negative: example(2) },
      { positive: example(3), negative: example(4) },
    ];
    const rules: Rule[] = [
      { kind: 'best_score', positive: [example(1), example(2)], negative: [example(3)] },
      { kind: 'best_score', positive: [], negative: [example(3)] },
      { kind: 'sum_scores', positive: [example(1)], negative: [example(2), example(9)] },
      { kind: 'discover', target: example(7), pairs },
      { kind: 'discover', target: example(7), pairs: [] },
      { kind: 'context', pairs },
    ];
    const filter: Filter = { must: [{ kind: 'range', key: 'n', time: false, bounds: { gte: 5 } }] };
    for (const rule of rules) {
      for (const asked of [{}, { filter }]) {
        const allowed = stored.filter(({ payload }) => !('filter' in asked) || payload.n >= 5);
        const wanted = allowed
          .map(({ id, vector }) => ({ id, score: plainScore(rule, (one) => similarity[distance](one, vector)) }))
          .sort((a, b) => b.score - a.score);
        const { hits } = await held.engine.rank('c', { rule, limit: 20, ...SHOWN, ...asked });
        assert.is(hits.length, 20);
        for (const [place, hit] of hits.entries()) {
          assert.ok(Math.abs(hit.score - (wanted[place]?.score ?? 0)) < 1e-5, `${rule.kind}, place ${place}`);
          const own = wanted.find(({ id }) => id === hit.id)?.score ?? Number.NaN;
          assert.ok(Math.abs(hit.score - own) < 1e-5);
        }
      }
    }
  });
}

test('a field orders points by its first value, from a bound on, and leaves out those without one', async (t) => {
  const { held, stored } = await filled(t, 'dot', 60);
  const order = (rest: Partial<Extract<Rule, { kind: 'order' }>>): Rule => ({
    ...{ kind: 'order', key: 'n', time: false, descending: false, from: null },
    ...rest,
  });
  const ids = async (rule: Rule, limit = 60): Promise<PointId[]> =>
    (await held.engine.rank('c', { rule, limit, ...SHOWN })).hits.map(({ id }) => id);
  const sorted = (of: (one: Stored) => number, sign: 1 | -1, keep = (_: number) => true): PointId[] =>
    stored
      .filter((one) => keep(of(one)))
      .sort((a, b) => sign * (of(a) - of(b)) || Number(a.id) - Number(b.id))
      .map(({ id }) => id);
  const n = ({ payload }: Stored): number => payload.n;
  const at = ({ payload }: Stored): number => Date.parse(payload.at);
  assert.equal(await ids(order({})), sorted(n, 1));
  assert.equal(await ids(order({ descending: true })), sorted(n, -1));
  assert.equal(
    await ids(order({ descending: true, from: 4 })),
    sorted(n, -1, (value) => value <= 4),
  );
  const from = Date.UTC(2026, 5, 1);
  assert.equal(
    await ids(order({ key: 'at', time: true, from })),
    sorted(at, 1, (value) => value >= from),
  );
  assert.equal(await ids(order({ key: 'list', descending: true }), 3), [57, 54, 51]);
  assert.equal(await ids(order({ key: 'list', from: 0 }), 3), [0, 3, 6]);
  assert.equal(await ids(order({ key: 'at' })), [], 'texts are no numbers');
  const scored = await held.engine.rank('c', { rule: order({ from: 7 }), limit: 1, ...SHOWN });
  assert.is(scored.hits[0]?.score, 7);
});

test('a draw gives each point the same chance, and the same points for the same seed', async (t) => {
  const { held } = await filled(t, 'dot', 40);
  const counts = new Array<number>(40).fill(0);
  const draw = async (seed: number): Promise<number[]> =>
    (await held.engine.rank('c', { rule: { kind: 'sample', seed }, limit: 10, ...SHOWN })).hits.map(({ id }) => Number(id));
  for (let seed = 0; seed < 60; seed++) {
    const drawn = await draw(seed);
    assert.is(new Set(drawn).size, 10);
    for (const id of drawn) counts[id] = (counts[id] ?? 0) + 1;
  }
  assert.ok(Math.min(...counts) > 4 && Math.max(...counts) < 30, `${counts}`);
  assert.equal(await draw(5), await draw(5));
});

test('what was deleted is no hit, and a wrong example is refused', async (t) => {
  const { held } = await filled(t, 'dot', 20);
  await held.remove('c', [3, 4]);
  const all = await held.engine.rank('c', { rule: { kind: 'sample', seed: 1 }, limit: 100, ...SHOWN });
  assert.is(all.hits.length, 18);
  const rule: Rule = { kind: 'context', pairs: [{ positive: new Float32Array(3), negative: new Float32Array(4) }] };
  try {
    await held.engine.rank('c', { rule, limit: 1, ...SHOWN });
    assert.unreachable('it was taken');
  } catch (error) {
    assert.is((error as SkeinError).type, 'DimensionMismatch');
  }
});

test.run();

/** Costs of searches by the vectors that are searched: one name teaches nothing about another, and what is taken away is forgotten. */

import * as assert from 'uvu/assert';
import { LearnedCosts } from '../../src/engine/learned-costs.js';
import { DEFAULT_HNSW, NOTHING_DECLARED } from '../../src/model/collection.js';
import { typicalCosts } from '../../src/search/costs.js';
import { suite } from '../support/suite.js';

const test = suite('engine/learned-costs');
const NAMED = { distance: 'dot', hnsw: DEFAULT_HNSW, quantization: null, generation: 0 } as const;
const SPEC = { ...NOTHING_DECLARED, dimension: 2, distance: 'dot', hnsw: DEFAULT_HNSW, quantization: null } as const;
const WITH_LONG = { ...SPEC, vectors: [{ name: 'long', dimension: 1_000, ...NAMED }] };
const SEEN = { kind: 'scan', count: 1_000, tookNs: 1e9, ef: null } as const;

test('each name begins with what is typical of its length, and learns for itself', () => {
  const costs = new LearnedCosts();
  assert.equal([costs.of(WITH_LONG, ''), costs.of(WITH_LONG, 'long')], [typicalCosts(8), typicalCosts(4_000)]);
  for (let i = 0; i < 5; i++) costs.learn(WITH_LONG, 'long', SEEN);
  assert.equal(costs.of(WITH_LONG, ''), typicalCosts(8));
  assert.ok(costs.of(WITH_LONG, 'long').scanNs > typicalCosts(4_000).scanNs);
});

test('what was learned of a name goes with it', () => {
  const costs = new LearnedCosts();
  costs.learn(WITH_LONG, 'long', SEEN);
  costs.learn(WITH_LONG, '', SEEN);
  costs.learn(SPEC, '', SEEN);
  assert.equal(costs.of(WITH_LONG, 'long'), typicalCosts(4_000));
  assert.ok(costs.of(SPEC, '').scanNs > typicalCosts(8).scanNs);
});

test.run();

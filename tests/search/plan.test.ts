/** Planning: the cheaper way is taken, a walk is bounded, and costs follow what is seen. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { learnCosts, type SearchCosts, typicalCosts } from '../../src/search/costs.js';
import { planSearch } from '../../src/search/plan.js';
import { suite } from '../support/suite.js';

const test = suite('search/plan');
const COSTS: SearchCosts = { scanNs: 20, visitNs: 60, visitsPerEf: 20 };
const situation = { points: 100_000, matches: null, hasGraph: true, wanted: 10, ef: 64, costs: COSTS };

test('without a filter the graph answers, and without a graph the rows do', () => {
  assert.is(planSearch(situation).kind, 'graph');
  assert.is(planSearch({ ...situation, matches: 5, hasGraph: false }).kind, 'flat');
});

test('few matches are scanned, many are looked for in the graph, and the border is where both cost the same', () => {
  assert.is(planSearch({ ...situation, matches: 10 }).kind, 'scan');
  assert.is(planSearch({ ...situation, matches: 500 }).kind, 'scan');
  assert.is(planSearch({ ...situation, matches: 50_000 }).kind, 'graph');
  // visits · N / matches · visitNs = matches · scanNs
  const border = Math.sqrt((20 * 64 * 100_000 * 60) / 20);
  assert.is(planSearch({ ...situation, matches: Math.floor(border) }).kind, 'scan');
  assert.is(planSearch({ ...situation, matches: Math.ceil(border) + 1 }).kind, 'graph');
});

test('a walk is given up before it has cost twice the scan, and when all that match are wanted they are scanned', () => {
  const cost = fc.integer({ min: 1, max: 1_000 });
  const any = fc.record({
    points: fc.integer({ min: 1, max: 10_000_000 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    ef: fc.integer({ min: 1, max: 10_000 }),
    scanNs: cost,
    visitNs: cost,
    visitsPerEf: cost,
  });
  fc.assert(
    fc.property(any, ({ points, share, ef, scanNs, visitNs, visitsPerEf }) => {
      const matches = Math.floor(points * share);
      const costs = { scanNs, visitNs, visitsPerEf };
      const plan = planSearch({ points, matches, hasGraph: true, wanted: Math.min(10, ef), ef, costs });
      if (matches <= Math.min(10, ef)) return assert.is(plan.kind, 'scan');
      if (plan.kind === 'scan') return;
      const walkNs = Math.min(points, plan.visitsMax) * visitNs;
      const scan = matches * scanNs;
      assert.ok(walkNs <= 2 * scan + visitNs, 'the walk is given up in time');
    }),
  );
});

test('costs follow what is seen, slowly, and no single stall or tiny sample moves them far', () => {
  let costs = typicalCosts(512);
  assert.equal(learnCosts(costs, { kind: 'scan', count: 10, tookNs: 1e9, ef: null }), costs, 'too few to tell');
  const stalled = learnCosts(costs, { kind: 'graph', count: 1_000, tookNs: 1e12, ef: null });
  assert.ok(stalled.visitNs < costs.visitNs * 1.1);
  for (let i = 0; i < 500; i++) {
    costs = learnCosts(costs, { kind: 'scan', count: 1_000, tookNs: 200_000, ef: null });
    costs = learnCosts(costs, { kind: 'graph', count: 640, tookNs: 64_000, ef: 64 });
  }
  assert.ok(Math.abs(costs.scanNs - 200) < 1 && Math.abs(costs.visitNs - 100) < 1 && Math.abs(costs.visitsPerEf - 10) < 0.1);
});

test.run();

/** How a search by groups goes on: decided without a search. */

import * as assert from 'uvu/assert';
import {
  firstRound,
  type GroupsWanted,
  type NextRound,
  nextRound,
  type RoundFound,
  type RoundPlan,
} from '../../src/engine/group-rounds.js';
import { suite } from '../support/suite.js';

const test = suite('engine/group-rounds');
const wanted: GroupsWanted = {
  path: 'g',
  limit: 3,
  groupSize: 2,
  keysOnly: false,
  indexed: true,
  fused: false,
  candidatesMin: 0,
};
const plan: RoundPlan = { round: 1, candidates: 24, condition: null, tries: 0 };

function found(sizes: Readonly<Record<string, number>>, rest: Partial<RoundFound> = {}): RoundFound {
  const groups = Object.entries(sizes).map(([value, size]) => ({ value, hits: new Array(size).fill(0) }));
  return { groups, seenAll: false, cut: false, gone: 0, ...rest };
}

function again(next: NextRound): RoundPlan {
  if ('done' in next) throw new Error(`it ends: ${next.reason}`);
  return next;
}

const end = (next: NextRound): string | null | undefined => ('done' in next ? next.reason : undefined);

test('the first round takes four candidates for each hit, and as many as asked for where two engines are asked', () => {
  assert.equal(firstRound(wanted), plan);
  assert.is(firstRound({ ...wanted, limit: 100, groupSize: 100 }).candidates, 10_000);
  assert.is(firstRound({ ...wanted, limit: 200, groupSize: 100 }).candidates, 20_000, 'never fewer than there are hits to find');
  assert.is(firstRound({ ...wanted, candidatesMin: 500 }).candidates, 500);
});

test('it ends well when the groups are full, when all was seen, and when the rest is worse than the threshold', () => {
  assert.is(end(nextRound(wanted, plan, found({ a: 2, b: 2, c: 2 }))), null);
  assert.is(end(nextRound(wanted, plan, found({ a: 2 }, { seenAll: true }))), null);
  assert.is(end(nextRound(wanted, plan, found({ a: 2 }, { cut: true }))), null);
});

test('with an index what is full is left out at once; when all groups are known, only theirs are looked for', () => {
  assert.equal(again(nextRound(wanted, plan, found({ a: 2, b: 1 }))), {
    round: 2,
    candidates: 96,
    condition: { kind: 'match_except', key: 'g', values: ['a'] },
    tries: 0,
  });
  assert.equal(again(nextRound(wanted, plan, found({ a: 2, b: 1, c: 1 }))).condition, {
    kind: 'match_any',
    key: 'g',
    values: ['b', 'c'],
  });
});

test('without an index rows are read for it only when there can be no more candidates', () => {
  const bare = { ...wanted, indexed: false };
  assert.equal(
    [again(nextRound(bare, plan, found({ a: 2 }))).condition, again(nextRound(bare, plan, found({}))).candidates],
    [null, 96],
  );
  const largest = { ...plan, candidates: 10_000 };
  assert.equal(again(nextRound(bare, largest, found({ a: 2 }))), {
    round: 2,
    candidates: 10_000,
    condition: { kind: 'match_except', key: 'g', values: ['a'] },
    tries: 0,
  });
});

test('what two engines rank is looked up anew, the threshold is no end, and the largest page is, with a reason', () => {
  const fused = { ...wanted, fused: true };
  const next = again(nextRound(fused, plan, found({ a: 2 }, { cut: true })));
  assert.equal([next.candidates, next.condition], [96, null]);
  assert.match(
    end(nextRound(fused, { ...plan, candidates: 10_000 }, found({ a: 2 }))) ?? '',
    'the 10000 best hits of each engine',
  );
});

test('rows that went away make it look again, three times, and then it says so', () => {
  const gone = found({ a: 2 }, { seenAll: true, gone: 4 });
  const next = again(nextRound(wanted, plan, gone));
  assert.equal(next, { ...plan, round: 2, tries: 1 });
  assert.match(end(nextRound(wanted, { ...next, tries: 3 }, gone)) ?? '', '4 hits were removed');
});

test('rounds are bounded', () => {
  let next: NextRound = plan;
  let rounds = 0;
  while (!('done' in next)) {
    rounds += 1;
    next = nextRound(wanted, next, found({ a: 2 }));
  }
  assert.is(rounds, 24);
  assert.match(end(next) ?? '', 'after 24 rounds');
});

test.run();

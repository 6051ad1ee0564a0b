/** Which node a call asks next: by role, by how long answers take, and failing ones last; whatever happened before. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Nodes, READ_PREFERENCES, type ReadPreference } from '../../src/sdk/nodes.js';
import { suite } from '../support/suite.js';

const test = suite('sdk/nodes');
const [A, B, C] = ['http://a', 'http://b', 'http://c'] as const;
const SETTINGS = { failuresMax: 2, avoidedMs: 1_000, avoidedMsMax: 4_000 };
const NONE: ReadonlySet<string> = new Set();

/** All in the order in which a call would try them. */
function order(next: (tried: ReadonlySet<string>) => string | null): string[] {
  const tried = new Set<string>();
  for (let url = next(tried); url !== null; url = next(tried)) {
    assert.not(tried.has(url), 'nobody is asked twice');
    tried.add(url);
  }
  return [...tried];
}

const writes = (nodes: Nodes, nowMs = 0): string[] => order((tried) => nodes.forWrite(tried, nowMs));
const reads = (nodes: Nodes, preference: ReadPreference, nowMs = 0): string[] =>
  order((tried) => nodes.forRead(preference, tried, nowMs));

test('a write asks the master first, and replicas last, because they can only name it', () => {
  const nodes = new Nodes([A, B, C], SETTINGS);
  assert.equal(writes(nodes), [A, B, C], 'of unknown role, in the order they were given');
  nodes.isReplica(A, null);
  assert.equal(writes(nodes), [B, C, A]);
  nodes.isMaster(C, 1);
  assert.equal(writes(nodes), [C, B, A]);
  nodes.isReplica(C, 'http://d');
  assert.equal(writes(nodes)[0], 'http://d', 'a master that nobody had named before');
});

test('a read goes where it is wanted', () => {
  const nodes = new Nodes([A, B, C], SETTINGS);
  nodes.isMaster(A, 1);
  nodes.isReplica(B, null);
  nodes.isReplica(C, null);
  for (const [url, tookMs] of [
    [A, 1],
    [B, 9],
    [C, 3],
  ] as const)
    nodes.answered(url, tookMs, 0);
  assert.equal(reads(nodes, 'master'), [A]);
  assert.equal(reads(nodes, 'replica'), [C, B, A]);
  assert.equal(reads(nodes, 'nearest'), [A, C, B]);
  assert.equal(reads(nodes, 'fresh'), [A, C, B]);
});

test('without a known master a read of the master asks those that may be it, and no replica', () => {
  const nodes = new Nodes([A, B, C], SETTINGS);
  nodes.isReplica(A, null);
  assert.equal(reads(nodes, 'master'), [B, C]);
});

test('who was overtaken is not near, farther each time, and no failure', () => {
  const nodes = new Nodes(['a', 'b']);
  nodes.answered('a', 1, 0);
  nodes.answered('b', 10, 0);
  assert.is(nodes.forRead('nearest', NONE, 0), 'a');
  nodes.overtaken('a', 20, 100);
  assert.is(nodes.forRead('nearest', NONE, 100), 'b');
  nodes.overtaken('a', 20, 100);
  const [a] = nodes.view(100);
  assert.equal([a?.latencyMs, a?.failuresInRow, a?.isAvoided], [40, 0, false]);
  nodes.answered('b', 200, 30_000);
  assert.is(nodes.forRead('nearest', NONE, 30_000), 'a', 'after a while it is asked again');
});

test('a fresh read asks those last that are known to be older, for a while', () => {
  const nodes = new Nodes(['a', 'b', 'c']);
  for (const [url, ms] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const)
    nodes.answered(url, ms, 0);
  nodes.isAged('a', 5_000, 0);
  nodes.isAged('b', null, 0);
  nodes.isAged('c', 100, 0);
  assert.is(nodes.forRead('fresh', NONE, 10, 1_000), 'c');
  assert.is(nodes.forRead('fresh', NONE, 10, 5_000), 'a');
  assert.is(nodes.forRead('fresh', new Set(['c']), 10, 1_000), 'a', 'they are asked all the same');
  assert.is(nodes.forRead('nearest', NONE, 10), 'a');
  assert.is(nodes.forRead('fresh', NONE, 5_000, 1_000), 'a', 'what was heard long ago says nothing');
  assert.equal(
    nodes.view(10).map(({ stalenessMs }) => stalenessMs),
    [5_000, null, 100],
  );
});

test('who was slow once is asked again after a while, and who was never asked comes first', () => {
  const nodes = new Nodes([A, B], SETTINGS);
  nodes.answered(A, 1, 0);
  assert.equal(reads(nodes, 'nearest'), [B, A]);
  nodes.answered(B, 100, 0);
  assert.equal(reads(nodes, 'nearest'), [A, B]);
  nodes.answered(A, 1, 100_000);
  assert.equal(reads(nodes, 'nearest', 100_000), [B, A]);
});

test('of two that say they are the master the one of the later mastership is; a replica that names an old one changes nothing', () => {
  const nodes = new Nodes([A, B, C], SETTINGS);
  nodes.isMaster(A, 1);
  nodes.isMaster(B, 2);
  assert.is(nodes.master, B);
  nodes.isMaster(A, 1);
  assert.is(nodes.master, B);
  nodes.isReplica(C, A);
  assert.is(nodes.master, B);
  nodes.isMaster(A, null);
  assert.is(nodes.master, A, 'it took a write');
});

test('a master that is gone makes way for the one that a replica names now, and not while it answers', () => {
  const nodes = new Nodes([A]);
  nodes.isReplica(A, 'http://m1');
  assert.is(nodes.forWrite(NONE, 0), 'http://m1');
  nodes.answered('http://m1', 5, 0);
  nodes.isReplica(A, 'http://m2');
  assert.is(nodes.forWrite(NONE, 0), 'http://m1');
  nodes.failed('http://m1', 10);
  nodes.isReplica(A, 'http://m2');
  assert.is(nodes.forWrite(NONE, 10), 'http://m2');
  assert.equal(
    nodes.view(10).map(({ role }) => role),
    ['replica', 'unknown', 'master'],
  );
});

test('who fails again and again is asked last, each time for longer, until it answers', () => {
  const nodes = new Nodes([A, B], SETTINGS);
  nodes.isMaster(A, 1);
  nodes.failed(A, 0);
  assert.equal(writes(nodes, 0), [A, B]);
  nodes.failed(A, 0);
  assert.equal(writes(nodes, 0), [B, A]);
  assert.equal(writes(nodes, 1_000), [A, B]);
  nodes.failed(A, 1_000);
  assert.equal(writes(nodes, 2_999), [B, A]);
  assert.equal(writes(nodes, 3_000), [A, B]);
  for (let i = 0; i < 20; i++) nodes.failed(A, 3_000);
  assert.equal(writes(nodes, 6_999), [B, A]);
  assert.equal(writes(nodes, 7_000), [A, B], 'never for longer than the most');
  nodes.failed(A, 7_000);
  nodes.answered(A, 1, 7_001);
  assert.equal(writes(nodes, 7_001), [A, B]);
});

const happening = fc.oneof(
  fc.record({ kind: fc.constant('answered' as const), at: fc.nat(3), ms: fc.nat(100) }),
  fc.record({ kind: fc.constant('failed' as const), at: fc.nat(3), ms: fc.nat(2_000) }),
  fc.record({ kind: fc.constant('master' as const), at: fc.nat(3), ms: fc.nat(5) }),
  fc.record({ kind: fc.constant('replica' as const), at: fc.nat(3), ms: fc.nat(3) }),
);

test('whatever happened, there is at most one master, every call has somebody to ask, and avoided ones come behind the others', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(happening, { maxLength: 60 }), (count, happenings) => {
      const urls = Array.from({ length: count }, (_, i) => `http://n${i}`);
      const nodes = new Nodes(urls, SETTINGS);
      let nowMs = 0;
      for (const { kind, at, ms } of happenings) {
        const url = urls[at % count] as string;
        if (kind === 'answered') nodes.answered(url, ms, nowMs);
        else if (kind === 'failed') {
          nowMs += ms;
          nodes.failed(url, nowMs);
        } else if (kind === 'master') nodes.isMaster(url, ms === 0 ? null : ms);
        else nodes.isReplica(url, urls[ms % count] as string);
        const view = nodes.view(nowMs);
        assert.ok(view.filter(({ role }) => role === 'master').length <= 1);
        const avoided = new Set(view.filter(({ isAvoided }) => isAvoided).map(({ url: avoidedUrl }) => avoidedUrl));
        for (const tries of [writes(nodes, nowMs), ...READ_PREFERENCES.map((preference) => reads(nodes, preference, nowMs))]) {
          const firstAvoided = tries.findIndex((one) => avoided.has(one));
          if (firstAvoided >= 0) assert.ok(tries.slice(firstAvoided).every((one) => avoided.has(one)));
        }
        assert.equal(new Set(writes(nodes, nowMs)), new Set(urls));
        for (const preference of ['replica', 'nearest', 'fresh'] as const)
          assert.equal(new Set(reads(nodes, preference, nowMs)), new Set(urls));
        assert.is(nodes.forWrite(new Set(urls), nowMs), null);
      }
      assert.ok(nodes.forWrite(NONE, nowMs) !== null);
    }),
  );
});

test.run();

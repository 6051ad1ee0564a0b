/** The answer to a hello: every rule, their order, their boundaries, and a second writing of the rules from the specification alone.
 *  What two lines of data have in common, against comparing them entry by entry. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { historyEnd } from '../../src/model/position.js';
import { commonSeq, decide, type Standing, type Verdict } from '../../src/replication/decide.js';
import type { Hello } from '../../src/wire/frames.js';
import { HELLO } from '../support/hello.js';
import { suite } from '../support/suite.js';

const test = suite('replication/decide');

const MIB = 1024 * 1024;
const CLUSTER = 'c'.repeat(32);
const ME = 'a'.repeat(32);
const OTHER = 'b'.repeat(32);
const [H1, H2, H3, ELSEWHERE] = ['1', '2', '3', '9'].map((digit) => digit.repeat(32)) as [string, string, string, string];
const HASH = 'd'.repeat(64);
const OTHER_HASH = 'e'.repeat(64);

const row = (epoch: number, historyId: string, startSeq: number) => ({ epoch, historyId, startSeq, startHash: HASH });

/** In its third history, which began at 200; the second began at 100. */
const MINE: Standing = {
  clusterId: CLUSTER,
  nodeId: ME,
  epoch: 3,
  historyId: H3,
  seq: 300,
  logMinSeq: 50,
  lineage: [row(1, H1, 0), row(2, H2, 100), row(3, H3, 200)],
  path: [ME],
  linked: new Set(),
  hashAtPosition: HASH,
  catchUpBytes: 1_000,
  snapshotBytes: 1_000_000,
};

/** At home in the newest history, a little behind. */
const CALLER: Hello = {
  type: 'hello',
  ...HELLO,
  clusterId: CLUSTER,
  nodeId: OTHER,
  position: { historyId: H3, epoch: 3, seq: 250, hash: HASH },
  lineage: [row(1, H1, 0), row(2, H2, 100), row(3, H3, 200)],
};

function at(historyId: string, seq: number, epoch = 3, hash = HASH): Pick<Hello, 'position'> {
  return { position: { historyId, epoch, seq, hash } };
}

/** The verdict in one word: the rule of an acceptance, the reason of a refusal, or the kind. */
function word(verdict: Verdict): string {
  if (verdict.kind === 'accept') return verdict.rule;
  return verdict.kind === 'reject' ? verdict.reason : verdict.kind;
}

function answer(hello: Partial<Hello> = {}, mine: Partial<Standing> = {}): Verdict {
  return decide({ ...CALLER, ...hello }, { ...MINE, ...mine });
}

function accepted(verdict: Verdict): Verdict & { kind: 'accept' } {
  if (verdict.kind !== 'accept') throw new Error(`expected an acceptance, not ${word(verdict)}`);
  return verdict;
}

test('a replica in the log goes on from the entry behind its own', () => {
  assert.equal(accepted(answer()).decision, { kind: 'continue', fromSeq: 251 });
});

test('at the tail it goes on with nothing to send', () => {
  assert.equal(accepted(answer(at(H3, 300))).decision, { kind: 'continue', fromSeq: 301 });
});

test('another cluster is refused before anything else is looked at', () => {
  assert.is(word(answer({ clusterId: '0'.repeat(32), highestEpoch: 9, wants: 'asked', nodeId: ME })), 'WRONG_CLUSTER');
});

test('a newer epoch makes this node the stale one, whether it was seen or stands in the position', () => {
  assert.equal(answer({ highestEpoch: 4 }), { kind: 'stale', epoch: 4 });
  assert.equal(answer({ ...at(ELSEWHERE, 1, 5), highestEpoch: 4 }), { kind: 'stale', epoch: 5 });
  assert.is(word(answer({ highestEpoch: 4, nodeId: ME, wants: 'asked' })), 'stale');
});

test('what a node without a cluster saw elsewhere makes nobody stale', () => {
  assert.is(word(answer({ clusterId: null, position: null, highestEpoch: 99 })), 'no_position');
  assert.is(word(answer({ clusterId: null, position: null, highestEpoch: 99, wants: 'asked' })), 'no_position');
});

test('the node itself, and a node that this one follows, are refused as a loop', () => {
  assert.is(word(answer({ nodeId: ME })), 'LOOP');
  assert.is(word(answer({ wants: 'asked', position: null }, { path: [ME, OTHER] })), 'LOOP');
});

test('a second link of the same node is refused while the first lives', () => {
  assert.is(word(answer({ wants: 'asked' }, { linked: new Set([OTHER]) })), 'DUPLICATE_NODE');
  assert.is(word(answer({}, { linked: new Set([H1]) })), 'partial');
});

test('whoever asks for a snapshot gets one', () => {
  assert.equal(accepted(answer({ wants: 'digest' })).decision, { kind: 'snapshot', reason: 'asked', commonSeq: null });
  assert.equal(accepted(answer({ wants: 'digest' }, { hashAtPosition: null })).decision.kind, 'snapshot');
});

test('who asks for a snapshot and has entries that nobody else has is told so all the same', () => {
  const asked = { wants: 'asked' };
  assert.is(word(answer({ ...asked, ...at(H3, 301) })), 'lost_tail');
  assert.is(word(answer({ ...asked, ...at(ELSEWHERE, 250, 3) })), 'conflict');
  assert.is(word(answer({ ...asked, ...at(ELSEWHERE, 250, 2) })), 'unknown_history');
  assert.equal(accepted(answer({ ...asked, ...at(H1, 101, 1) })).decision, {
    kind: 'snapshot',
    reason: 'diverged',
    commonSeq: 100,
  });
  assert.is(word(answer({ ...asked, ...at(H3, 250, 3, OTHER_HASH) })), 'hash_differs');
});

test('a node without data gets a snapshot', () => {
  assert.is(word(answer({ position: null })), 'no_position');
  assert.is(word(answer({ clusterId: null, position: null })), 'no_position');
  assert.is(word(answer({ clusterId: null })), 'no_position');
});

test('an unknown history of this epoch is a second master; of an older epoch it is a branch that was given up', () => {
  assert.equal(answer(at(ELSEWHERE, 250, 3)), { kind: 'conflict', epoch: 3 });
  const hello = { ...at(ELSEWHERE, 250, 2), lineage: [row(1, H1, 0), row(2, ELSEWHERE, 80)] };
  assert.equal(accepted(answer(hello)).decision, { kind: 'snapshot', reason: 'unknown_history', commonSeq: 80 });
});

test('an unknown history without anything in common says so', () => {
  const hello = { ...at(ELSEWHERE, 250, 2), lineage: [row(2, ELSEWHERE, 0)] };
  assert.equal(accepted(answer(hello)).decision, { kind: 'snapshot', reason: 'unknown_history', commonSeq: null });
});

test('beyond the end of an older history it has diverged from that end on; at the end it has not', () => {
  assert.is(word(answer(at(H1, 100, 1))), 'partial');
  assert.equal(accepted(answer(at(H1, 101, 1))).decision, { kind: 'snapshot', reason: 'diverged', commonSeq: 100 });
  assert.is(word(answer(at(H2, 200, 2))), 'partial');
  assert.equal(accepted(answer(at(H2, 201, 2), { hashAtPosition: null })).decision, {
    kind: 'snapshot',
    reason: 'diverged',
    commonSeq: 200,
  });
});

test('more of this node’s own history than it has itself is never answered with "up to date"', () => {
  assert.equal(answer(at(H3, 301), { hashAtPosition: null }), { kind: 'lost_tail', seq: 301 });
});

test('another hash at its seq means another past, and nobody knows since when: not before that history began', () => {
  assert.equal(accepted(answer(at(H3, 250, 3, OTHER_HASH))).decision, {
    kind: 'snapshot',
    reason: 'hash_differs',
    commonSeq: 200,
  });
  assert.equal(accepted(answer(at(H1, 60, 1, OTHER_HASH))).decision, { kind: 'snapshot', reason: 'hash_differs', commonSeq: 0 });
  assert.is(word(answer(at(H3, 250, 3, OTHER_HASH), { catchUpBytes: 1e12 })), 'hash_differs');
});

test('the log serves a replica that stands right in front of its first entry, and none further back', () => {
  assert.is(word(answer(at(H1, 49, 1))), 'partial');
  assert.equal(accepted(answer(at(H1, 49, 1))).decision, { kind: 'continue', fromSeq: 50 });
  assert.is(word(answer(at(H1, 48, 1), { hashAtPosition: null })), 'log_pruned');
});

test('an empty log serves the replica at the tail, and no other', () => {
  const empty = { logMinSeq: 301 };
  assert.is(word(answer(at(H3, 300), empty)), 'partial');
  assert.is(word(answer(at(H3, 299), { ...empty, hashAtPosition: null })), 'log_pruned');
});

test('a position whose hash is not known is never gone on from', () => {
  assert.is(word(answer({}, { hashAtPosition: null })), 'log_pruned');
});

test('a catch-up larger than a snapshot is a snapshot, from 64 MiB on', () => {
  assert.is(word(answer({}, { catchUpBytes: 64 * MIB, snapshotBytes: 1 })), 'partial');
  assert.is(word(answer({}, { catchUpBytes: 64 * MIB + 1, snapshotBytes: 1 })), 'log_larger_than_snapshot');
  assert.is(word(answer({}, { catchUpBytes: 200 * MIB, snapshotBytes: 200 * MIB })), 'partial');
  assert.is(word(answer({}, { catchUpBytes: 200 * MIB + 1, snapshotBytes: 200 * MIB })), 'log_larger_than_snapshot');
});

/** The ordered rules once more, as a table read from top to bottom; written from the specification, not from the code. */
function rulesOf(hello: Hello, mine: Standing): [string, boolean][] {
  const { position } = hello;
  const seq = position?.seq ?? 0;
  const at = mine.lineage.findIndex(({ historyId }) => historyId === position?.historyId);
  const isCurrent = position?.historyId === mine.historyId;
  const known = isCurrent || at >= 0;
  const forkSeq = isCurrent ? Number.POSITIVE_INFINITY : (mine.lineage[at + 1]?.startSeq ?? Number.POSITIVE_INFINITY);
  return [
    ['WRONG_CLUSTER', hello.clusterId !== null && hello.clusterId !== mine.clusterId],
    ['stale', hello.clusterId !== null && Math.max(hello.highestEpoch, position?.epoch ?? 0) > mine.epoch],
    ['LOOP', [mine.nodeId, ...mine.path].includes(hello.nodeId)],
    ['DUPLICATE_NODE', mine.linked.has(hello.nodeId)],
    ['no_position', position === null || hello.clusterId === null],
    ['conflict', !known && position?.epoch === mine.epoch],
    ['unknown_history', !known],
    ['diverged', seq > forkSeq],
    ['lost_tail', seq > mine.seq],
    ['hash_differs', mine.hashAtPosition !== null && mine.hashAtPosition !== position?.hash],
    ['asked', hello.wants !== null],
    ['log_pruned', seq < mine.logMinSeq - 1 || mine.hashAtPosition === null],
    ['log_larger_than_snapshot', mine.catchUpBytes > 64 * MIB && mine.catchUpBytes > mine.snapshotBytes],
    ['partial', true],
  ];
}

const anyHello = fc.record({
  clusterId: fc.constantFrom(CLUSTER, CLUSTER, CLUSTER, null, ELSEWHERE),
  nodeId: fc.constantFrom(OTHER, OTHER, OTHER, ME, H1),
  highestEpoch: fc.integer({ min: 0, max: 4 }),
  wants: fc.constantFrom(null, null, null, 'asked'),
  position: fc.option(
    fc.record({
      historyId: fc.constantFrom(H1, H2, H3, H3, ELSEWHERE),
      epoch: fc.integer({ min: 1, max: 4 }),
      seq: fc.oneof(fc.integer({ min: 0, max: 320 }), fc.constantFrom(48, 49, 50, 99, 100, 101, 199, 200, 201, 299, 300, 301)),
      hash: fc.constantFrom(HASH, HASH, OTHER_HASH),
    }),
    { nil: null, freq: 9 },
  ),
  lineage: fc.constantFrom(CALLER.lineage, [], [row(1, H1, 0), row(2, ELSEWHERE, 70)]),
});
const anyMine = fc.record({
  epoch: fc.constantFrom(3, 3, 2),
  logMinSeq: fc.constantFrom(1, 50, 101, 301),
  path: fc.constantFrom([ME], [ME], [ME, H1]),
  linked: fc.constantFrom(new Set<string>(), new Set<string>(), new Set([OTHER])),
  hashAtPosition: fc.constantFrom(HASH, HASH, HASH, null),
  catchUpBytes: fc.constantFrom(0, 64 * MIB, 64 * MIB + 1, 500 * MIB),
  snapshotBytes: fc.constantFrom(0, 500 * MIB - 1, 500 * MIB),
});

test('the first rule that matches decides, whatever the others say', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(anyHello, anyMine, (hello, mine) => {
      const full = { ...CALLER, ...hello };
      const standing = { ...MINE, ...mine };
      const [expected] = rulesOf(full, standing).find(([, holds]) => holds) ?? ['none'];
      seen.add(expected);
      assert.is(word(decide(full, standing)), expected);
    }),
    { numRuns: 20_000, seed: 5 },
  );
  assert.is(seen.size, 14, `branches that were reached: ${[...seen].join(', ')}`);
});

test('going on always begins right behind a position whose hash was compared', () => {
  fc.assert(
    fc.property(anyHello, anyMine, (hello, mine) => {
      const verdict = answer(hello, mine);
      if (verdict.kind !== 'accept' || verdict.decision.kind !== 'continue') return;
      const { position } = hello;
      assert.is(verdict.decision.fromSeq, (position?.seq ?? -1) + 1);
      assert.is(position?.hash, mine.hashAtPosition);
      assert.ok(verdict.decision.fromSeq >= mine.logMinSeq && verdict.decision.fromSeq <= MINE.seq + 1);
    }),
    { numRuns: 5_000 },
  );
});

// What two lines of data have in common.

/** A line of data entry by entry: which history each seq was written in. */
interface Line {
  readonly historyOf: readonly string[];
  readonly lineage: { epoch: number; historyId: string; startSeq: number; startHash: string }[];
}

const ROOT: Line = { historyOf: [], lineage: [row(1, 'root', 0)] };

function extended(line: Line, entries: number): Line {
  const newest = line.lineage.at(-1)?.historyId ?? '';
  return { ...line, historyOf: [...line.historyOf, ...Array.from({ length: entries }, () => newest)] };
}

/** A store cut at `seq` knows only the histories that had begun by then; the entry that begins a history is its first. */
function cut(line: Line, seq: number): Line {
  const historyOf = line.historyOf.slice(0, seq);
  return { historyOf, lineage: line.lineage.filter(({ startSeq }, at) => at === 0 || startSeq < seq) };
}

function promoted(line: Line, historyId: string): Line {
  const { historyOf, lineage } = line;
  const epoch = (lineage.at(-1)?.epoch ?? 0) + 1;
  return { historyOf: [...historyOf, historyId], lineage: [...lineage, row(epoch, historyId, historyOf.length)] };
}

/** Nodes that write, copy from each other up to some seq, lose tails and become masters, in any order. */
const steps = fc.array(
  fc.record({
    what: fc.constantFrom('write' as const, 'copy' as const, 'lose' as const, 'promote' as const),
    node: fc.nat(2),
    from: fc.nat(2),
    amount: fc.nat(6),
  }),
  { minLength: 1, maxLength: 25 },
);

function run(script: readonly { what: string; node: number; from: number; amount: number }[]): Line[] {
  const nodes = [ROOT, ROOT, ROOT];
  let histories = 0;
  // Only one node writes in a history; the others have it by copying.
  const writers = new Map<string, number>([['root', 0]]);
  for (const { what, node, from, amount } of script) {
    const line = nodes[node] as Line;
    const newest = line.lineage.at(-1)?.historyId ?? '';
    const source = nodes[from] as Line;
    if (what === 'write' && writers.get(newest) === node) nodes[node] = extended(line, amount);
    else if (what === 'copy' && node !== from)
      nodes[node] = cut(source, Math.min(source.historyOf.length, line.historyOf.length + amount));
    else if (what === 'promote' || what === 'lose') {
      const historyId = `h${++histories}`;
      const kept = what === 'lose' ? cut(line, Math.max(0, line.historyOf.length - amount)) : line;
      writers.set(historyId, node);
      nodes[node] = promoted(kept, historyId);
    }
  }
  return nodes;
}

function standingOf({ historyOf, lineage }: Line): Pick<Standing, 'lineage' | 'historyId' | 'seq'> {
  return { lineage, historyId: lineage.at(-1)?.historyId ?? '', seq: historyOf.length };
}

test('what two lines of data have in common is where their entries first differ', () => {
  fc.assert(
    fc.property(steps, fc.nat(2), fc.nat(2), (script, left, right) => {
      const nodes = run(script);
      const [mine, theirs] = [nodes[left] as Line, nodes[right] as Line];
      let same = 0;
      while (same < mine.historyOf.length && mine.historyOf[same] === theirs.historyOf[same]) same += 1;
      const hello = { lineage: theirs.lineage, ...at(standingOf(theirs).historyId, theirs.historyOf.length) };
      assert.is(commonSeq(hello, standingOf(mine)), same);
      assert.is(
        commonSeq({ lineage: mine.lineage, ...at(standingOf(mine).historyId, mine.historyOf.length) }, standingOf(theirs)),
        same,
      );
    }),
    { numRuns: 3_000 },
  );
});

test('a replica whose entries all lie in this node’s past is never told that it diverged, and one whose do not always is', () => {
  fc.assert(
    fc.property(steps, fc.nat(2), fc.nat(2), (script, left, right) => {
      const nodes = run(script);
      const [mine, theirs] = [nodes[left] as Line, nodes[right] as Line];
      const inPast = theirs.historyOf.every((historyId, at) => mine.historyOf[at] === historyId);
      const { lineage, seq } = standingOf(mine);
      const end = historyEnd(lineage, standingOf(theirs).historyId, seq);
      assert.is(end !== null && theirs.historyOf.length <= end, inPast);
    }),
    { numRuns: 3_000 },
  );
});

test.run();

/** Each checker passes good histories and names what is wrong in bad ones. */

import * as assert from 'uvu/assert';
import { encodeToken } from '../../src/model/position.js';
import {
  checkAtMostOnce,
  checkDigestsAgree,
  checkEpochs,
  checkEqualDigests,
  checkFinalStates,
  checkMonotonicReads,
  checkReadYourWrites,
  type Operation,
} from './replication-checks.js';
import { suite } from './suite.js';

const test = suite('support/replication-checks');

const historyIdOf = (epoch: number): string => String(epoch).padStart(32, '0');
const at = (epoch: number, seq: number, historyId = historyIdOf(epoch)): string => encodeToken({ historyId, epoch, seq });

let clockMs = 0;
/** Answered at once, after everything before it. */
function operation(
  kind: Operation['kind'],
  value: number | null,
  token: string | null,
  more: Partial<Operation> = {},
): Operation {
  clockMs += 10;
  const times = { calledMs: clockMs, answeredMs: clockMs + 1 };
  return { client: 'c1', node: 'a', kind, key: 'k', value, outcome: 'ok', token, ...times, ...more };
}
const write = (value: number | null, token: string | null, more: Partial<Operation> = {}): Operation =>
  operation('write', value, token, more);
const read = (value: number | null, token: string | null, more: Partial<Operation> = {}): Operation =>
  operation('read', value, token, more);
const lostAnswer = { outcome: 'unknown', token: null, answeredMs: null } as const;
const refusal = { outcome: 'refused', token: null } as const;

function finds(findings: readonly string[], ...wanted: readonly RegExp[]): void {
  assert.is(findings.length, wanted.length, findings.join('\n'));
  for (const [index, pattern] of wanted.entries()) assert.match(findings[index] ?? '', pattern);
}

const holds = (value: number | null, node = 'a') => ({ node, values: new Map(value === null ? [] : [['k', value]]) });

test('final states: the last acknowledged value, or one of unknown outcome, is right', () => {
  const history = [write(1, at(1, 1)), write(2, null, lostAnswer), write(3, at(1, 3)), write(4, null, refusal)];
  finds(checkFinalStates(history, [holds(3), holds(2, 'b')]));
  const deleted = [...history, write(null, at(1, 4))];
  finds(checkFinalStates(deleted, [holds(null)]));
  finds(checkFinalStates([write(1, null, lostAnswer)], [holds(null), holds(1)]));
  const [first, second] = [write(1, at(1, 1)), write(2, at(1, 2), { client: 'c2' })];
  const together = [first, { ...second, calledMs: first.calledMs }];
  finds(checkFinalStates(together, [holds(1), holds(2)]));
});

test('final states: a lost write, an older value, a resurrected one, a refused one and one of nobody are found', () => {
  const history = [write(1, at(1, 1)), write(2, at(1, 2)), write(3, null, refusal)];
  const states = [holds(null, 'lost'), holds(1, 'old'), holds(3, 'refused'), holds(9, 'phantom')];
  finds(
    checkFinalStates(history, states),
    /lost: k is null, but/,
    /old: k is 1, but 2/,
    /refused: .* refused/,
    /phantom: .* nobody/,
  );
  finds(checkFinalStates([...history, write(null, at(1, 3))], [holds(2)]), /is 2, but null/);
  finds(checkFinalStates([], [holds(1)]), /nobody wrote k/);
});

test('monotonic reads: equal and newer positions pass, other clients apart', () => {
  const history = [
    read(1, at(1, 5)),
    read(1, at(1, 5)),
    read(1, at(1, 3), { client: 'c2' }),
    read(2, at(2, 6)),
    read(2, at(2, 7)),
  ];
  finds(checkMonotonicReads(history));
  finds(checkMonotonicReads([read(1, at(1, 5)), read(1, null, lostAnswer)]));
});

test('monotonic reads: an older seq, an older epoch, another history and a missing token are found', () => {
  finds(
    checkMonotonicReads([read(1, at(1, 5)), read(1, at(1, 4), { node: 'b' })]),
    /c1: read k=1 of a at 1\/5, then k=1 of b at 1\/4/,
  );
  finds(checkMonotonicReads([read(1, at(2, 5)), read(1, at(1, 6))]), /2\/5, then .* 1\/6/);
  finds(checkMonotonicReads([read(1, at(1, 9)), read(1, at(2, 7))]), /1\/9, then .* 2\/7/);
  finds(checkMonotonicReads([read(1, at(1, 5)), read(1, at(1, 6, historyIdOf(77)))]), /1\/5, then .* 1\/6/);
  finds(checkMonotonicReads([read(1, null)]), /without a token/);
});

test('read your writes: the own value or a newer one of others passes', () => {
  const history = [write(1, at(1, 1)), read(1, at(1, 1)), write(2, at(1, 2), { client: 'c2' }), read(2, at(1, 2))];
  finds(checkReadYourWrites(history));
  const unknown = [write(1, null, lostAnswer), write(2, at(1, 2)), read(1, at(1, 3))];
  finds(checkReadYourWrites(unknown));
  finds(checkReadYourWrites([write(1, at(1, 1), { client: 'c2' }), read(null, at(1, 0))]));
});

test('read your writes: an older value, nothing, and a position before the write are found', () => {
  const before = write(1, at(1, 1), { client: 'c2' });
  finds(checkReadYourWrites([before, write(2, at(1, 2)), read(1, at(1, 2))]), /k is 1, but 2/);
  finds(checkReadYourWrites([write(1, at(1, 1)), read(null, at(1, 1))]), /k is null, but 1/);
  finds(checkReadYourWrites([write(1, at(1, 2)), read(1, at(1, 1))]), /c1: wrote k=1 .*, read/);
  finds(checkReadYourWrites([write(1, at(1, 2)), read(5, at(1, 3))]), /nobody wrote/);
  finds(checkReadYourWrites([write(1, null), read(1, at(1, 3))]), /without a token/);
});

test('digests: equal ones pass, different ones at one position, missing ones and different positions are found', () => {
  const seen = (node: string, position: string, digest: string) => ({ node, position, digest });
  finds(checkDigestsAgree([seen('a', 'p', 'x'), seen('b', 'p', 'x'), seen('a', 'q', 'y')]));
  finds(checkDigestsAgree([seen('a', 'p', 'x'), seen('a', 'q', 'y'), seen('b', 'p', 'z')]), /at p: a x, b z/);
  finds(checkDigestsAgree([seen('a', 'p', '')]), /a has no digest/);
  finds(checkEqualDigests([seen('a', 'p', 'x'), seen('b', 'p', 'x')]));
  finds(checkEqualDigests([seen('a', 'p', 'x'), seen('b', 'q', 'x')]), /different positions: a p, b q/);
  finds(checkEqualDigests([seen('a', 'p', 'x'), seen('b', 'p', 'y')]), /at p/);
  finds(checkEqualDigests([seen('a', 'p', 'x')]), /fewer than two/);
});

test('epochs: one master each, and majority writes in the line that won, pass', () => {
  const line = [
    { epoch: 1, historyId: historyIdOf(1), startSeq: 0 },
    { epoch: 2, historyId: historyIdOf(2), startSeq: 5 },
  ];
  const majority = { majority: true };
  const history = [write(1, at(1, 5), majority), write(2, at(1, 6)), write(3, at(2, 6), { ...majority, node: 'b' })];
  finds(checkEpochs(history, line));
});

test('epochs: two masters of one epoch, and majority writes beyond the fork or of another line, are found', () => {
  const line = [
    { epoch: 1, historyId: historyIdOf(1), startSeq: 0 },
    { epoch: 2, historyId: historyIdOf(2), startSeq: 5 },
  ];
  finds(checkEpochs([write(1, at(1, 1)), write(2, at(1, 2), { node: 'b' })], line), /epoch 1 has 2 masters: a .*, b /);
  finds(checkEpochs([write(1, at(1, 1)), write(2, at(1, 2, historyIdOf(9)))], line), /epoch 1 has 2 masters/);
  finds(checkEpochs([write(1, at(1, 6), { majority: true })], line), /confirmed k=1 of a at 1\/6/);
  finds(checkEpochs([write(1, at(3, 2), { majority: true })], line), /not in the line/);
  finds(checkEpochs([write(1, null)], line), /without a token/);
});

test('at most once: a retry with the answer of the first passes, with or without an answer', () => {
  const key = { idempotencyKey: 'x' };
  const history = [write(1, null, { ...lostAnswer, ...key }), write(1, at(1, 1), key), write(1, at(1, 1), key)];
  finds(checkAtMostOnce(history, 1));
  const open = [
    ...history,
    write(2, null, { ...lostAnswer, idempotencyKey: 'y' }),
    write(3, null, { ...refusal, idempotencyKey: 'z' }),
  ];
  finds(checkAtMostOnce(open, 1));
  finds(checkAtMostOnce(open, 2));
});

test('at most once: two effects of a key, one effect of two keys, and effects too many or too few are found', () => {
  const [x, y] = [{ idempotencyKey: 'x' }, { idempotencyKey: 'y' }];
  finds(checkAtMostOnce([write(1, at(1, 1), x), write(1, at(1, 2), x)], 1), /x had 2 effects/);
  finds(checkAtMostOnce([write(1, at(1, 1), x), write(2, at(1, 1), y)], 2), /one effect of x and y/);
  const retried = [write(1, null, { ...lostAnswer, ...x }), write(1, at(1, 2), x)];
  finds(checkAtMostOnce(retried, 2), /holds 2 effects, it should be 1 to 1/);
  finds(checkAtMostOnce(retried, 0), /holds 0 effects/);
  finds(checkAtMostOnce([write(1, null, x)], 1), /without a token/);
});

test.run();

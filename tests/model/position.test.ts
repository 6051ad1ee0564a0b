/** Tokens: canonical, exact, and nothing else is taken for one. Ends of histories. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { decodeToken, encodeToken, historyEnd } from '../../src/model/position.js';
import { suite } from '../support/suite.js';

const test = suite('model/position');

const position = fc.record(
  {
    historyId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    epoch: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    seq: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  },
  { noNullPrototype: true },
);

test('a position comes back from its token, and equal tokens mean equal positions', () => {
  fc.assert(
    fc.property(position, position, (a, b) => {
      assert.equal(decodeToken(encodeToken(a), 'x'), a);
      assert.is(encodeToken(a) === encodeToken(b), JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test('anything else is refused as InvalidRequest naming the place', () => {
  const token = encodeToken({ historyId: '00'.repeat(16), epoch: 1, seq: 1 });
  const bad = [
    '',
    'abc',
    `${token}=`,
    ` ${token}`,
    token.slice(1),
    `${token}AAAA`,
    `B${token.slice(1)}`,
    token.replace('A', '+'),
  ];
  for (const text of [...bad, Buffer.from(token, 'base64url').fill(0xff, 17, 25).toString('base64url')]) {
    try {
      decodeToken(text, 'min_position');
      assert.unreachable(`${text} was taken for a token`);
    } catch (error) {
      assert.instance(error, SkeinError);
      assert.is((error as SkeinError).type, 'InvalidRequest');
      assert.match((error as SkeinError).message, /min_position/);
    }
  }
});

test('an end is known for every history of the lineage and for no other', () => {
  const lineage = ['h1', 'h2', 'h3'].map((historyId, at) => ({ historyId, startSeq: at * 100 }));
  assert.equal(
    ['h1', 'h2', 'h3', 'elsewhere'].map((historyId) => historyEnd(lineage, historyId, 300)),
    [100, 200, 300, null],
  );
});

test.run();

/** Sessions: of two tokens the later one is kept, as the server itself orders them. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { encodeToken } from '../../src/model/position.js';
import { laterToken, Session } from '../../src/sdk/session.js';
import { suite } from '../support/suite.js';

const historyId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const number = fc.oneof(fc.integer({ min: 0, max: 70 }), fc.maxSafeNat());

const test = suite('sdk/session');

test('within a history, later is a higher epoch, then a higher seq', () => {
  fc.assert(
    fc.property(historyId, number, number, number, number, (id, epochA, seqA, epochB, seqB) => {
      const a = encodeToken({ historyId: id, epoch: epochA, seq: seqA });
      const b = encodeToken({ historyId: id, epoch: epochB, seq: seqB });
      const aIsLater = epochA > epochB || (epochA === epochB && seqA > seqB);
      assert.is(laterToken(a, b), aIsLater ? a : b);
    }),
    { numRuns: 500 },
  );
});

test('of two histories the later epoch counts, whatever the seq; of equal epochs, and of what it cannot read, the newest token', () => {
  fc.assert(
    fc.property(historyId, historyId, number, number, number, number, (idA, idB, epochA, seqA, epochB, seqB) => {
      fc.pre(idA !== idB);
      const a = encodeToken({ historyId: idA, epoch: epochA, seq: seqA });
      const b = encodeToken({ historyId: idB, epoch: epochB, seq: seqB });
      assert.is(laterToken(a, b), epochA > epochB ? a : b);
    }),
    { numRuns: 500 },
  );
  assert.is(laterToken('anything', 'else'), 'else');
});

test('a session starts empty, never goes back, and forgets when told', () => {
  const session = new Session();
  const token = (seq: number): string => encodeToken({ historyId: '00'.repeat(16), epoch: 1, seq });
  assert.is(session.position, null);
  for (const seq of [3, 1, 5, 4]) session.saw(token(seq));
  assert.is(session.position, token(5));
  session.forget();
  assert.is(session.position, null);
});

test.run();

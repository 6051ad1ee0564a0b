/** Tokens of the change feed: canonical, exact, and nothing else is taken for one. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
  type ChangePlace,
  decodeChangeToken,
  encodeChangeToken,
  placeAt,
  SCAN_ALIASES,
  tokensWithin,
} from '../../src/model/change-place.js';
import { FIXED } from '../../src/model/limits.js';
import { encodeToken } from '../../src/model/position.js';
import { refusalOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';

const test = suite('model/change-place');

const plain = { noNullPrototype: true };
const position = fc.record(
  {
    historyId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    epoch: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  },
  plain,
);
const pointId = fc.oneof(
  fc.integer({ min: 0, max: FIXED.integerIdMax }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed()),
);
const scan = fc.record({ stage: fc.integer({ min: 0, max: SCAN_ALIASES }), after: fc.option(pointId) }, plain);
const place: fc.Arbitrary<ChangePlace> = fc
  .tuple(position, fc.nat(1_000), fc.integer({ min: 0, max: FIXED.entryPointsMax }), fc.option(scan))
  .map(([at, back, done, scanned]) => ({
    position: at,
    afterSeq: Math.max(0, at.seq - 1 - back),
    done: scanned === null ? done : 0,
    scan: scanned,
  }));

test('a place comes back from its token, and equal tokens mean equal places', () => {
  fc.assert(
    fc.property(place, place, (a, b) => {
      assert.equal(decodeChangeToken(encodeChangeToken(a), 'from'), a);
      assert.is(encodeChangeToken(a) === encodeChangeToken(b), JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test('a place between two entries has the token of its position', () => {
  fc.assert(
    fc.property(position, (at) => {
      assert.is(encodeChangeToken(placeAt(at)), encodeToken(at));
      assert.equal(decodeChangeToken(encodeToken(at), 'from'), placeAt(at));
    }),
  );
});

test('tokens within an entry are those of their places', () => {
  fc.assert(
    fc.property(place, fc.integer({ min: 1, max: FIXED.entryPointsMax }), (at, done) => {
      assert.is(tokensWithin(at)(done), encodeChangeToken({ ...at, scan: null, done }));
    }),
  );
});

test('anything else is refused as InvalidRequest naming the place', () => {
  const at = { position: { historyId: '0a'.repeat(16), epoch: 3, seq: 9 }, afterSeq: 8, done: 2, scan: null };
  const token = encodeChangeToken(at);
  const scanned = encodeChangeToken({ ...at, done: 0, scan: { stage: 4, after: 'ä' } });
  const bytes = (change: (bytes: Buffer) => Buffer): string => change(Buffer.from(token, 'base64url')).toString('base64url');
  const bad = [
    '',
    'now ',
    `${token}=`,
    token.slice(1),
    `${token}AAAA`,
    `${scanned.slice(0, -2)}`,
    bytes((it) => Buffer.concat([it, Buffer.alloc(3)])),
    bytes((it) => it.fill(9, 0, 1)),
    bytes((it) => it.fill(0xff, 17, 25)),
    bytes((it) => it.fill(0xff, 41, 45)),
    // Further than what the reader has seen.
    bytes((it) => it.fill(1, 39, 41)),
    encodeChangeToken({ ...at, position: { ...at.position, epoch: 0 } }),
    encodeChangeToken({ ...at, scan: { stage: 4, after: 1 } }),
    encodeChangeToken({ ...at, done: 0, scan: { stage: SCAN_ALIASES + 1, after: 1 } }),
    encodeChangeToken({ ...at, done: 0, scan: { stage: 4, after: 'x'.repeat(257) } }),
    // The place between two entries has another, shorter form.
    bytes((it) => it.fill(0, 41, 45).fill(9, 40, 41)),
  ];
  for (const text of bad) {
    const refused = refusalOf(() => decodeChangeToken(text, 'from'));
    assert.equal([refused.type, refused.message.startsWith('from: ')], ['InvalidRequest', true], text);
  }
});

test.run();

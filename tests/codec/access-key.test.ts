/** The byte form of an access key: one golden file, round trips of any, and refusal of what is none. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { decodeAccessKey, encodeAccessKey } from '../../src/codec/access-key.js';
import { anyAccessKey, KNOWN_KEY } from '../support/any-access-key.js';
import { suite } from '../support/suite.js';

const test = suite('codec/access-key');

test('version 1 is read and written as its golden file says', () => {
  const golden = readFileSync(new URL('../../../tests/codec/access-key-v1.golden', import.meta.url), 'utf8').trim();
  assert.is(encodeAccessKey(KNOWN_KEY).toString(), golden);
  assert.equal(decodeAccessKey(Buffer.from(golden)), KNOWN_KEY);
});

test('any key comes back as it was, and its bytes do not depend on the order of its fields', () => {
  fc.assert(
    fc.property(anyAccessKey, (key) => {
      const bytes = encodeAccessKey(key);
      assert.equal(decodeAccessKey(bytes), key);
      const turned = Object.fromEntries(Object.entries(key).reverse()) as unknown as typeof key;
      assert.is(encodeAccessKey(turned).toString(), bytes.toString());
    }),
    { numRuns: 200 },
  );
});

test('bytes of another version, with another role, or of something else are refused', () => {
  const text = encodeAccessKey(KNOWN_KEY).toString();
  const bad = [
    text.replace('"v":1', '"v":2'),
    text.replace('"write"', '"root"'),
    text.replace('00ff00ff00ff00ff', 'short'),
    text.replace('"hash":"00', '"hash":"'),
    text.slice(0, -1),
    'null',
    '7',
    '',
  ];
  for (const each of bad) assert.throws(() => decodeAccessKey(Buffer.from(each)), /not an access key/, each);
});

test.run();

/** Payload patches: deep merge of objects, replacement of all else, removal of dotted paths. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { mergePayload } from '../../src/engine/merge-payload.js';
import type { Payload } from '../../src/model/point.js';
import { suite } from '../support/suite.js';

const test = suite('engine/merge-payload');

const payload = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 3 }), {
  noNullPrototype: true,
}) as fc.Arbitrary<Payload>;

test('objects merge deeply, arrays and scalars replace, null is a value', () => {
  const base = { a: { b: 1, c: [1, 2] }, d: 'x', e: 5 };
  assert.equal(mergePayload(base, { a: { c: [3] }, d: null, f: true }, []), { a: { b: 1, c: [3] }, d: null, e: 5, f: true });
  assert.equal(mergePayload({ a: 1 }, { a: { b: 2 } }, []), { a: { b: 2 } });
  assert.equal(mergePayload({ a: { b: 2 } }, { a: 1 }, []), { a: 1 });
});

test('unset removes paths after the merge and ignores those that lead nowhere', () => {
  assert.equal(mergePayload({ a: { b: 1, c: 2 }, d: 3 }, { e: 4 }, ['a.b', 'd', 'e', 'x.y', 'a.c.z']), { a: { c: 2 } });
  assert.equal(mergePayload({ a: [{ b: 1 }] }, {}, ['a.0.b', 'a.b']), { a: [{ b: 1 }] });
});

test('merging an empty change is the identity, and the inputs stay as they were', () => {
  fc.assert(
    fc.property(payload, payload, (base, change) => {
      const before = structuredClone([base, change]);
      assert.equal(mergePayload(base, {}, []), base);
      const merged = mergePayload(base, change, []);
      assert.equal(mergePayload(merged, change, []), merged);
      assert.equal([base, change], before);
    }),
  );
});

test.run();

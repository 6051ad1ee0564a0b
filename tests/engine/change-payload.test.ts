/** Changes of payloads other than merging: setting keys, at a path too, and taking away what stands at paths. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { changedPayload } from '../../src/engine/change-payload.js';
import type { PathStep } from '../../src/model/path-step.js';
import type { PayloadChange } from '../../src/model/payload-change.js';
import type { Payload } from '../../src/model/point.js';
import { suite } from '../support/suite.js';

const test = suite('engine/change-payload');
const NONE = new Uint8Array(0);
const BASE: Payload = { a: { b: [{ c: 1 }, { c: 2 }, { d: 3 }] }, f: 3, g: ['x', 'y'] };

const set = (at: readonly PathStep[], given: Payload, base = BASE): Payload =>
  changedPayload(base, { kind: 'set', payload: NONE, ...(at.length > 0 && { at }) }, given);
const remove = (...paths: (readonly PathStep[])[]): Payload => changedPayload(BASE, { kind: 'remove', paths }, {});

test('keys are set one by one, objects as a whole, and null takes a key away', () => {
  assert.equal(set([], { a: { z: 1 }, f: null, new: [1] }), { a: { z: 1 }, g: ['x', 'y'], new: [1] });
  assert.equal(BASE.f, 3, 'the payload that came in stays');
});

test('at a path they are set in the object there, or in each of an array', () => {
  assert.equal(set(['a'], { z: 1 }), { ...BASE, a: { b: [{ c: 1 }, { c: 2 }, { d: 3 }], z: 1 } });
  assert.equal(set(['a', 'b', 1], { c: 9 }), { ...BASE, a: { b: [{ c: 1 }, { c: 9 }, { d: 3 }] } });
  assert.equal(set(['a', 'b', null], { e: 0 }), {
    ...BASE,
    a: {
      b: [
        { c: 1, e: 0 },
        { c: 2, e: 0 },
        { d: 3, e: 0 },
      ],
    },
  });
});

test('what is missing on the way is made, and what is of another kind replaced', () => {
  assert.equal(set(['k', 'l'], { c: 1 }, {}), { k: { l: { c: 1 } } });
  assert.equal(set(['k', 2], { c: 1 }, {}), { k: [null, null, { c: 1 }] });
  assert.equal(set(['k', null, 'l'], { c: 1 }, {}), { k: [] });
  assert.equal(set(['f', 'g'], { c: 1 }, { f: 3 }), { f: { g: { c: 1 } } });
  assert.is(JSON.stringify(set(['constructor'], { c: 1 }, {})), '{"constructor":{"c":1}}');
});

test('a place far behind the end of an array is refused', () => {
  assert.throws(() => set(['g', 999_999_999], { c: 1 }), /is more than 10000 behind the end/);
});

test('paths are taken away in their order; one that leads nowhere is passed over', () => {
  assert.equal(remove(['f'], ['a', 'b', 0, 'c'], ['a', 'none'], ['f', 'x']), {
    ...{ a: { b: [{}, { c: 2 }, { d: 3 }] }, g: ['x', 'y'] },
  });
  assert.equal(remove(['a', 'b', null, 'c']), { ...BASE, a: { b: [{}, {}, { d: 3 }] } });
  assert.equal(remove(['g', null]), { ...BASE, g: [] });
  assert.equal(remove(['g', 7], ['toString']), BASE);
  assert.equal(remove(['g', 0], ['a', 'b', 1]), BASE, 'a place is not taken out of an array: done again, the next would go');
});

test('done again, no change changes anything', () => {
  const step = fc.oneof(fc.constantFrom('a', 'b', 'c', 'g'), fc.nat(3), fc.constant(null));
  const paths = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });
  const given = fc.dictionary(fc.constantFrom('a', 'b', 'g'), fc.jsonValue({ maxDepth: 2 })) as fc.Arbitrary<Payload>;
  const change: fc.Arbitrary<PayloadChange> = fc.oneof(
    paths.map((all) => ({ kind: 'remove', paths: all }) as const),
    paths.map(([at = []]) => ({ kind: 'set', payload: NONE, at }) as const),
  );
  fc.assert(
    fc.property(change, given, (one, payload) => {
      const once = changedPayload(BASE, one, payload);
      assert.equal(changedPayload(once, one, payload), once);
    }),
  );
});

test('a payload is replaced as a whole', () => {
  assert.equal(changedPayload(BASE, { kind: 'replace', payload: NONE }, { only: 1 }), { only: 1 });
});

test.run();

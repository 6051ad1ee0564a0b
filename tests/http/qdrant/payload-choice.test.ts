/** Parts of payloads: the keys that are wanted, or all but some, through objects and lists. */

import * as assert from 'uvu/assert';
import { type Keep, keptPayload } from '../../../src/http/qdrant/payload-choice.js';
import { suite } from '../../support/suite.js';

const test = suite('http/qdrant/payload-choice');
const PAYLOAD = { a: { b: 1, c: { d: 2 } }, list: [{ x: 1, y: 2 }, { y: 3 }, 4], n: null };

function kept(keep: Keep, ...keys: string[]): unknown {
  const bytes = keptPayload(keep, keys)(Buffer.from(JSON.stringify(PAYLOAD)));
  return bytes.length === 0 ? {} : JSON.parse(Buffer.from(bytes).toString());
}

test('only what is named, at any depth', () => {
  assert.equal(kept('include', 'n'), { n: null });
  assert.equal(kept('include', 'a.c', 'a.b'), { a: { b: 1, c: { d: 2 } } });
  assert.equal(kept('include', 'a', 'a.b'), { a: PAYLOAD.a });
  assert.equal(kept('include', 'list[].y', 'none.such'), { list: [{ y: 2 }, { y: 3 }] });
  assert.equal(kept('include'), {});
});

test('all but what is named', () => {
  assert.equal(kept('exclude', 'a.c.d', 'n'), { a: { b: 1, c: {} }, list: PAYLOAD.list });
  assert.equal(kept('exclude', 'list.y', 'a'), { list: [{ x: 1 }, {}, 4], n: null });
  assert.equal(kept('exclude'), PAYLOAD);
});

test('a payload of nothing stays one', () => {
  assert.is(keptPayload('include', ['a'])(new Uint8Array(0)).length, 0);
});

test.run();

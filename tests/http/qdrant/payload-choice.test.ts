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

test('keys may stand in quotes, and places in lists are all or none', () => {
  const payload = { 'we.ird': { 'a b': 1, c: 2 }, list: [[{ x: 1, y: 2 }], { x: 3 }], 'x[]': 4 };
  const chosen = (keep: Keep, ...keys: string[]): unknown =>
    JSON.parse(Buffer.from(keptPayload(keep, keys)(Buffer.from(JSON.stringify(payload)))).toString());
  assert.equal(chosen('include', '"we.ird"."a b"'), { 'we.ird': { 'a b': 1 } });
  assert.equal(chosen('exclude', '"we.ird"."a b"', 'list'), { 'we.ird': { c: 2 }, 'x[]': 4 });
  assert.equal(chosen('include', '"x[]"', 'list[][].y'), { 'x[]': 4, list: [[{ y: 2 }], {}] });
  assert.equal(chosen('exclude', 'list[].x', '"we.ird"', '"x[]"'), { list: [[{ y: 2 }], {}] });
  for (const bad of ['a[0]', 'a..b', 'a b', '', '"a', 'a[x]'])
    assert.throws(() => keptPayload('include', ['n', bad], 'with_payload'), /^with_payload\[1\]: /, bad);
});

test('large numbers keep their form', () => {
  const kept = keptPayload('exclude', ['gone'])(Buffer.from('{"n":1.5e+20,"gone":1}'));
  assert.is(Buffer.from(kept).toString(), '{"n":1.5e+20}');
});

test('a payload of nothing stays one', () => {
  assert.is(keptPayload('include', ['a'])(new Uint8Array(0)).length, 0);
});

test.run();

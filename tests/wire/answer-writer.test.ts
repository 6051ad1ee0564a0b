/** Answers in both forms say the same; slices join to the whole; raw payloads are spliced in untouched. */

import { unpack } from 'msgpackr';
import * as assert from 'uvu/assert';
import { floatsOf, unpackMessage } from '../../src/codec/msgpack.js';
import { type AnswerWriter, answerWriter, encodeAnswer } from '../../src/wire/answer-writer.js';
import { suite } from '../support/suite.js';

const test = suite('wire/answer-writer');

const VECTOR = Float32Array.from([0.1, -0, 1e-7, 16_777_216]);

function writeAll(out: AnswerWriter, points = 20): void {
  out.openObject(4);
  out.key('points');
  out.openArray(points);
  for (let i = 0; i < points; i++) {
    out.openObject(4);
    out.key('id');
    out.id(i % 2 === 0 ? i * 2 ** 40 : `é"${i}`);
    out.key('version');
    out.number(2 ** 33 + i);
    out.key('payload');
    out.payload(i === 0 ? new Uint8Array() : Buffer.from(`{"n":${i},"t":"ü"}`));
    out.key('vector');
    out.vector(VECTOR);
    out.closeObject();
  }
  out.closeArray();
  out.key('score');
  out.number(-0.25);
  out.key('odd key');
  out.value([true, null]);
  out.key('next_cursor');
  out.value(null);
  out.closeObject();
}

test('JSON and MessagePack say the same', () => {
  const json = answerWriter('json');
  writeAll(json);
  const text = JSON.parse(json.take().toString()) as { points: { vector: unknown; id: unknown }[] };
  const msgpack = answerWriter('msgpack');
  writeAll(msgpack);
  const packed = unpackMessage(msgpack.take()) as { points: { vector: unknown }[] };
  for (const point of packed.points) point.vector = [...floatsOf(point.vector as Uint8Array)].map((value) => Math.fround(value));
  for (const point of text.points) point.vector = (point.vector as number[]).map((value) => Math.fround(value));
  // JSON has no negative zero; the binary form keeps it.
  assert.ok(packed.points.every(({ vector }) => Object.is((vector as number[])[1], -0)));
  for (const point of packed.points) (point.vector as number[])[1] = 0;
  assert.equal(packed, text);
  assert.equal(text.points[1]?.id, 'é"1');
});

test('an integer is a number for readers that take 64-bit integers for bigints', () => {
  for (const id of [7, 2 ** 31, 2 ** 32, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER]) {
    const out = answerWriter('msgpack');
    out.id(id);
    assert.is(unpack(out.take()), id);
  }
});

test('slices join to the whole', () => {
  for (const form of ['json', 'msgpack'] as const) {
    const whole = answerWriter(form);
    writeAll(whole, 3);
    const sliced = answerWriter(form);
    const parts: Buffer[] = [];
    const cut = new Proxy(sliced, {
      get: (target, name: keyof AnswerWriter) => {
        if (target.length > 40) parts.push(target.take());
        const member = target[name];
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    writeAll(cut, 3);
    parts.push(sliced.take());
    assert.ok(parts.length > 3);
    assert.equal(Buffer.concat(parts), whole.take());
  }
});

test('a stored payload goes out byte for byte', () => {
  const out = answerWriter('json');
  out.openArray(1);
  out.payload(Buffer.from('{"a":1e+20}'));
  out.closeArray();
  assert.is(out.take().toString(), '[{"a":1e+20}]');
});

test('counts of any size have the right head', () => {
  for (const count of [0, 15, 16, 65_535, 65_536]) {
    const out = answerWriter('msgpack');
    out.openArray(count);
    for (let i = 0; i < count; i++) out.number(i % 300);
    out.closeArray();
    assert.is((unpackMessage(out.take()) as unknown[]).length, count);
  }
});

test('small answers are encoded as a whole', () => {
  assert.is(encodeAnswer('json', { a: [1] }).toString(), '{"a":[1]}');
  assert.equal(unpackMessage(encodeAnswer('msgpack', { a: [1] })), { a: [1] });
});

test.run();

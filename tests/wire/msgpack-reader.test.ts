/** MessagePack bodies: what a packer writes of plain data is read the same; everything JSON does not have is refused. */

import fc from 'fast-check';
import { Packr } from 'msgpackr';
import * as assert from 'uvu/assert';
import { floatBytes, packMessage } from '../../src/codec/msgpack.js';
import { FloatColumn } from '../../src/wire/columns.js';
import { MsgpackReader } from '../../src/wire/msgpack-reader.js';
import { refusalOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';

const test = suite('wire/msgpack-reader');

function readWhole(bytes: Uint8Array): unknown {
  const reader = new MsgpackReader(bytes);
  const value = reader.value();
  reader.end();
  return value;
}

function refused(bytes: Uint8Array | readonly number[]): string {
  const { type, message, details } = refusalOf(() => readWhole(Uint8Array.from(bytes)));
  assert.is(type, 'InvalidJson', message);
  assert.type(details['offset'], 'number');
  return message;
}

test('reads whatever msgpackr writes of plain data', (t) => {
  const plain = fc.jsonValue({ maxDepth: 6 }).filter((value) => {
    const text = JSON.stringify(value);
    return !/__proto__|\d{16,}/.test(text) && text.isWellFormed() && !/\\ud[89a-f]/.test(text);
  });
  fc.assert(
    fc.property(plain, (value) => assert.equal(readWhole(packMessage(value)), JSON.parse(JSON.stringify(value)))),
    {
      seed: t.seed(),
      numRuns: 1_000,
    },
  );
});

test('reads every width of number, text, list and map', () => {
  const wide: Record<string, unknown> = {};
  for (let i = 0; i < 70_000; i++) wide[`k${i}`] = i;
  const numbers = [
    0,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53,
    -1,
    -32,
    -33,
    -129,
    -32_769,
    -(2 ** 31) - 1,
    0.5,
  ];
  assert.equal(readWhole(packMessage({ numbers, long: 'x'.repeat(70_000), mid: 'y'.repeat(300), wide })), {
    numbers,
    long: 'x'.repeat(70_000),
    mid: 'y'.repeat(300),
    wide,
  });
  assert.equal(
    readWhole(Uint8Array.from([0x92, 0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xca, 0x3f, 0x80, 0, 0])),
    [-2, 1],
  );
});

test('damaged bytes are refused or read, never anything else', (t) => {
  const source = packMessage({ points: [{ id: 'a', vector: [1, 2.5], payload: { x: [true, null, 'y'] } }] });
  const damage = fc.tuple(fc.nat(source.length - 1), fc.nat(255), fc.nat(source.length));
  fc.assert(
    fc.property(damage, ([at, byte, length]) => {
      const damaged = Uint8Array.from(source).subarray(0, length);
      if (at < length) damaged[at] = byte;
      try {
        readWhole(damaged);
      } catch (error) {
        assert.is((error as Error).name, 'InvalidJson', String(error));
      }
    }),
    { seed: t.seed(), numRuns: 3_000 },
  );
});

test('lengths and counts larger than the body are refused at once', () => {
  const before = process.memoryUsage().arrayBuffers;
  for (const head of [
    [0xdd, 0xff, 0xff, 0xff, 0xff],
    [0xdf, 0xff, 0xff, 0xff, 0xff],
    [0xdb, 0xff, 0xff, 0xff, 0xff],
    [0xc6, 0xff, 0xff, 0xff, 0xff],
    [0xda, 0xff],
    [0x91],
    [],
  ]) {
    const message = refused(head);
    if (head[0] === 0xdd || head[0] === 0xdf) assert.match(message, 'larger than what follows at byte 0');
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
});

test('what JSON does not have is refused', () => {
  const packr = new Packr({ useRecords: false });
  refused(packr.pack({ at: new Date() }));
  refused(packr.pack({ nothing: undefined }));
  refused(packr.pack({ bytes: Buffer.from([1]) }));
  refused(new Packr({ moreTypes: true }).pack({ all: new Set([1]) }));
  refused(new Packr({ useRecords: true }).pack([{ a: 1 }, { a: 2 }]));
  refused(packMessage([Number.NaN]));
  refused(packMessage([Number.POSITIVE_INFINITY]));
  refused([0x81, 0x01, 0x02]);
  refused([0x81, 0xc0, 0x02]);
  refused([0xc1]);
  refused([0xa1, 0xff]);
  refused([0xc0, 0xc0]);
});

test('integers beyond 2^53 are refused, 2^53 and floats are not', () => {
  const integer = (value: bigint): Uint8Array => {
    const bytes = Buffer.alloc(9, 0xd3);
    bytes.writeBigInt64BE(value, 1);
    return bytes;
  };
  for (const value of [2n ** 53n + 1n, -(2n ** 60n)]) {
    assert.is(refusalOf(() => readWhole(integer(value))).type, 'InvalidRequest');
  }
  assert.is(readWhole(integer(2n ** 53n)), 2 ** 53);
  assert.is(readWhole(packMessage(1e300)), 1e300);
});

test('__proto__ and deep nesting are refused', () => {
  refused(Buffer.concat([Buffer.from([0x81, 0xa9]), Buffer.from('__proto__'), Buffer.from([1])]));
  refused(new Uint8Array(100_000).fill(0x91));
  assert.ok(readWhole(Uint8Array.from([...Array(63).fill(0x91), 0x90])));
  refused([...Array(64).fill(0x91), 0x90]);
});

test('a payload is the text that JSON would have given', () => {
  const reader = new MsgpackReader(packMessage({ b: 1, a: 'é', c: 1e20 }));
  assert.is(reader.payload(), '{"b":1,"a":"é","c":1e+20}');
});

test('vectors come as lists of any numbers or as binary at any place', () => {
  const vector = Float32Array.from([0.1, -0, 3]);
  const column = new FloatColumn(0);
  const reader = new MsgpackReader(
    packMessage({ a: floatBytes(vector), b: [1, 2.5, -3], c: [1, null, 'x'], d: floatBytes(Float32Array.from([1, Number.NaN])) }),
  );
  const read: unknown[] = [];
  reader.enterObject();
  for (let key = reader.key(); key !== null; key = reader.key())
    read.push([key, reader.kind(), reader.vector(column), column.bad]);
  reader.end();
  assert.equal(read, [
    ['a', 'binary', 3, -1],
    ['b', 'array', 3, -1],
    ['c', 'array', 3, 1],
    ['d', 'binary', 2, 1],
  ]);
  assert.equal(Buffer.from(column.finish().buffer).subarray(0, 12), Buffer.from(vector.buffer));
  assert.equal([...column.values.subarray(3, 6)], [1, 2.5, -3]);
});

test('a binary vector of a broken length is refused', () => {
  const reader = new MsgpackReader(packMessage(Buffer.from([1, 2, 3])));
  assert.is(refusalOf(() => reader.vector(new FloatColumn(0))).type, 'InvalidRequest');
});

test.run();

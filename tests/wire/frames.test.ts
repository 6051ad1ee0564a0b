/** Frames of replication: round trips of every message, one golden file per protocol version, and nothing but a whole, unchanged frame
 *  is ever taken; what a stranger sends costs no more than its own bytes. */

import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { packMessage } from '../../src/codec/msgpack.js';
import {
  BadFrame,
  decodeFrame,
  encodeFrame,
  FRAME_HEAD_BYTES,
  frameType,
  type HeartbeatFrame,
  type Message,
  PROTOCOL_VERSION,
} from '../../src/wire/frames.js';
import { HELLO } from '../support/hello.js';
import { suite } from '../support/suite.js';
import { frameOf, refused } from './hostile-frames.js';

const test = suite('wire/frames');

const count = fc.oneof(fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), fc.constant(Number.MAX_SAFE_INTEGER));
const epoch = fc.integer({ min: 0, max: 2 ** 48 });
const hexDigits = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
const id = hexDigits(32);
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const digest = fc.uint8Array({ minLength: 16, maxLength: 16 });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const orNull = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: null });
const url = orNull(fc.constantFrom('ws://a:1', 'https://[::1]:7700'));
const role = fc.constantFrom('master' as const, 'replica' as const);
const plain = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.oneof(fc.nat(), text, fc.boolean(), fc.constant(null)), {
  maxKeys: 4,
});
const lineage = fc.array(fc.record({ epoch, historyId: id, startSeq: count, startHash: hexDigits(64) }), { maxLength: 3 });
const position = fc.record({ historyId: id, epoch, seq: count, hash: hexDigits(64) });
const proof = fc.oneof(fc.constant(''), hexDigits(64));
const reason = fc.constantFrom(
  'WRONG_CLUSTER' as const,
  'STALE_MASTER' as const,
  'UNSUPPORTED_VERSION' as const,
  'DUPLICATE_NODE' as const,
  'BUSY' as const,
  'LOOP' as const,
  'UNAUTHORIZED' as const,
  'NOT_SERVING' as const,
);
const decision = fc.oneof(
  fc.record({ kind: fc.constant('continue' as const), fromSeq: count }),
  fc.record({ kind: fc.constant('snapshot' as const), reason: text, commonSeq: orNull(count) }),
);

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    type: fc.constant('open' as const),
    magic: fc.constant('skein' as const),
    protoMin: count,
    protoMax: count,
    nonce: id,
    software: text,
  }),
  fc.record({ type: fc.constant('challenge' as const), proto: count, nonce: id, keyed: fc.boolean() }),
  fc.record({
    type: fc.constant('hello' as const),
    kind: fc.constantFrom('follow' as const, 'probe' as const),
    clusterId: orNull(id),
    nodeId: id,
    runId: id,
    host: fc.stringMatching(/^[0-9A-Za-z._:%-]{1,60}$/),
    port: fc.integer({ min: 0, max: 65_535 }),
    voter: fc.boolean(),
    role,
    highestEpoch: epoch,
    position: orNull(position),
    lineage,
    wants: orNull(text),
    resume: orNull(fc.record({ snapshotId: id, nextChunk: count })),
    installed: orNull(id),
    masterUrl: url,
    proof,
  }),
  fc.record({
    type: fc.constant('welcome' as const),
    software: text,
    clusterId: id,
    nodeId: id,
    runId: id,
    role,
    epoch,
    historyId: id,
    lineage,
    logMinSeq: count,
    lastSeq: count,
    decision: orNull(decision),
    limits: fc.record({ windowBytes: count, heartbeatMs: count, timeoutMs: count }),
    masterUrl: url,
    path: fc.array(id, { maxLength: 3 }),
    proof,
  }),
  fc.record({
    type: fc.constant('reject' as const),
    reason,
    message: text,
    retryAfterMs: orNull(fc.integer({ min: 0, max: 60_000 })),
    clusterId: orNull(id),
    nodeId: id,
    epoch,
    masterUrl: url,
    proof,
  }),
  fc.record({
    type: fc.constant('entries' as const),
    firstSeq: count,
    hashBefore: hash,
    hashAfter: hash,
    entries: fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant('ack' as const),
    diverged: fc.boolean(),
    receivedBytes: count,
    receivedSeq: count,
    durableSeq: count,
    appliedSeq: count,
    heartbeat: count,
    digest,
  }),
  fc.record({
    type: fc.constant('heartbeat' as const),
    number: count,
    lastSeq: count,
    commitSeq: count,
    lagMs: orNull(fc.nat()),
    digest,
    path: fc.array(id, { maxLength: 4 }),
  }),
  fc.record({ type: fc.constant('snapshotHead' as const), head: plain }),
  fc.record({ type: fc.constant('snapshotWant' as const), snapshotId: id, nextChunk: count }),
  fc.record({
    type: fc.constant('snapshotChunk' as const),
    snapshotId: id,
    number: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    bytes: fc.uint8Array({ maxLength: 60 }),
  }),
  fc.record({ type: fc.constant('request' as const), id: count, method: text, parameters: plain }),
  fc.record({ type: fc.constant('response' as const), id: count, error: orNull(text), result: plain }),
  fc.record({ type: fc.constant('bye' as const), reason: text, masterUrl: url }),
);

/** Buffers and typed arrays as plain numbers, so that two messages compare by value. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item)]));
  return value;
}

test('every message comes back from its bytes as it was, with its epoch', () => {
  fc.assert(
    fc.property(epoch, message, (number, given) => {
      const found = decodeFrame(encodeFrame(number, given));
      assert.is(found.epoch, number);
      assert.equal(comparable(found.message), comparable(given));
    }),
    { numRuns: 1_000 },
  );
});

test('a frame is read at any alignment, and its parts do not depend on bytes around it', () => {
  fc.assert(
    fc.property(message, fc.integer({ min: 1, max: 9 }), (given, offset) => {
      const frame = encodeFrame(3, given);
      const around = Buffer.alloc(frame.length + 2 * offset, 0xff);
      frame.copy(around, offset);
      assert.equal(comparable(decodeFrame(around.subarray(offset, offset + frame.length)).message), comparable(given));
    }),
  );
});

test('every single flipped bit is refused', () => {
  fc.assert(
    fc.property(message, (given) => {
      const frame = encodeFrame(7, given);
      for (let bit = 0; bit < frame.length * 8; bit++) {
        frame.writeUInt8((frame[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3);
        refused(frame, `bit ${bit} flipped`);
        frame.writeUInt8((frame[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3);
      }
      assert.equal(comparable(decodeFrame(frame).message), comparable(given));
    }),
    { numRuns: 25 },
  );
});

test('every truncation, and every byte too many, is refused', () => {
  fc.assert(
    fc.property(message, (given) => {
      const frame = encodeFrame(7, given);
      for (let length = 0; length < frame.length; length++) refused(frame.subarray(0, length), `cut to ${length}`);
      refused(Buffer.concat([frame, Buffer.from([0])]), 'one byte more');
    }),
    { numRuns: 60 },
  );
});

test('two frames in one message are refused', () => {
  const frame = encodeFrame(1, { type: 'bye', reason: 'x', masterUrl: null });
  refused(Buffer.concat([frame, frame]), 'two frames');
});

test('hostile bytes behind a right head throw BadFrame and nothing else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 200 }), (type, payload) => {
      try {
        decodeFrame(frameOf(type, payload));
      } catch (error) {
        assert.instance(error, BadFrame, String(error));
      }
    }),
    { numRuns: 3_000 },
  );
});

test('bytes that are no frame at all are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => refused(bytes, 'garbage')),
    { numRuns: 1_000 },
  );
});

test('a type that this build does not know is refused by name, not guessed', () => {
  for (const type of [0, 15, 16, 127, 255]) refused(frameOf(type, packMessage({})), `type ${type}`);
});

test('a length that is not the payload’s is refused, whatever the checksum says', () => {
  const payload = packMessage({ reason: '', masterUrl: null });
  for (const off of [-1, 1, 2 ** 31]) {
    const frame = frameOf(14, payload);
    frame.writeUInt32LE(payload.length + off, 4);
    frame.writeUInt32LE(crc32(frame.subarray(FRAME_HEAD_BYTES), crc32(frame.subarray(0, 16))), 16);
    refused(frame, `length off by ${off}`);
  }
});

test('an epoch beyond 2^48 is refused, in the head as in a body: nobody can drive epochs to where none is left', () => {
  const bye = packMessage({ reason: '', masterUrl: null });
  assert.is(decodeFrame(frameOf(14, bye, 2 ** 48)).epoch, 2 ** 48);
  for (const late of [2n ** 48n + 1n, 2n ** 53n, 2n ** 64n - 1n]) refused(frameOf(14, bye, late), `epoch ${late}`);
  const hello = (highestEpoch: number) => encodeFrame(1, { type: 'hello', ...HELLO, highestEpoch });
  decodeFrame(hello(2 ** 48));
  refused(hello(2 ** 48 + 1), 'a hello of an epoch too late');
});

test('a seq beyond 2^53-1 is refused', () => {
  const ack = Buffer.alloc(1 + 5 * 8 + 16);
  decodeFrame(frameOf(7, ack));
  for (let at = 1; at < 41; at += 8) {
    const copy = Buffer.from(ack);
    copy.writeBigUInt64LE(2n ** 53n, at);
    refused(frameOf(7, copy), `2^53 at ${at}`);
  }
});

test('the type of a frame is known from its first byte, and nothing else is read for it', () => {
  for (const known of KNOWN) assert.is(frameType(encodeFrame(1, known)), known.type);
  assert.is(frameType(Buffer.from([6])), 'entries');
  for (const first of [0, 15, 255]) assert.is(frameType(Buffer.from([first, 0, 0])), null);
  assert.is(frameType(new Uint8Array(0)), null);
});

test('the age of the sender’s data travels as whole milliseconds; not known is not 0', () => {
  const over = (lagMs: number | null): number | null => {
    const { message } = decodeFrame(encodeFrame(1, { ...BEAT, lagMs }));
    return message.type === 'heartbeat' ? message.lagMs : Number.NaN;
  };
  assert.equal([null, 0, 0.4, 1_500.6].map(over), [null, 0, 0, 1_501]);
});

test('an empty stretch of entries is refused', () => {
  const payload = Buffer.alloc(8 + 4 + 64);
  refused(frameOf(6, payload), 'no entries');
});

test('counts and lengths far beyond the bytes are refused before anything of their size is made', () => {
  const entries = Buffer.alloc(8 + 4 + 64 + 8);
  const cases: [string, Buffer][] = [];
  for (const claimed of [2, 1_000, 2 ** 31, 2 ** 32 - 1]) {
    const copy = Buffer.from(entries);
    copy.writeUInt32LE(claimed, 8);
    copy.writeUInt32LE(2 ** 32 - 1, 76);
    cases.push([`${claimed} entries`, frameOf(6, copy)]);
  }
  const heartbeat = Buffer.alloc(8 * 4 + 16 + 2);
  heartbeat.writeUInt16LE(65_535, 48);
  cases.push(['a path of 65,535', frameOf(8, heartbeat)]);
  // MessagePack: map, array, string and binary of 2^32−1 items, alone and nested.
  for (const mark of [0xdf, 0xdd, 0xdb, 0xc6]) {
    const claim = Buffer.from([mark, 0xff, 0xff, 0xff, 0xff]);
    cases.push([`mark ${mark}`, frameOf(14, claim)]);
    cases.push([`mark ${mark} within`, frameOf(14, Buffer.concat([Buffer.from([0x82, 0xa6]), Buffer.from('reason'), claim]))]);
  }
  const before = process.memoryUsage();
  for (let round = 0; round < 200; round++) for (const [what, frame] of cases) refused(frame, what);
  const after = process.memoryUsage();
  assert.ok(after.arrayBuffers - before.arrayBuffers < 64 * 1024 * 1024, 'buffers grew');
  assert.ok(after.rss - before.rss < 256 * 1024 * 1024, `resident memory grew by ${after.rss - before.rss}`);
});

test('nesting without end is refused, not followed', () => {
  for (const opener of [0x91, 0x81]) {
    const deep =
      opener === 0x91
        ? Buffer.alloc(500_000, 0x91)
        : Buffer.from(Array.from({ length: 100_000 }, () => [0x81, 0xa1, 0x61]).flat());
    refused(frameOf(12, deep), 'deep nesting');
  }
});

const BEAT: HeartbeatFrame = {
  type: 'heartbeat',
  number: 13,
  lastSeq: 302,
  commitSeq: 301,
  lagMs: 250,
  digest: new Uint8Array(16).fill(4),
  path: ['b'.repeat(32), 'e'.repeat(32)],
};

/** One of each, in the order of their numbers. */
const KNOWN: readonly Message[] = [
  { type: 'open', magic: 'skein', protoMin: 1, protoMax: 1, nonce: '8'.repeat(32), software: '0.1.0' },
  { type: 'challenge', proto: 1, nonce: '9'.repeat(32), keyed: true },
  { type: 'hello', ...HELLO },
  {
    type: 'welcome',
    software: '0.1.0',
    clusterId: 'a'.repeat(32),
    nodeId: 'b'.repeat(32),
    runId: 'c'.repeat(32),
    role: 'master',
    epoch: 3,
    historyId: '3'.repeat(32),
    lineage: [],
    logMinSeq: 1,
    lastSeq: 301,
    decision: { kind: 'continue', fromSeq: 301 },
    limits: { windowBytes: 8_388_608, heartbeatMs: 1_000, timeoutMs: 10_000 },
    masterUrl: 'http://master.example:7700',
    path: ['b'.repeat(32)],
    proof: 'd'.repeat(64),
  },
  {
    type: 'reject',
    reason: 'BUSY',
    message: 'later',
    retryAfterMs: 500,
    clusterId: 'a'.repeat(32),
    nodeId: 'b'.repeat(32),
    epoch: 3,
    masterUrl: null,
    proof: 'd'.repeat(64),
  },
  {
    type: 'entries',
    firstSeq: 301,
    hashBefore: new Uint8Array(32).fill(1),
    hashAfter: new Uint8Array(32).fill(2),
    entries: [Uint8Array.of(1, 2, 3), new Uint8Array(0)],
  },
  {
    type: 'ack',
    diverged: true,
    receivedBytes: 1_000_000,
    receivedSeq: 302,
    durableSeq: 301,
    appliedSeq: 300,
    heartbeat: 12,
    digest: new Uint8Array(16).fill(3),
  },
  BEAT,
  { type: 'snapshotHead', head: { id: '6'.repeat(32), bytes: 5 } },
  { type: 'snapshotWant', snapshotId: '6'.repeat(32), nextChunk: 10 },
  { type: 'snapshotChunk', snapshotId: '6'.repeat(32), number: 10, bytes: Uint8Array.of(255, 0) },
  { type: 'request', id: 1, method: 'handover', parameters: { timeoutMs: 1_000 } },
  { type: 'response', id: 1, error: null, result: { seq: 302 } },
  { type: 'bye', reason: 'the node is stopping', masterUrl: null },
];

test('protocol version 1 is written and read as its golden file says', () => {
  const lines = readFileSync(new URL('../../../tests/wire/frames-v1.golden', import.meta.url), 'utf8')
    .trim()
    .split('\n');
  assert.is(PROTOCOL_VERSION, 1);
  assert.is(lines.length, KNOWN.length);
  for (const [at, line] of lines.entries()) {
    const known = KNOWN[at] as Message;
    assert.is(`${known.type} ${encodeFrame(3, known).toString('hex')}`, line);
    const found = decodeFrame(Buffer.from(line.split(' ')[1] ?? '', 'hex'));
    assert.equal(comparable(found), comparable({ epoch: 3, message: known }));
  }
});

test.run();

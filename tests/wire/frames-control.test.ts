/** The frames that set a link up: read as strictly as any body, bounded, and open to fields of later versions. */

import * as assert from 'uvu/assert';
import { packMessage } from '../../src/codec/msgpack.js';
import { decodeFrame } from '../../src/wire/frames.js';
import { HELLO } from '../support/hello.js';
import { suite } from '../support/suite.js';
import { frameOf, refused } from './hostile-frames.js';

const test = suite('wire/frames-control');

const GOOD: { readonly [type: number]: Record<string, unknown> } = {
  1: { magic: 'skein', protoMin: 1, protoMax: 1, nonce: 'a'.repeat(32), software: 's' },
  2: { proto: 1, nonce: 'a'.repeat(32), keyed: true },
  5: {
    reason: 'BUSY',
    message: '',
    retryAfterMs: null,
    clusterId: 'a'.repeat(32),
    nodeId: 'a'.repeat(32),
    epoch: 1,
    masterUrl: null,
    proof: '',
  },
  9: { head: {} },
  10: { snapshotId: 'a'.repeat(32), nextChunk: 0 },
  12: { id: 1, method: 'm', parameters: {} },
  13: { id: 1, error: null, result: {} },
  14: { reason: 'r', masterUrl: null },
};

test('a control frame without one of its fields is refused', () => {
  for (const [type, body] of Object.entries(GOOD)) {
    decodeFrame(frameOf(Number(type), packMessage(body)));
    for (const field of Object.keys(body)) {
      const { [field]: _, ...rest } = body;
      refused(frameOf(Number(type), packMessage(rest)), `type ${type} without ${field}`);
    }
  }
});

test('a control frame with a field of another type is refused', () => {
  const others: unknown[] = [-1, 1.5, 2 ** 60, '', 'g'.repeat(32), [], {}, true, Buffer.from([1])];
  for (const [type, body] of Object.entries(GOOD)) {
    for (const field of Object.keys(body)) {
      for (const other of others) {
        if (isOfType(body[field], other)) continue;
        refused(frameOf(Number(type), packMessage({ ...body, [field]: other })), `type ${type}: ${field} = ${String(other)}`);
      }
    }
  }
});

/** Would the schema take `other` where `value` stands? */
function isOfType(value: unknown, other: unknown): boolean {
  if (value === null) return typeof other === 'string' || other === null;
  if (typeof value === 'string') return typeof other === 'string' && value !== 'skein' && value !== 'BUSY' && value.length < 32;
  if (typeof value === 'object') return typeof other === 'object' && !Array.isArray(other) && !(other instanceof Buffer);
  return typeof value === typeof other && typeof value === 'boolean';
}

test('what is not a map, or more than one, is refused', () => {
  for (const type of Object.keys(GOOD).map(Number)) {
    for (const value of [null, 1, 'text', [], [GOOD[type]], true]) refused(frameOf(type, packMessage(value)), `type ${type}`);
    const body = packMessage(GOOD[type]);
    refused(frameOf(type, Buffer.concat([body, body])), `type ${type} twice`);
    refused(frameOf(type, new Uint8Array(0)), `type ${type} empty`);
  }
});

test('fields that a later build may add are passed over', () => {
  for (const [type, body] of Object.entries(GOOD)) {
    const { message } = decodeFrame(frameOf(Number(type), packMessage({ ...body, later: [1, { two: 2 }] })));
    for (const [field, value] of Object.entries(body))
      assert.equal((message as unknown as Record<string, unknown>)[field], value);
  }
});

test('a map cannot pose as another type of frame', () => {
  const { message } = decodeFrame(frameOf(14, packMessage({ ...GOOD[14], type: 'welcome' })));
  assert.is(message.type, 'bye');
});

test('a refusal cannot ask for more than a minute of waiting', () => {
  const reject = (retryAfterMs: number) => frameOf(5, packMessage({ ...GOOD[5], retryAfterMs }));
  decodeFrame(reject(60_000));
  for (const ms of [60_001, -1, 0.5]) refused(reject(ms), `${ms} ms`);
});

test('texts and lists are bounded', () => {
  refused(frameOf(14, packMessage({ reason: 'r'.repeat(1_025), masterUrl: null })), 'a long reason');
  refused(frameOf(14, packMessage({ reason: '', masterUrl: 'w'.repeat(2_049) })), 'a long address');
  const row = { epoch: 1, historyId: 'a'.repeat(32), startSeq: 0, startHash: '0'.repeat(64) };
  refused(frameOf(3, packMessage({ ...HELLO, lineage: Array.from({ length: 1_001 }, () => row) })), 'a long lineage');
  decodeFrame(frameOf(3, packMessage({ ...HELLO, lineage: Array.from({ length: 1_000 }, () => row) })));
});

test.run();

/** Stretches of the log as shared frames: one read for all that stand at one seq, bounded memory, never a frame of another epoch. */

import * as assert from 'uvu/assert';
import type { ReplicatedLog } from '../../src/engine/engine.js';
import { LogFrames } from '../../src/replication/log-frames.js';
import { decodeFrame } from '../../src/wire/frames.js';
import { suite } from '../support/suite.js';

const test = suite('replication/log-frames');

const BEFORE = new Uint8Array(32).fill(9);

/** A log of entries that hold their own seq; reads are counted. */
class FakeLog {
  reads = 0;
  epoch = 1;
  readonly minSeq: number;
  lastSeq: number;
  readonly entryBytes: number;

  constructor(minSeq: number, lastSeq: number, entryBytes = 100) {
    this.minSeq = minSeq;
    this.lastSeq = lastSeq;
    this.entryBytes = entryBytes;
  }

  get log(): ReplicatedLog {
    const read = (fromSeq: number, limit: number, bytesMax: number) => {
      this.reads += 1;
      const rows = [];
      let bytes = 0;
      for (let seq = Math.max(fromSeq, this.minSeq); seq <= this.lastSeq && rows.length < limit; seq++) {
        rows.push({ seq, entry: Buffer.alloc(this.entryBytes, seq & 0xff), chainHash: new Uint8Array(32).fill(seq & 0xff) });
        bytes += this.entryBytes;
        if (bytes >= bytesMax) break;
      }
      return rows;
    };
    return { state: () => ({ epoch: this.epoch }), read } as unknown as ReplicatedLog;
  }
}

test('a frame begins at the seq that was asked for and says both of its chain hashes', () => {
  const frames = new LogFrames();
  const made = frames.from(new FakeLog(1, 20).log, 5, BEFORE);
  assert.is(made?.firstSeq, 5);
  assert.is(made?.throughSeq, 20);
  const { epoch, message } = decodeFrame(made?.frame ?? new Uint8Array());
  if (message.type !== 'entries') throw new Error(message.type);
  assert.is(epoch, 1);
  assert.is(message.firstSeq, 5);
  assert.is(message.entries.length, 16);
  assert.equal([...message.hashBefore], [...BEFORE]);
  assert.equal([...message.hashAfter], [...(made?.hashAfter ?? [])]);
});

test('all that stand at one seq share one read', () => {
  const log = new FakeLog(1, 20);
  const frames = new LogFrames();
  const first = frames.from(log.log, 5, BEFORE);
  assert.is(frames.from(log.log, 5, BEFORE), first);
  assert.is(log.reads, 1);
});

test('what the log does not have is null, not a frame that begins later', () => {
  assert.is(new LogFrames().from(new FakeLog(10, 20).log, 9, BEFORE), null);
  assert.is(new LogFrames().from(new FakeLog(10, 20).log, 21, BEFORE), null);
});

test('with a new epoch every frame is made anew', () => {
  const log = new FakeLog(1, 20);
  const frames = new LogFrames();
  frames.from(log.log, 5, BEFORE);
  log.epoch = 2;
  const made = frames.from(log.log, 5, BEFORE);
  assert.is(decodeFrame(made?.frame ?? new Uint8Array()).epoch, 2);
  assert.is(log.reads, 2);
});

test('frames are about half a MiB, and at most 8 MiB of them are kept', () => {
  const log = new FakeLog(1, 400, 64 * 1024);
  const frames = new LogFrames();
  let at = 1;
  for (let made = frames.from(log.log, at, BEFORE); made !== null; made = frames.from(log.log, at, BEFORE)) {
    assert.ok(made.frame.length < 600 * 1024, `${made.frame.length} bytes`);
    at = made.throughSeq + 1;
  }
  assert.is(at, 401);
  const readsBefore = log.reads;
  frames.from(log.log, 401 - 8, BEFORE);
  assert.is(log.reads, readsBefore, 'the newest is kept');
  frames.from(log.log, 1, BEFORE);
  assert.is(log.reads, readsBefore + 1, 'the oldest is not');
});

test('small frames hold no memory beside their own, and count for more than their bytes', () => {
  const log = new FakeLog(1, 0);
  const frames = new LogFrames();
  for (let seq = 1; seq <= 8_192; seq++) {
    log.lastSeq = seq;
    const frame = frames.from(log.log, seq, BEFORE)?.frame;
    assert.is(frame?.buffer.byteLength, frame?.length);
  }
  const readsBefore = log.reads;
  frames.from(log.log, 8_192, BEFORE);
  assert.is(log.reads, readsBefore, 'the newest is kept');
  frames.from(log.log, 1, BEFORE);
  assert.is(log.reads, readsBefore + 1, 'the oldest is not');
});

test('one entry larger than all that may be kept is sent, and not kept', () => {
  const log = new FakeLog(1, 1, 9 * 1024 * 1024);
  const frames = new LogFrames();
  assert.is(frames.from(log.log, 1, BEFORE)?.throughSeq, 1);
  frames.from(log.log, 1, BEFORE);
  assert.is(log.reads, 2);
});

test('damage in the log reaches the caller', () => {
  const log = {
    state: () => ({ epoch: 1 }),
    read: () => {
      throw new Error('damaged');
    },
  } as unknown as ReplicatedLog;
  assert.throws(() => new LogFrames().from(log, 1, BEFORE), /damaged/);
});

test.run();

/** Frames that no build of ours would send, for the tests of their reading. */

import { crc32 } from 'node:zlib';
import * as assert from 'uvu/assert';
import { BadFrame, decodeFrame, FRAME_HEAD_BYTES } from '../../src/wire/frames.js';

/** A frame of any type and payload with a right head and checksum. */
export function frameOf(type: number, payload: Uint8Array, epoch: number | bigint = 1): Buffer {
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + payload.length);
  frame.writeUInt8(type, 0);
  frame.writeUInt32LE(payload.length, 4);
  frame.writeBigUInt64LE(BigInt(epoch), 8);
  frame.set(payload, FRAME_HEAD_BYTES);
  frame.writeUInt32LE(crc32(frame.subarray(FRAME_HEAD_BYTES), crc32(frame.subarray(0, 16))), 16);
  return frame;
}

/** Fails unless the bytes are refused with BadFrame. */
export function refused(bytes: Uint8Array, what: string): void {
  try {
    decodeFrame(bytes);
  } catch (error) {
    assert.instance(error, BadFrame, `${what}: ${error}`);
    return;
  }
  assert.unreachable(`${what} was taken`);
}

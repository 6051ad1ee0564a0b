/** Frames: what travels on a replication link, one frame a WebSocket message.
 *
 *    frame   = u8 type | u8 flags | u16 LE 0 | u32 LE payload length | u64 LE epoch | u32 LE CRC32(the 16 bytes before | payload) | payload
 *    entries = u64 first seq | u32 count | 32 bytes chain hash before | 32 bytes chain hash after | { u32 length, entry (codec/entry.ts) }*
 *    ack     = u8 flags (1 diverged) | u64 received bytes | u64 received seq | u64 durable seq | u64 applied seq | u64 heartbeat | 16 bytes digest
 *              at durable seq
 *    heartbeat = u64 number | u64 last seq | u64 commit seq | u64 the sender's own lag in ms + 1 (0: not known) | 16 bytes digest at last seq
 *              | u16 count, { 16 bytes node id }* path
 *    chunk   = 16 bytes snapshot id | u32 number | bytes
 *    all others: one MessagePack map (wire/frames-control.ts)
 *  A WebSocket delivers a flipped byte as valid, so every frame carries its own checksum; the epoch stands in every frame, so that nothing
 *  of an older mastership is ever taken. Frames are stateless: each is read alone.
 *  History of PROTOCOL_VERSION: 1 (2026-11). */

import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter } from '../codec/bytes.js';
import { CHAIN_HASH_BYTES, DIGEST_BYTES } from '../codec/digest.js';
import { messageOf } from '../model/errors.js';
import { type ControlFrame, EPOCH_MAX, packControl, readControl } from './frames-control.js';

export type {
  Bye,
  Challenge,
  Decision,
  Hello,
  LinkRequest,
  LinkResponse,
  LinkValues,
  Open,
  PlainLineage,
  Reject,
  RejectReason,
  Welcome,
} from './frames-control.js';
export { CONTROL_TEXT_MAX } from './frames-control.js';

export const PROTOCOL_VERSION = 1;
export const FRAME_HEAD_BYTES = 20;
const CRC_AT = 16;

const TYPES = {
  open: 1,
  challenge: 2,
  hello: 3,
  welcome: 4,
  reject: 5,
  entries: 6,
  ack: 7,
  heartbeat: 8,
  snapshotHead: 9,
  snapshotWant: 10,
  snapshotChunk: 11,
  request: 12,
  response: 13,
  bye: 14,
} as const;

export interface EntriesFrame {
  readonly type: 'entries';
  readonly firstSeq: number;
  /** Chain hash in front of the first entry and after the last. */
  readonly hashBefore: Uint8Array;
  readonly hashAfter: Uint8Array;
  readonly entries: readonly Uint8Array[];
}

export interface AckFrame {
  readonly type: 'ack';
  readonly diverged: boolean;
  /** Framed bytes of entries received in this session. */
  readonly receivedBytes: number;
  readonly receivedSeq: number;
  readonly durableSeq: number;
  /** In the indexes too. */
  readonly appliedSeq: number;
  /** Number of the last heartbeat that came. */
  readonly heartbeat: number;
  /** State digest at durableSeq. */
  readonly digest: Uint8Array;
}

export interface HeartbeatFrame {
  readonly type: 'heartbeat';
  readonly number: number;
  readonly lastSeq: number;
  /** Held durably by a majority of voters. */
  readonly commitSeq: number;
  /** How old the sender's own data is; null when it does not know. */
  readonly lagMs: number | null;
  /** State digest at lastSeq. */
  readonly digest: Uint8Array;
  /** Node ids from the sender up to the master. */
  readonly path: readonly string[];
}

export interface SnapshotChunkFrame {
  readonly type: 'snapshotChunk';
  readonly snapshotId: string;
  readonly number: number;
  readonly bytes: Uint8Array;
}

export type Message = ControlFrame | EntriesFrame | AckFrame | HeartbeatFrame | SnapshotChunkFrame;

export interface Frame {
  readonly epoch: number;
  readonly message: Message;
}

/** Why bytes are no frame: the link is closed, nothing of it is taken. */
export class BadFrame extends Error {
  override readonly name = 'BadFrame';
}

/** Cost: one copy of the payload and its CRC. */
export function encodeFrame(epoch: number, message: Message): Buffer {
  const payload = new ByteWriter();
  writePayload(payload, message);
  const out = new ByteWriter();
  out.uint8(TYPES[message.type]);
  out.uint8(0);
  out.uint16(0);
  out.uint32(payload.length);
  out.uint64(epoch);
  out.uint32(0);
  const frame = out.finish(payload);
  frame.writeUInt32LE(checksum(frame), CRC_AT);
  return frame;
}

function writePayload(out: ByteWriter, message: Message): void {
  switch (message.type) {
    case 'entries':
      out.uint64(message.firstSeq);
      out.uint32(message.entries.length);
      out.bytes(message.hashBefore);
      out.bytes(message.hashAfter);
      for (const entry of message.entries) out.sized32(entry);
      return;
    case 'ack':
      out.uint8(message.diverged ? 1 : 0);
      out.uint64(message.receivedBytes);
      out.uint64(message.receivedSeq);
      out.uint64(message.durableSeq);
      out.uint64(message.appliedSeq);
      out.uint64(message.heartbeat);
      out.bytes(message.digest);
      return;
    case 'heartbeat':
      out.uint64(message.number);
      out.uint64(message.lastSeq);
      out.uint64(message.commitSeq);
      out.uint64(message.lagMs === null ? 0 : Math.round(message.lagMs) + 1);
      out.bytes(message.digest);
      out.uint16(message.path.length);
      for (const id of message.path) out.bytes(Buffer.from(id, 'hex'));
      return;
    case 'snapshotChunk':
      out.bytes(Buffer.from(message.snapshotId, 'hex'));
      out.uint32(message.number);
      out.bytes(message.bytes);
      return;
    default:
      out.bytes(packControl(message));
  }
}

/** @throws BadFrame when the bytes are not one whole frame of a known type with a right checksum */
export function decodeFrame(bytes: Uint8Array): Frame {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const reader = new ByteReader(frame);
    const type = reader.uint8();
    if (reader.uint8() !== 0 || reader.uint16() !== 0) throw new BadFrame('reserved bits of the head are set');
    const length = reader.uint32();
    const epoch = reader.uint64();
    if (epoch > EPOCH_MAX) throw new BadFrame('no epoch is that late');
    const crc = reader.uint32();
    if (reader.remaining !== length) throw new BadFrame(`the head says ${length} bytes, ${reader.remaining} came`);
    if (checksum(frame) !== crc) throw new BadFrame('the checksum does not match');
    const message = readPayload(type, reader);
    if (reader.remaining !== 0) throw new BadFrame('bytes are left over behind the payload');
    return { epoch, message };
  } catch (error) {
    if (error instanceof BadFrame) throw error;
    throw new BadFrame(messageOf(error), { cause: error });
  }
}

/** What a frame says to be, without reading it: who has not proven itself is listened to for few types only. */
export function frameType(bytes: Uint8Array): Message['type'] | null {
  return NAMES.get(bytes[0] ?? 0) ?? null;
}

function checksum(frame: Buffer): number {
  return crc32(frame.subarray(FRAME_HEAD_BYTES), crc32(frame.subarray(0, CRC_AT)));
}

function readPayload(type: number, reader: ByteReader): Message {
  switch (type) {
    case TYPES.entries:
      return readEntries(reader);
    case TYPES.ack:
      return {
        type: 'ack',
        diverged: reader.uint8() === 1,
        receivedBytes: reader.uint64(),
        receivedSeq: reader.uint64(),
        durableSeq: reader.uint64(),
        appliedSeq: reader.uint64(),
        heartbeat: reader.uint64(),
        digest: reader.bytes(DIGEST_BYTES),
      };
    case TYPES.heartbeat:
      return readHeartbeat(reader);
    case TYPES.snapshotChunk:
      return {
        type: 'snapshotChunk',
        snapshotId: Buffer.from(reader.bytes(ID_BYTES)).toString('hex'),
        number: reader.uint32(),
        bytes: reader.rest(),
      };
    default:
      return readControl(nameOf(type), reader.rest());
  }
}

const ID_BYTES = 16;
const NAMES = new Map<number, Message['type']>(Object.entries(TYPES).map(([name, type]) => [type, name as Message['type']]));

function nameOf(type: number): string {
  const name = NAMES.get(type);
  if (name === undefined) throw new BadFrame(`frame type ${type} is not known to this build`);
  return name;
}

function readEntries(reader: ByteReader): EntriesFrame {
  const firstSeq = reader.uint64();
  const count = reader.count32(4);
  const hashBefore = reader.bytes(CHAIN_HASH_BYTES);
  const hashAfter = reader.bytes(CHAIN_HASH_BYTES);
  const entries = new Array<Uint8Array>(count);
  for (let i = 0; i < count; i++) entries[i] = reader.sized32();
  if (count === 0) throw new BadFrame('a frame of entries holds none');
  return { type: 'entries', firstSeq, hashBefore, hashAfter, entries };
}

function readHeartbeat(reader: ByteReader): HeartbeatFrame {
  const number = reader.uint64();
  const lastSeq = reader.uint64();
  const commitSeq = reader.uint64();
  const lag = reader.uint64();
  const digest = reader.bytes(DIGEST_BYTES);
  const count = reader.uint16();
  if (count * ID_BYTES !== reader.remaining) throw new BadFrame('a count does not fit what follows');
  const path = new Array<string>(count);
  for (let i = 0; i < count; i++) path[i] = Buffer.from(reader.bytes(ID_BYTES)).toString('hex');
  return { type: 'heartbeat', number, lastSeq, commitSeq, lagMs: lag === 0 ? null : lag - 1, digest, path };
}

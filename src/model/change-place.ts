/** Places in the change feed, and their tokens: what is behind a reader, exactly.
 *
 *  A place between two entries is a position and has its token. Any other has
 *  token = base64url( u8 version=2 | 16 bytes history id | u64 BE epoch | u64 BE seq | u64 BE after seq | u32 BE done [ | scan ] )
 *  scan  = u64 BE stage [ | u8 1 | u64 BE integer ] or [ | u8 2 | UTF-8 of a string ]
 *  History, epoch and seq are of the position that a node must have. Canonical: equal strings ⇔ equal places.
 *
 *  Invariant: all that a reader has seen lies within `position`; so a node whose data does not continue it says PositionLost, and never leaves out or
 *  repeats a change. Must not know: entries, requests. */

import { invalidRequest } from './errors.js';
import { FIXED } from './limits.js';
import type { PointId } from './point.js';
import { decodeToken, encodeToken, type Position } from './position.js';

/** How far a snapshot has been read. The uid of a collection whose settings were told and whose points up to `after` are behind the reader;
 *  0: nothing yet; SCAN_ALIASES: all collections, and aliases up to the name `after`. */
export interface ScanPlace {
  readonly stage: number;
  readonly after: PointId | null;
}

export interface ChangePlace {
  readonly position: Position;
  /** Entries up to this seq are behind the reader; in a snapshot: those that it contains. */
  readonly afterSeq: number;
  /** So many points of the next entry are, too. */
  readonly done: number;
  /** Null: in the log. */
  readonly scan: ScanPlace | null;
}

/** Behind the last collection. */
export const SCAN_ALIASES = FIXED.collectionUidMax + 1;

const VERSION = 2;
const LOG_BYTES = 45;
const SCAN_AT = LOG_BYTES + 8;
const [INTEGER, STRING] = [1, 2];

/** Between two entries. */
export function placeAt(position: Position): ChangePlace {
  return { position, afterSeq: position.seq, done: 0, scan: null };
}

function isPosition({ position, afterSeq, done, scan }: ChangePlace): boolean {
  return scan === null && done === 0 && afterSeq === position.seq;
}

export function encodeChangeToken(place: ChangePlace): string {
  return isPosition(place) ? encodeToken(place.position) : bytesOf(place).toString('base64url');
}

function bytesOf({ position, afterSeq, done, scan }: ChangePlace): Buffer {
  const head = Buffer.alloc(scan === null ? LOG_BYTES : SCAN_AT);
  head.writeUInt8(VERSION, 0);
  head.write(position.historyId, 1, 'hex');
  head.writeBigUInt64BE(BigInt(position.epoch), 17);
  head.writeBigUInt64BE(BigInt(position.seq), 25);
  head.writeBigUInt64BE(BigInt(afterSeq), 33);
  head.writeUInt32BE(done, 41);
  if (scan === null) return head;
  head.writeBigUInt64BE(BigInt(scan.stage), LOG_BYTES);
  return scan.after === null ? head : Buffer.concat([head, idBytes(scan.after)]);
}

function idBytes(id: PointId): Buffer {
  if (typeof id === 'string') return Buffer.concat([Buffer.from([STRING]), Buffer.from(id)]);
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8(INTEGER, 0);
  bytes.writeBigUInt64BE(BigInt(id), 1);
  return bytes;
}

/** Tokens of places within one entry: they differ in their last letters alone. Cost: a tenth of encodeChangeToken. */
export function tokensWithin(place: ChangePlace): (done: number) => string {
  const bytes = bytesOf({ ...place, done: 0, scan: null });
  const start = bytes.toString('base64url', 0, LOG_BYTES - 3);
  const rest = Buffer.alloc(3);
  return (done) => {
    rest.writeUIntBE(done, 0, 3);
    return start + rest.toString('base64url');
  };
}

/** @param text of a position or of a place  @throws InvalidRequest naming `path` when it is neither, in its canonical form */
export function decodeChangeToken(text: string, path: string): ChangePlace {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < LOG_BYTES) return placeAt(decodeToken(text, path));
  const place = readPlace(bytes);
  if (place === null || encodeChangeToken(place) !== text)
    throw invalidRequest(path, 'not a token of a change feed of this server');
  return place;
}

function readPlace(bytes: Buffer): ChangePlace | null {
  if (bytes.readUInt8(0) !== VERSION) return null;
  const [epoch, seq, afterSeq] = [17, 25, 33].map((at) => integerAt(bytes, at));
  const scan = bytes.length === LOG_BYTES ? null : readScan(bytes);
  if (epoch === undefined || seq === undefined || afterSeq === undefined || scan === undefined) return null;
  const done = bytes.readUInt32BE(41);
  const position = { historyId: bytes.toString('hex', 1, 17), epoch, seq };
  // Whoever has seen a part of an entry has seen that it is there.
  if (epoch === 0 || afterSeq + (done > 0 ? 1 : 0) > seq || done > FIXED.entryPointsMax || (scan !== null && done > 0))
    return null;
  return { position, afterSeq, done, scan };
}

/** @returns undefined when it is none */
function readScan(bytes: Buffer): ScanPlace | undefined {
  const stage = bytes.length < SCAN_AT ? undefined : integerAt(bytes, LOG_BYTES);
  if (stage === undefined || stage > SCAN_ALIASES) return undefined;
  if (bytes.length === SCAN_AT) return { stage, after: null };
  const after = bytes.subarray(SCAN_AT);
  if (after.readUInt8(0) === INTEGER && after.length === 9) {
    const id = integerAt(after, 1);
    return id === undefined ? undefined : { stage, after: id };
  }
  if (after.readUInt8(0) !== STRING || after.length === 1 || after.length > FIXED.idBytesMax + 1) return undefined;
  return { stage, after: after.toString('utf8', 1) };
}

function integerAt(bytes: Buffer, at: number): number | undefined {
  const value = bytes.readBigUInt64BE(at);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(value);
}

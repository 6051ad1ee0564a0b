/** The byte form of a log entry, the same on disk and on the wire.
 *
 *  entry  = u8 version=1 | u8 kind | u16 LE flags (1 last of unit, 2 digest, 4 trace) | u32 LE body length
 *           | u64 LE epoch | u64 LE seq | u64 LE first seq of unit | u64 LE time ms | [16 bytes digest] | [u8 length, trace] | body
 *  kinds  1 noop · 2 put_points · 3 delete_points · 4 create_collection · 5 update_collection · 6 drop_collection · 7 remember
 *         8 begin_history · 9 put_voter · 10 remove_voter · 11 put_alias · 12 remove_alias · 13 put_key · 14 remove_key
 *  put    = u64 uid | u32 count | { u16 id length, id, u64 expires_at+1 (0: never), u32 length, vector set, u32 length, payload }*
 *  delete = u64 uid | u32 count | { u16 id length, id }*
 *  create = u64 uid | u16 name length | name | spec JSON         update = u64 uid | spec JSON         drop = u64 uid
 *  remember = 32 bytes scope | 32 bytes body hash | results JSON
 *  begin_history = 16 bytes history id | 16 bytes node id
 *  put_voter = 16 bytes node id | u16 port | host                remove_voter = 16 bytes node id
 *  put_alias = u64 uid | name                                    remove_alias = name
 *  put_key = key JSON (codec/access-key.ts)                      remove_key = key id
 *  Deterministic: one entry has one byte form. A CRC and the chain hash stand beside it in the log and in frames.
 *  History: version 1 (2026-11), kinds 8 to 10 (2026-11), kinds 11 and 12 (2026-11), kinds 13 and 14 (2026-11).
 *  Golden file tests/codec/entry-v1.golden. */

import type { Effect, Entry, PointValue } from '../model/entry.js';
import { decodeAccessKey, encodeAccessKey } from './access-key.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { decodeSpec, encodeSpec } from './collection-spec.js';
import { DIGEST_BYTES } from './digest.js';
import { decodePointId, encodePointId } from './point-id.js';

const VERSION = 1;
const FLAG_LAST = 1;
const FLAG_DIGEST = 2;
const FLAG_TRACE = 4;
const SHA256_BYTES = 32;
const ID_BYTES = 16;
const KINDS = {
  noop: 1,
  put_points: 2,
  delete_points: 3,
  create_collection: 4,
  update_collection: 5,
  drop_collection: 6,
  remember: 7,
  begin_history: 8,
  put_voter: 9,
  remove_voter: 10,
  put_alias: 11,
  remove_alias: 12,
  put_key: 13,
  remove_key: 14,
} as const satisfies Record<Effect['kind'], number>;

export function encodeEntry(entry: Entry): Buffer {
  const body = new ByteWriter();
  writeEffect(body, entry.effect);
  const flags =
    (entry.last ? FLAG_LAST : 0) | (entry.digest === null ? 0 : FLAG_DIGEST) | (entry.trace === null ? 0 : FLAG_TRACE);
  const out = new ByteWriter();
  out.uint8(VERSION);
  out.uint8(KINDS[entry.effect.kind]);
  out.uint16(flags);
  out.uint32(body.length);
  out.uint64(entry.epoch);
  out.uint64(entry.seq);
  out.uint64(entry.firstSeq);
  out.uint64(entry.timeMs);
  if (entry.digest !== null) out.bytes(entry.digest);
  if (entry.trace !== null) {
    const trace = Buffer.from(entry.trace, 'latin1');
    out.uint8(trace.length);
    out.bytes(trace);
  }
  return out.finish(body);
}

function writeEffect(out: ByteWriter, effect: Effect): void {
  switch (effect.kind) {
    case 'noop':
      return;
    case 'put_points':
      out.uint64(effect.uid);
      out.uint32(effect.points.length);
      for (const point of effect.points) writePoint(out, point);
      return;
    case 'delete_points':
      out.uint64(effect.uid);
      out.uint32(effect.ids.length);
      for (const id of effect.ids) out.sized16(encodePointId(id));
      return;
    case 'create_collection':
      out.uint64(effect.uid);
      out.sized16(Buffer.from(effect.name));
      out.bytes(encodeSpec(effect.spec));
      return;
    case 'update_collection':
      out.uint64(effect.uid);
      out.bytes(encodeSpec(effect.spec));
      return;
    case 'drop_collection':
      out.uint64(effect.uid);
      return;
    case 'remember':
      out.bytes(effect.scope);
      out.bytes(effect.body);
      out.bytes(effect.results);
      return;
    case 'begin_history':
      out.bytes(idBytes(effect.historyId));
      out.bytes(idBytes(effect.nodeId));
      return;
    case 'put_voter':
      out.bytes(idBytes(effect.nodeId));
      out.uint16(effect.port);
      out.bytes(Buffer.from(effect.host));
      return;
    case 'remove_voter':
      out.bytes(idBytes(effect.nodeId));
      return;
    case 'put_alias':
      out.uint64(effect.uid);
      out.bytes(Buffer.from(effect.name));
      return;
    case 'remove_alias':
      out.bytes(Buffer.from(effect.name));
      return;
    case 'put_key':
      out.bytes(encodeAccessKey(effect.key));
      return;
    case 'remove_key':
      out.bytes(Buffer.from(effect.id));
  }
}

function writePoint(out: ByteWriter, point: PointValue): void {
  out.sized16(encodePointId(point.id));
  out.uint64(point.expiresAtMs === null ? 0 : point.expiresAtMs + 1);
  out.sized32(point.vectorSet);
  out.sized32(point.payload);
}

/** @throws RangeError when the id is not 32 lower-case hex digits */
function idBytes(id: string): Buffer {
  const bytes = Buffer.from(id, 'hex');
  if (bytes.length !== ID_BYTES || bytes.toString('hex') !== id) throw new RangeError(`'${id}' is not an id of 32 hex digits`);
  return bytes;
}

/** Reads the head of an entry without its body. Cost: constant. */
export function readEntryHead(bytes: Uint8Array): Omit<Entry, 'effect'> {
  return readHead(new ByteReader(bytes)).head;
}

/** What is bytes in it are views. @throws Error when the bytes are not one whole entry of a known version and kind */
export function decodeEntry(bytes: Uint8Array): Entry {
  const reader = new ByteReader(bytes);
  const { head, kind, bodyLength } = readHead(reader);
  if (reader.remaining !== bodyLength) throw new RangeError('the entry has another length than its head says');
  const effect = readEffect(reader, kind);
  if (reader.remaining !== 0) throw new RangeError('bytes are left over behind the entry');
  return { ...head, effect };
}

function readHead(reader: ByteReader): { head: Omit<Entry, 'effect'>; kind: number; bodyLength: number } {
  const version = reader.uint8();
  if (version !== VERSION) throw new RangeError(`entry version ${version} is not known to this build`);
  const kind = reader.uint8();
  const flags = reader.uint16();
  const bodyLength = reader.uint32();
  const epoch = reader.uint64();
  const seq = reader.uint64();
  const firstSeq = reader.uint64();
  const timeMs = reader.uint64();
  const digest = (flags & FLAG_DIGEST) === 0 ? null : reader.bytes(DIGEST_BYTES);
  const trace = (flags & FLAG_TRACE) === 0 ? null : Buffer.from(reader.bytes(reader.uint8())).toString('latin1');
  return { head: { seq, epoch, firstSeq, last: (flags & FLAG_LAST) !== 0, timeMs, trace, digest }, kind, bodyLength };
}

function readEffect(reader: ByteReader, kind: number): Effect {
  switch (kind) {
    case KINDS.noop:
      return { kind: 'noop' };
    case KINDS.put_points: {
      const uid = reader.uint64();
      const points = new Array<PointValue>(reader.count32(18));
      for (let i = 0; i < points.length; i++) points[i] = readPoint(reader);
      return { kind: 'put_points', uid, points };
    }
    case KINDS.delete_points: {
      const uid = reader.uint64();
      const ids = new Array(reader.count32(2));
      for (let i = 0; i < ids.length; i++) ids[i] = decodePointId(reader.sized16());
      return { kind: 'delete_points', uid, ids };
    }
    case KINDS.create_collection: {
      const uid = reader.uint64();
      const name = Buffer.from(reader.sized16()).toString();
      return { kind: 'create_collection', uid, name, spec: decodeSpec(reader.rest()) };
    }
    case KINDS.update_collection:
      return { kind: 'update_collection', uid: reader.uint64(), spec: decodeSpec(reader.rest()) };
    case KINDS.drop_collection:
      return { kind: 'drop_collection', uid: reader.uint64() };
    case KINDS.remember:
      return {
        kind: 'remember',
        scope: reader.bytes(SHA256_BYTES),
        body: reader.bytes(SHA256_BYTES),
        results: reader.rest(),
      };
    case KINDS.begin_history:
      return { kind: 'begin_history', historyId: readId(reader), nodeId: readId(reader) };
    case KINDS.put_voter: {
      const nodeId = readId(reader);
      const port = reader.uint16();
      return { kind: 'put_voter', nodeId, host: Buffer.from(reader.rest()).toString(), port };
    }
    case KINDS.remove_voter:
      return { kind: 'remove_voter', nodeId: readId(reader) };
    case KINDS.put_alias: {
      const uid = reader.uint64();
      return { kind: 'put_alias', name: Buffer.from(reader.rest()).toString(), uid };
    }
    case KINDS.remove_alias:
      return { kind: 'remove_alias', name: Buffer.from(reader.rest()).toString() };
    case KINDS.put_key:
      return { kind: 'put_key', key: decodeAccessKey(reader.rest()) };
    case KINDS.remove_key:
      return { kind: 'remove_key', id: Buffer.from(reader.rest()).toString() };
    default:
      throw new RangeError(`entry kind ${kind} is not known to this build`);
  }
}

function readId(reader: ByteReader): string {
  const bytes = reader.bytes(ID_BYTES);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function readPoint(reader: ByteReader): PointValue {
  const id = decodePointId(reader.sized16());
  const expires = reader.uint64();
  const vectorSet = reader.sized32();
  const payload = reader.sized32();
  return { id, vectorSet, payload, expiresAtMs: expires === 0 ? null : expires - 1 };
}

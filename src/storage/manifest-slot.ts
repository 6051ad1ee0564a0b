/** The byte form of one slot of the manifest: 512 bytes, one disk sector.
 *
 *    slot = "SKMF" | u32 LE slot version=1 | u64 LE generation | u32 LE length | JSON, zero-padded to 508 | u32 LE CRC32 of the 508 bytes
 *    A slot of zeros is empty. Of two intact slots the greater generation counts; generation g belongs into slot g mod 2.
 *  History: version 1 (2026-11). */

import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter } from '../codec/bytes.js';

export const SLOT_BYTES = 512;
export const MANIFEST_FORMAT = 1;
const MAGIC = Buffer.from('SKMF');
const SLOT_VERSION = 1;
const CRC_AT = SLOT_BYTES - 4;

export type ManifestRole = 'master' | 'replica';

export interface ManifestRecord {
  readonly format: typeof MANIFEST_FORMAT;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly historyId: string;
  readonly epoch: number;
  readonly role: ManifestRole;
  /** Last seq that was durable in the store. */
  readonly lastSeq: number;
  /** Live collections and live points at lastSeq. */
  readonly counts: { readonly collections: number; readonly points: number };
  readonly cleanShutdown: boolean;
  /** Names the start of the machine or process that wrote it, at most 64 characters. */
  readonly bootId: string;
}

export interface Slot {
  readonly generation: number;
  readonly record: ManifestRecord;
}

/** @throws RangeError when the record does not fit (ids of 32 digits and a bootId of 64 characters do) */
export function encodeSlot({ generation, record }: Slot): Buffer {
  const json = Buffer.from(JSON.stringify(record));
  const out = new ByteWriter();
  out.bytes(MAGIC);
  out.uint32(SLOT_VERSION);
  out.uint64(generation);
  out.sized32(json);
  if (out.length > CRC_AT) throw new RangeError(`a manifest record of ${json.length} bytes does not fit into its slot`);
  out.bytes(new Uint8Array(CRC_AT - out.length));
  const body = out.finish();
  const slot = Buffer.alloc(SLOT_BYTES);
  slot.set(body);
  slot.writeUInt32LE(crc32(body), CRC_AT);
  return slot;
}

/** @returns the slot, 'empty' for zeros, or what is wrong with it, as the end of a sentence */
export function decodeSlot(bytes: Buffer): Slot | string {
  if (bytes.every((byte) => byte === 0)) return 'empty';
  if (bytes.length !== SLOT_BYTES) return 'is cut off';
  if (crc32(bytes.subarray(0, CRC_AT)) !== bytes.readUInt32LE(CRC_AT)) return 'fails its checksum';
  const reader = new ByteReader(bytes.subarray(0, CRC_AT));
  if (!MAGIC.equals(reader.bytes(4))) return 'is not a slot of a manifest';
  const version = reader.uint32();
  if (version !== SLOT_VERSION) return `has version ${version}, which this build does not know`;
  const generation = reader.uint64();
  const record = JSON.parse(Buffer.from(reader.sized32()).toString()) as ManifestRecord;
  return { generation, record };
}

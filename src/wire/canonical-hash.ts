/** What a write asks for, as 32 bytes: equal for JSON and MessagePack, for any spacing, order of fields or spelling of numbers.
 *
 *  SHA-256 over the operations in their decoded form: kinds, names, ids, float bits, payloads with their keys in order, versions, times.
 *  Every part is preceded by its length, so that no two lists of parts run together. */

import { createHash, type Hash } from 'node:crypto';
import { encodePointId } from '../codec/point-id.js';
import { encodeVectorSet } from '../codec/vector-set.js';
import type { Operation } from '../model/operation.js';
import type { PayloadChange } from '../model/payload-change.js';
import type { JsonValue, PointBlock, PointId } from '../model/point.js';
import type { UncheckedCreate } from './batch-body.js';

export function operationsHash(operations: readonly (Operation | UncheckedCreate)[]): Uint8Array {
  const hash = createHash('sha256');
  for (const operation of operations) addOperation(hash, operation);
  // A copy, because a digest may lie in a buffer that is shared and cannot be moved to another thread.
  return new Uint8Array(hash.digest());
}

/** Scope of an idempotency key: the same key means another thing on another path or for another caller. */
export function scopeHash(parts: readonly string[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) addText(hash, part);
  return new Uint8Array(hash.digest());
}

/** Plain data with its keys in order. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value as Readonly<Record<string, JsonValue | undefined>>).filter(
    ([, field]) => field !== undefined,
  );
  fields.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalText(field)}`).join(',')}}`;
}

function addOperation(hash: Hash, operation: Operation | UncheckedCreate): void {
  addText(hash, operation.kind === 'unchecked_create' ? 'create_collection' : operation.kind);
  addText(hash, operation.kind === 'delete_alias' ? operation.alias : operation.collection);
  switch (operation.kind) {
    case 'upsert': {
      const { ids, vectors, payloadBytes, payloadEnds, ifVersions, expiresAt } = operation.points;
      addIds(hash, ids);
      addBytes(hash, vectors);
      payloadEnds.forEach((end, i) => {
        addPayload(hash, payloadBytes.subarray(i === 0 ? 0 : payloadEnds[i - 1], end));
      });
      for (const column of [ifVersions, expiresAt]) addBytes(hash, column);
      if (operation.only !== undefined) addText(hash, canonicalText(operation.only));
      addVectors(hash, operation.points);
      return;
    }
    case 'patch':
      addIds(
        hash,
        operation.patches.map((patch) => patch.id),
      );
      for (const { vector, vectors, unsetVectors, payload, unset, ifVersion, change } of operation.patches) {
        addBytes(hash, vector ?? null);
        addPayload(hash, payload ?? null);
        addText(hash, canonicalText([unset ?? null, ifVersion ?? null]));
        // Only where there are any: what was hashed before there were names must stay what it was.
        if (vectors !== undefined) addBytes(hash, encodeVectorSet(vectors));
        if (unsetVectors !== undefined) addText(hash, canonicalText(['unset_vectors', ...unsetVectors]));
        if (change !== undefined) addChange(hash, change);
      }
      if (operation.where !== undefined) addText(hash, canonicalText(operation.where));
      return;
    case 'delete':
      addIds(hash, operation.ids);
      addText(hash, canonicalText(operation.where ?? null));
      return;
    case 'create_collection':
    case 'unchecked_create':
      addText(hash, canonicalText(operation.spec));
      return;
    case 'update_collection':
      addText(hash, canonicalText(operation.change));
      return;
    case 'put_alias':
      addText(hash, operation.alias);
      return;
    case 'delete_collection':
    case 'delete_alias':
      return;
  }
}

function addChange(hash: Hash, change: PayloadChange): void {
  const { kind } = change;
  addText(hash, canonicalText(kind === 'remove' ? [kind, change.paths] : [kind, kind === 'set' ? (change.at ?? null) : null]));
  if (kind !== 'remove') addPayload(hash, change.payload);
}

/** What there was before there were names adds nothing. */
function addVectors(hash: Hash, { hasVector, named }: PointBlock): void {
  if (hasVector) addBytes(hash, hasVector);
  if (!named) return;
  addBytes(hash, named.bytes);
  addBytes(hash, named.ends);
}

/** A payload is stored with its keys as they came; who builds the same request twice may well put them in another order. */
function addPayload(hash: Hash, text: Uint8Array | null): void {
  if (text === null || text.length === 0) addBytes(hash, text);
  else addText(hash, canonicalText(JSON.parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString())));
}

function addIds(hash: Hash, ids: readonly PointId[]): void {
  addText(hash, String(ids.length));
  for (const id of ids) addBytes(hash, encodePointId(id));
}

function addText(hash: Hash, text: string): void {
  addBytes(hash, Buffer.from(text));
}

/** null has a length that no bytes have. */
function addBytes(hash: Hash, bytes: ArrayBufferView | null): void {
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32LE(bytes === null ? 0xffffffff : bytes.byteLength);
  hash.update(head);
  if (bytes !== null) hash.update(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

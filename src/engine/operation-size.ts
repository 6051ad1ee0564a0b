/** How much memory a request holds, for the bound of the write queue, and which of its buffers can be moved instead of copied. */

import { vectorBytes } from '../model/answer-budget.js';
import type { Operation } from '../model/operation.js';

const PER_OPERATION = 256;
const PER_POINT = 96;
/** Below this a copy is cheaper than giving a buffer away. */
export const MOVE_BYTES_MIN = 64 * 1024;

/** Bytes of memory, estimated from above for what is large. */
export function operationBytes(operations: readonly Operation[]): number {
  let bytes = 0;
  for (const operation of operations) {
    bytes += PER_OPERATION;
    if (operation.kind === 'upsert') {
      const { ids, vectors, payloadBytes, named } = operation.points;
      bytes += ids.length * PER_POINT + vectors.byteLength + payloadBytes.byteLength + (named?.bytes.byteLength ?? 0);
    } else if (operation.kind === 'patch') {
      for (const patch of operation.patches)
        bytes +=
          PER_POINT +
          (patch.vector?.byteLength ?? 0) +
          (patch.payload?.byteLength ?? 0) +
          (patch.vectors === undefined ? 0 : vectorBytes(patch.vectors));
      // One change may be that of many points.
      for (const change of new Set(operation.patches.map((patch) => patch.change)))
        if (change !== undefined && 'payload' in change) bytes += change.payload.byteLength;
    } else if (operation.kind === 'delete') {
      bytes += operation.ids.length * PER_POINT;
    } else if (operation.kind === 'create_collection') {
      bytes += 2 * JSON.stringify(operation.spec).length;
    } else if (operation.kind === 'update_collection') {
      bytes += 2 * JSON.stringify(operation.change).length;
    }
  }
  return bytes;
}

/** Buffers of large upserts that belong to them alone. The caller of Engine.write gives them away. */
export function givenAway(operations: readonly Operation[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const operation of operations) {
    if (operation.kind !== 'upsert') continue;
    const { vectors, payloadBytes, named } = operation.points;
    for (const part of [vectors, payloadBytes, ...(named ? [named.bytes] : [])]) {
      const whole = part.byteLength >= MOVE_BYTES_MIN && part.byteLength === part.buffer.byteLength;
      if (whole && part.buffer instanceof ArrayBuffer) buffers.add(part.buffer);
    }
  }
  return [...buffers];
}

/** The byte form of a collection's spec: canonical JSON (fixed key order), version first.
 *  Part of the digest, so its bytes are deterministic. History: v 1 (2026-11). */

import type { CollectionSpec } from '../model/collection.js';
import { DISTANCES, type Distance } from '../model/distance.js';

const VERSION = 1;

export function encodeSpec(spec: CollectionSpec): Buffer {
  const { m, efConstruct, efSearch } = spec.hnsw;
  return Buffer.from(
    JSON.stringify({
      v: VERSION,
      dimension: spec.dimension,
      distance: spec.distance,
      hnsw: { m, efConstruct, efSearch },
      ttlMs: spec.ttlMs,
      createdAtMs: spec.createdAtMs,
    }),
  );
}

/** @throws RangeError when the bytes are not a spec of a known version */
export function decodeSpec(bytes: Uint8Array): CollectionSpec {
  const { v, ...spec } = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(),
  ) as CollectionSpec & {
    v: number;
  };
  if (v !== VERSION || !DISTANCES.includes(spec.distance as Distance)) {
    throw new RangeError('not a collection spec of a version known to this build');
  }
  return spec;
}

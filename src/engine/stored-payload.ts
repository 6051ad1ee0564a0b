/** The payload of a row as a value. Must not know: rows, indexes. */

import type { Payload } from '../model/point.js';

/** No bytes mean an empty payload. Cost: JSON.parse. */
export function payloadOf({ payload }: { readonly payload: Uint8Array }): Payload {
  if (payload.length === 0) return {};
  return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString()) as Payload;
}

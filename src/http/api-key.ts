/** The one admin key: `Authorization: Bearer …` or `api-key: …`, compared in constant time.
 *  Digests are compared, so that neither the length nor a common beginning shows in the time it takes. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SkeinError } from '../model/errors.js';

export type KeyCheck = (headers: IncomingHttpHeaders) => void;

/** @param key null: everybody may do everything @returns a check that throws Unauthorized */
export function keyCheck(key: Uint8Array | null): KeyCheck {
  if (key === null) return () => {};
  const expected = digest(key);
  return (headers) => {
    const given = givenKey(headers);
    if (given === undefined)
      throw new SkeinError('Unauthorized', 'This server asks for a key: Authorization: Bearer … or api-key: …');
    // Header bytes arrive as latin1 text.
    if (!timingSafeEqual(digest(Buffer.from(given, 'latin1')), expected))
      throw new SkeinError('Unauthorized', 'The key is not known');
  };
}

function givenKey(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const bearer = /^Bearer +(\S+)$/i.exec(authorization);
    if (bearer !== null) return bearer[1];
  }
  const key = headers['api-key'];
  return typeof key === 'string' ? key : undefined;
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

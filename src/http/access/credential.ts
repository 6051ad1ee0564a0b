/** What a request shows of itself, and the form of access keys: `skn_<16 hex digits>_<43 characters of base64url>`. */

import { hash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const ACCESS_KEY = /^skn_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
const BEARER = /^Bearer +(\S+)$/i;

/** `Authorization: Bearer …` or `api-key: …`; undefined when there is neither. */
export function givenCredential(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const bearer = BEARER.exec(authorization);
    if (bearer !== null) return bearer[1];
  }
  const key = headers['api-key'];
  return typeof key === 'string' ? key : undefined;
}

/** The parts of an access key, or null when a text is none. */
export function accessKeyParts(text: string): { readonly id: string; readonly secret: string } | null {
  const parts = ACCESS_KEY.exec(text);
  return parts === null ? null : { id: parts[1] as string, secret: parts[2] as string };
}

export function newKeyId(): string {
  return randomBytes(ID_BYTES).toString('hex');
}

/** 256 random bits, as text. */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

export function accessKeyText(id: string, secret: string): string {
  return `skn_${id}_${secret}`;
}

/** SHA-256 of the text of a secret, in memory of its own. */
export function secretHash(secret: string): Uint8Array {
  return Uint8Array.from(hash('sha256', secret, 'buffer'));
}

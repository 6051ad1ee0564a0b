/** The byte form of an access key: canonical JSON (fixed key order), version first; hashes as hex digits. Never the secret.
 *
 *  Part of the digest, so its bytes are deterministic: one key has one byte form.
 *  History: v 1 (2026-11). Golden file tests/codec/access-key-v1.golden. */

import { type AccessKey, KEY_ROLES, type KeyRole } from '../model/access-key.js';

const HASH = /^[0-9a-f]{64}$/;
const ID = /^[0-9a-f]{16}$/;

export function encodeAccessKey(key: AccessKey): Buffer {
  const { rateLimit, previous } = key;
  return Buffer.from(
    JSON.stringify({
      v: 1,
      id: key.id,
      name: key.name,
      role: key.role,
      scope: key.scope,
      rateLimit: rateLimit === null ? null : { perSecond: rateLimit.perSecond, burst: rateLimit.burst },
      createdAtMs: key.createdAtMs,
      expiresAtMs: key.expiresAtMs,
      rotatedAtMs: key.rotatedAtMs,
      hash: Buffer.from(key.hash).toString('hex'),
      previous: previous === null ? null : { hash: Buffer.from(previous.hash).toString('hex'), untilMs: previous.untilMs },
    }),
  );
}

type Encoded = Omit<AccessKey, 'hash' | 'previous'> & {
  readonly v: number;
  readonly hash: string;
  readonly previous: { readonly hash: string; readonly untilMs: number } | null;
};

/** @throws RangeError when the bytes are not a key of a known version, or one with a role that this build does not know */
export function decodeAccessKey(bytes: Uint8Array): AccessKey {
  const { v, hash, previous, ...fields } = parsed(bytes);
  const known =
    v === 1 &&
    ID.test(fields.id) &&
    (KEY_ROLES as readonly KeyRole[]).includes(fields.role) &&
    HASH.test(hash) &&
    (previous === null || HASH.test(previous.hash));
  if (!known) throw unknownKey();
  return {
    ...fields,
    hash: bytesOf(hash),
    previous: previous === null ? null : { hash: bytesOf(previous.hash), untilMs: previous.untilMs },
  };
}

function parsed(bytes: Uint8Array): Encoded {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch {
    throw unknownKey();
  }
  if (typeof value !== 'object' || value === null) throw unknownKey();
  return value as Encoded;
}

/** A plain array of bytes: what crosses threads must not be a part of a shared pool. */
function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function unknownKey(): RangeError {
  return new RangeError('not an access key of a version known to this build');
}

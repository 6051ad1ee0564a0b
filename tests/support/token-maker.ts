/** Keys of every kind that tokens can be signed with, and tokens. RSA is made once for the whole file, because it takes a while. */

import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import type { TokenKey, TokenRules } from '../../src/http/token-rules.js';

export type Algorithm = TokenKey['algorithm'];

export interface SigningKey {
  readonly algorithm: Algorithm;
  /** Signs. */
  readonly own: KeyObject | Uint8Array;
  /** PEM; for HS256 the secret itself. */
  readonly shared: string;
  /** As a member of a set. */
  jwk(kid?: string): Record<string, unknown>;
}

const RSA = generateKeyPairSync('rsa', { modulusLength: 2_048 });

export function signingKey(algorithm: Algorithm): SigningKey {
  if (algorithm === 'HS256') {
    const secret = randomBytes(32).toString('base64url');
    const k = Buffer.from(secret).toString('base64url');
    return { algorithm, own: Buffer.from(secret), shared: secret, jwk: (kid) => ({ kty: 'oct', k, ...(kid && { kid }) }) };
  }
  const pair = {
    RS256: () => RSA,
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
  }[algorithm]();
  return {
    algorithm,
    own: pair.privateKey,
    shared: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    jwk: (kid) => ({ ...pair.publicKey.export({ format: 'jwk' }), ...(kid && { kid }) }),
  };
}

/** @param claims in the place of those of a good token of five minutes; undefined takes one away */
export function tokenOf(
  key: SigningKey,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Promise<string> {
  const nowS = Math.floor(Date.now() / 1_000);
  const payload = { sub: 'somebody', exp: nowS + 300, role: 'read', ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: key.algorithm, ...header }).sign(key.own);
}

export const PLAIN_RULES: Omit<TokenRules, 'keys'> = {
  issuer: null,
  audience: null,
  roleClaim: 'role',
  collectionsClaim: 'collections',
  clockToleranceMs: 30_000,
  lifeMsMax: 86_400_000,
  rateLimit: null,
};

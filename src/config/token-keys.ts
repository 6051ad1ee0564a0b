/** The keys that JSON Web Tokens are checked with, read from a secret, a public key or a set of keys (JWKS, RFC 7517).
 *
 *  Invariant: the algorithm comes from the kind of the key and from nowhere else, so that no token can choose it; a public key is never
 *  taken for a secret. No key is part of a message. Must not know: tokens. */

import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { messageOf } from '../model/errors.js';
import { readKeyLines } from './api-key.js';
import type { ValuesOf } from './field.js';
import { Secret } from './secret.js';
import type { TOKEN_FIELDS } from './token-fields.js';

export type TokenAlgorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA';

export interface TokenKey {
  readonly algorithm: TokenAlgorithm;
  /** The kid of a set; null: it has no name. */
  readonly id: string | null;
  readonly key: KeyObject;
}

export interface TokenKeyReading {
  readonly keys: readonly TokenKey[];
  /** What must not be printed. */
  readonly secrets: readonly Secret[];
  readonly warnings: readonly string[];
}

export type TokenKeyPaths = Pick<ValuesOf<typeof TOKEN_FIELDS>, 'tokenSecretFile' | 'tokenPublicKeyFile' | 'tokenJwksFile'>;

/** As long as what HS256 makes of it (RFC 7518 §3.2). */
const SECRET_BYTES_MIN = 32;
const RSA_BITS_MIN = 2_048;
const SET_KEYS_MAX = 100;

/** Reads the one file that is named. @throws Error naming the file, and the key of it, that cannot be used */
export function readTokenKeys({ tokenSecretFile, tokenPublicKeyFile, tokenJwksFile }: TokenKeyPaths): TokenKeyReading {
  if (tokenSecretFile !== null) return readSecret(tokenSecretFile);
  if (tokenPublicKeyFile !== null) return readPublicKey(tokenPublicKeyFile);
  if (tokenJwksFile !== null) return readSet(tokenJwksFile);
  return { keys: [], secrets: [], warnings: [] };
}

function readSecret(path: string): TokenKeyReading {
  const { lines, warnings } = readKeyLines(path);
  const secret = lines[0] ?? '';
  if (secret.startsWith('-----BEGIN '))
    throw new Error(`the file ${path} is PEM, not a secret; token_public_key_file takes a public key`);
  return { keys: [secretKey(Buffer.from(secret), null, `the first line of ${path}`)], secrets: [new Secret(secret)], warnings };
}

function readPublicKey(path: string): TokenKeyReading {
  const text = readKeyLines(path).lines.join('\n');
  if (!text.includes('-----BEGIN ')) throw new Error(`the file ${path} is not PEM`);
  if (text.includes('PRIVATE KEY-----'))
    throw new Error(`the file ${path} has a private key; who checks tokens needs the public one alone`);
  const key = attempt(`the public key of ${path}`, () => createPublicKey(text));
  return { keys: [{ algorithm: algorithmOf(key, `the public key of ${path}`), id: null, key }], secrets: [], warnings: [] };
}

function readSet(path: string): TokenKeyReading {
  const reading = readKeyLines(path);
  const set = attempt(`the file ${path}`, () => JSON.parse(reading.lines.join('\n')) as unknown);
  const entries = isObject(set) ? set['keys'] : null;
  if (!Array.isArray(entries)) throw new Error(`the file ${path} is no JWKS: it has no list of keys`);
  if (entries.length > SET_KEYS_MAX) throw new Error(`the file ${path} has ${entries.length} keys; ${SET_KEYS_MAX} are the most`);
  const keys: TokenKey[] = [];
  const secrets: Secret[] = [];
  const warnings: string[] = [];
  for (const [i, entry] of entries.entries()) {
    const place = `keys[${i}] of ${path}`;
    if (!isObject(entry)) throw new Error(`${place} is no key`);
    const why = whyPassedOver(entry);
    if (why !== null) {
      warnings.push(`${place} is passed over: ${why}`);
      continue;
    }
    keys.push(keyOfSet(entry, place));
    if (typeof entry['k'] === 'string') secrets.push(new Secret(entry['k']));
  }
  if (keys.length === 0) throw new Error(`no key of ${path} can be used for tokens`);
  mustBeApart(keys, path);
  // That others may read public keys is as it should be.
  return { keys, secrets, warnings: [...warnings, ...(secrets.length > 0 ? reading.warnings : [])] };
}

/** A set is often shared with others, who have other uses for some of its keys. */
function whyPassedOver({ use, alg, kty, crv }: Record<string, unknown>): string | null {
  if (use !== undefined && use !== 'sig') return `its use is ${shown(use)}, not sig`;
  const own = { RSA: 'RS256', oct: 'HS256', EC: 'ES256', OKP: 'EdDSA' }[String(kty)];
  if (own === undefined) return `its kty ${shown(kty)} is none of RSA, EC, OKP, oct`;
  if ((kty === 'EC' && crv !== 'P-256') || (kty === 'OKP' && crv !== 'Ed25519')) return `its crv ${shown(crv)} is not taken`;
  if (alg !== undefined && alg !== own && !(own === 'EdDSA' && alg === 'Ed25519')) return `its alg ${shown(alg)} is not ${own}`;
  return null;
}

function keyOfSet(entry: Record<string, unknown>, place: string): TokenKey {
  const { kid, kty, k } = entry;
  if (kid !== undefined && typeof kid !== 'string') throw new Error(`the kid of ${place} is no text`);
  const id = kid ?? null;
  if (kty === 'oct') return secretKey(Buffer.from(typeof k === 'string' ? k : '', 'base64url'), id, place);
  if (entry['d'] !== undefined) throw new Error(`${place} is a private key; who checks tokens needs the public one alone`);
  const key = attempt(place, () => createPublicKey({ key: entry as JsonWebKey, format: 'jwk' }));
  return { algorithm: algorithmOf(key, place), id, key };
}

function secretKey(bytes: Buffer, id: string | null, place: string): TokenKey {
  if (bytes.length < SECRET_BYTES_MIN)
    throw new Error(`${place} has ${bytes.length} bytes; a secret of tokens has at least ${SECRET_BYTES_MIN}`);
  return { algorithm: 'HS256', id, key: createSecretKey(bytes) };
}

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject, place: string): TokenAlgorithm {
  if (type === 'ed25519') return 'EdDSA';
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ES256';
  if (type !== 'rsa') throw new Error(`${place} is of a kind that is not taken: RSA, P-256 and Ed25519 are`);
  const bits = details?.modulusLength ?? 0;
  if (bits < RSA_BITS_MIN) throw new Error(`${place} has ${bits} bits; an RSA key has at least ${RSA_BITS_MIN}`);
  return 'RS256';
}

/** @throws Error when two keys could not be told apart by the tokens that name them */
function mustBeApart(keys: readonly TokenKey[], path: string): void {
  const names = keys.filter(({ id }) => id !== null).map(({ algorithm, id }) => `${algorithm} ${id}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`two keys of ${path} have the same alg and kid: ${twice.slice(0, 100)}`);
}

function attempt<Value>(place: string, action: () => Value): Value {
  try {
    return action();
  } catch (error) {
    // A parser of JSON quotes what it reads.
    throw new Error(`${place} cannot be read${error instanceof SyntaxError ? ': it is no JSON' : `: ${messageOf(error)}`}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 40) ?? 'missing';
}

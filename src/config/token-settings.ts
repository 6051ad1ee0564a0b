/** The settings of JSON Web Tokens as a node uses them: keys read, contradictions named.
 *
 *  Invariant: no key is part of a message or of anything printed. */

import type { RateLimit } from '../model/access-key.js';
import { messageOf } from '../model/errors.js';
import type { ValuesOf } from './field.js';
import type { Secret } from './secret.js';
import type { TOKEN_FIELDS } from './token-fields.js';
import { readTokenKeys, type TokenKeyReading } from './token-keys.js';

export type TokenValues = ValuesOf<typeof TOKEN_FIELDS>;

export interface TokenSettings {
  /** Null: tokens are not taken. */
  readonly keys: TokenKeyReading['keys'] | null;
  readonly secrets: readonly Secret[];
  /** Of all tokens of one subject. */
  readonly rateLimit: RateLimit | null;
  /** As they were given. */
  readonly values: TokenValues;
}

export interface TokenReading {
  readonly settings: TokenSettings;
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

const FILES = ['tokenSecretFile', 'tokenPublicKeyFile', 'tokenJwksFile'] as const;
const NEEDS_FILE = ['tokenIssuer', 'tokenAudience', 'tokenRequestsPerSecond'] as const;
/** The same claim cannot say two things. */
const TAKEN = ['iss', 'aud', 'sub', 'exp', 'nbf', 'iat', 'jti'];

/** Begins and is cut as a token is. */
const TOKEN_FORM = /^ey[^.]+\.[^.]+\.[^.]+$/;

/** Reads the file that the settings name. @param apiKey of the key file, null: none */
export function readTokens(values: TokenValues, apiKey: Secret | null): TokenReading {
  const given = FILES.filter((key) => values[key] !== null);
  const problems = contradictions(values, given.length);
  if (given.length > 0 && apiKey !== null && TOKEN_FORM.test(apiKey.reveal()))
    problems.push('the key of api_key_file has the form of a token, so it would be taken for one: choose another');
  const warnings: string[] = [];
  let reading: TokenKeyReading | null = null;
  if (given.length === 1) {
    try {
      reading = readTokenKeys(values);
      warnings.push(...reading.warnings);
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  const { tokenRequestsPerSecond: perSecond } = values;
  const rateLimit = perSecond === null ? null : { perSecond, burst: perSecond };
  const settings = { keys: reading?.keys ?? (given.length > 0 ? [] : null), secrets: reading?.secrets ?? [], rateLimit, values };
  return { settings: Object.freeze(settings), warnings, problems };
}

function contradictions(values: TokenValues, files: number): string[] {
  const found: string[] = [];
  if (files > 1) found.push('token_secret_file, token_public_key_file and token_jwks_file: one of them, please');
  if (files === 0 && NEEDS_FILE.some((key) => values[key] !== null))
    found.push('settings of tokens are given, but none of token_secret_file, token_public_key_file and token_jwks_file');
  const { tokenRoleClaim: role, tokenCollectionsClaim: collections } = values;
  if (role === collections || TAKEN.includes(role) || TAKEN.includes(collections))
    found.push('token_role_claim and token_collections_claim must be claims of their own');
  return found;
}

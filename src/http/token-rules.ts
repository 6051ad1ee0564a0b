/** What JSON Web Tokens are held against, as `node` hands it in. Another object stands for other keys. */

import type { KeyObject } from 'node:crypto';
import type { RateLimit } from '../model/access-key.js';

export interface TokenKey {
  /** Of the key's own kind: a token cannot choose another. */
  readonly algorithm: 'HS256' | 'RS256' | 'ES256' | 'EdDSA';
  /** What a token calls it (kid); null: it has no name. */
  readonly id: string | null;
  readonly key: KeyObject;
}

export interface TokenRules {
  readonly keys: readonly TokenKey[];
  /** What iss and aud must be; null: anything. */
  readonly issuer: string | null;
  readonly audience: string | null;
  /** Names of the claims with the role and with the collections. */
  readonly roleClaim: string;
  readonly collectionsClaim: string;
  /** How far clocks may be apart, and how far away the end of a token may be. */
  readonly clockToleranceMs: number;
  readonly lifeMsMax: number;
  /** Of all tokens of one subject. */
  readonly rateLimit: RateLimit | null;
}

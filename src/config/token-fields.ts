/** The settings of JSON Web Tokens; what they come to is in token-settings.ts. */

import type { FieldTable } from './field.js';

const DAY_MS = 86_400_000;

export const TOKEN_FIELDS = {
  tokenSecretFile: {
    kind: 'path',
    default: null,
    doc: 'File whose first line is the secret (32 characters or more) that JSON Web Tokens are signed with, HS256. One of the three files; without any, tokens are not taken.',
  },
  tokenPublicKeyFile: {
    kind: 'path',
    default: null,
    doc: 'Public key (PEM) that JSON Web Tokens are checked with: RSA for RS256, P-256 for ES256, Ed25519 for EdDSA.',
  },
  tokenJwksFile: {
    kind: 'path',
    default: null,
    doc: 'Keys (JWKS) that JSON Web Tokens are checked with; a token names its key as kid, unless only one fits.',
  },
  tokenIssuer: { kind: 'text', default: null, doc: 'The iss that every token must have.' },
  tokenAudience: { kind: 'text', default: null, doc: 'The aud that every token must have.' },
  tokenRoleClaim: { kind: 'text', default: 'role', doc: 'Claim with the role: admin, write, read or replicate.' },
  tokenCollectionsClaim: {
    kind: 'text',
    default: 'collections',
    doc: 'Claim with the collections that a token is for, as access keys have them; a token without it is for all.',
  },
  tokenClockToleranceMs: {
    kind: 'duration',
    min: 0,
    default: 30_000,
    doc: 'How far the clocks of this node and of who makes tokens may be apart.',
  },
  tokenLifeMsMax: {
    kind: 'duration',
    min: 1_000,
    default: DAY_MS,
    doc: 'A token whose end (exp) is further away than this is refused.',
  },
  tokenRequestsPerSecond: {
    kind: 'integer',
    unit: 'requests',
    min: 1,
    max: 1_000_000,
    default: null,
    doc: 'How many requests a second the tokens of one subject may make on this node, together; by default any number.',
  },
} as const satisfies FieldTable;

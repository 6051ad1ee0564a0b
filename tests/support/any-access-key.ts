/** Any access key, for properties of byte forms; and the one of the golden files. */

import fc from 'fast-check';
import { type AccessKey, KEY_ROLES } from '../../src/model/access-key.js';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const instant = fc.nat(4e12);

const plain = { noNullPrototype: true } as const;

export const anyAccessKey: fc.Arbitrary<AccessKey> = fc.record(
  {
    id: fc.stringMatching(/^[0-9a-f]{16}$/),
    name: fc.string({ unit: 'grapheme', maxLength: 20 }),
    role: fc.constantFrom(...KEY_ROLES),
    scope: fc.option(fc.array(fc.stringMatching(/^[a-z]{1,9}\*?$/), { maxLength: 3 })),
    rateLimit: fc.option(
      fc.record({ perSecond: fc.integer({ min: 1, max: 1e6 }), burst: fc.integer({ min: 1, max: 1e6 }) }, plain),
    ),
    createdAtMs: instant,
    expiresAtMs: fc.option(instant),
    rotatedAtMs: fc.option(instant),
    hash,
    previous: fc.option(fc.record({ hash, untilMs: instant }, plain)),
  },
  plain,
);

export const KNOWN_KEY: AccessKey = {
  id: '00ff00ff00ff00ff',
  name: 'büro',
  role: 'write',
  scope: ['films', 'tenant-7-*'],
  rateLimit: { perSecond: 50, burst: 100 },
  createdAtMs: 1_790_000_000_123,
  expiresAtMs: 1_800_000_000_000,
  rotatedAtMs: 1_790_000_001_000,
  hash: Uint8Array.from({ length: 32 }, (_, i) => i),
  previous: { hash: Uint8Array.from({ length: 32 }, (_, i) => 255 - i), untilMs: 1_790_000_061_000 },
};

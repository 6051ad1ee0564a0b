/** The bodies of the routes under /v1/keys. A secret is in the answers that make one, and nowhere else.
 *  Must not know: how keys are kept. */

import { type Static, Type } from 'typebox';
import { KEY_ROLES } from '../model/access-key.js';
import { FIXED } from '../model/limits.js';
import { closed, nullable, Timestamp, Token } from './body-parts.js';

const RoleBody = Type.Enum([...KEY_ROLES] as ['admin', 'write', 'read', 'replicate']);
const Rate = Type.Integer({ minimum: 1, maximum: FIXED.rateLimitMax });

const ScopeBody = nullable(
  Type.Array(Type.String({ description: 'The name of a collection, or the beginning of names with * behind it.' }), {
    maxItems: FIXED.keyScopePatternsMax,
    description: 'The collections that the key is for; null: all, and the node as a whole.',
  }),
);

const RateLimitBody = Type.Object(
  {
    requests_per_second: Rate,
    burst: Type.Optional(
      Type.Integer({ minimum: 1, maximum: FIXED.rateLimitMax, description: 'At once; default: as many as a second.' }),
    ),
  },
  closed,
);

export const NewKeyBody = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: FIXED.keyNameLengthMax,
      description: 'For people; need not be unique. No control characters.',
    }),
    role: RoleBody,
    collections: Type.Optional(ScopeBody),
    expires_at: Type.Optional(nullable(Timestamp)),
    rate_limit: Type.Optional(nullable(RateLimitBody)),
  },
  closed,
);
export type NewKeyBody = Static<typeof NewKeyBody>;

export const RotateKeyBody = Type.Object(
  {
    grace_ms: Type.Integer({
      minimum: 0,
      maximum: FIXED.keyGraceMsMax,
      description: 'How long the secret of now goes on working beside the new one; 0 ends it at once.',
    }),
  },
  closed,
);
export type RotateKeyBody = Static<typeof RotateKeyBody>;

const shown = {
  id: Type.String({ description: '16 hex digits; the part of the key behind skn_.' }),
  name: Type.String(),
  role: RoleBody,
  collections: ScopeBody,
  rate_limit: nullable(Type.Object({ requests_per_second: Rate, burst: Rate })),
  state: Type.Enum(['active', 'expired']),
  created_at: Timestamp,
  expires_at: nullable(Timestamp),
  rotated_at: nullable(Timestamp),
  previous_until: nullable(
    Type.String({ description: 'Until when the secret before the last rotation works; null: it does not.' }),
  ),
  last_used_at: nullable(Type.String({ description: 'By this node, since it started.' })),
};
const written = {
  seq: Type.Integer(),
  position: Token,
  write_concern: Type.Object({ required: Type.Integer(), acknowledged: Type.Integer() }),
};

export const KeyBody = Type.Object(shown);
export type KeyBody = Static<typeof KeyBody>;

export const KeyListBody = Type.Object({ keys: Type.Array(KeyBody) });
export type KeyListBody = Static<typeof KeyListBody>;

export const KeySecretAnswer = Type.Object({
  key: Type.String({ description: 'The whole key, skn_<id>_<secret>: shown this once.' }),
  ...shown,
  ...written,
  confirmed: Type.Boolean({
    description:
      'False: the nodes that w asks for have not confirmed it in time, or this node is not the master any more. The key counts here all the same, and may be lost with this node.',
  }),
});
export type KeySecretAnswer = Static<typeof KeySecretAnswer>;

export const DeleteKeyAnswer = Type.Object({ deleted: Type.Literal(true), ...written });
export type DeleteKeyAnswer = Static<typeof DeleteKeyAnswer>;

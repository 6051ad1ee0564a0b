/** Query parameters and headers as the OpenAPI document shows them; http/parameters.ts reads them by hand. */

import { Type } from 'typebox';

const closed = { additionalProperties: false } as const;
const MaxWaitMs = Type.Optional(
  Type.Integer({ minimum: 0, description: 'How long to wait for x-skein-min-position. Default 1000.' }),
);
const MaxStalenessMs = Type.Optional(
  Type.Integer({
    minimum: 0,
    description: 'How old the state of the node may be; 503 ReplicaBehind when it is older, or not known.',
  }),
);

export const WriteQuery = Type.Object(
  {
    w: Type.Optional(
      Type.Unsafe<string>({
        anyOf: [
          { type: 'integer', minimum: 1 },
          { type: 'string', enum: ['majority'] },
        ],
        description: 'How many nodes must hold the write durably, the master included. Default: default_w of the server.',
      }),
    ),
    timeout_ms: Type.Optional(Type.Integer({ minimum: 0, description: 'Bounds all waiting. Default 30000.' })),
    wait: Type.Optional(
      Type.Enum(['indexed', 'durable'], { description: 'indexed (default): the next search on this node sees the write.' }),
    ),
    max_wait_ms: MaxWaitMs,
  },
  closed,
);

export const SlowQueriesQuery = Type.Object(
  { limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Default 100.' })) },
  closed,
);

export const ReadQuery = Type.Object({ max_wait_ms: MaxWaitMs, max_staleness_ms: MaxStalenessMs }, closed);

export const PointQuery = Type.Object(
  {
    max_wait_ms: MaxWaitMs,
    max_staleness_ms: MaxStalenessMs,
    with_payload: Type.Optional(Type.Boolean({ description: 'Default true.' })),
    with_vector: Type.Optional(Type.Boolean({ description: 'Default true.' })),
    id_type: Type.Optional(
      Type.Enum(['integer', 'string'], {
        description: 'string: digits in the path are the string of these digits, not the integer.',
      }),
    ),
  },
  closed,
);

export const WriteHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ maxLength: 128, description: 'Remembered 24 h: a repeat gets the first answer, another body is refused.' }),
  ),
  'x-skein-min-position': Type.Optional(
    Type.String({ description: 'Nothing is written when this token belongs to a lost branch of history.' }),
  ),
  'x-skein-redirect': Type.Optional(
    Type.Enum(['off'], {
      description: 'off: a replica answers NotMaster with 409 instead of 307, for callers that cannot read redirects.',
    }),
  ),
});

export const ReadHeaders = Type.Object({
  'x-skein-min-position': Type.Optional(Type.String({ description: 'The answer is at least as new as this token.' })),
});

/** Parts of the inputs of tools, with bounds that fit a conversation: a model asks for tens of points, not for ten thousand.
 *  What stands inside points, filters and vectors is checked by the server, which names the place. */

import { Type } from 'typebox';
import { FIXED } from '../model/limits.js';
import type { PointId } from '../model/point.js';

export const HITS_MAX = 100;
export const IDS_MAX = 1_000;
export const POINTS_MAX = 1_000;

export const closed = { additionalProperties: false } as const;

export const CollectionName = Type.String({
  minLength: 1,
  maxLength: FIXED.collectionNameLengthMax,
  description: 'Name of a collection, or an alias of one.',
});

export const Id = Type.Unsafe<PointId>({
  anyOf: [
    { type: 'string', minLength: 1, maxLength: FIXED.idBytesMax },
    { type: 'integer', minimum: 0, maximum: FIXED.integerIdMax },
  ],
  description: 'Id of a point: a string or a whole number. "7" and 7 are different ids.',
});

export const Ids = Type.Array(Id, { minItems: 1, maxItems: IDS_MAX });

export const Vector = Type.Array(Type.Number(), {
  minItems: 1,
  maxItems: FIXED.dimensionMax,
  description: 'One number per dimension of the collection.',
});

export const QueryText = Type.String({
  minLength: 1,
  maxLength: FIXED.queryTextLengthMax,
  description: 'Words to find in the text fields of the collection.',
});

export const FilterInput = Type.Unsafe<Readonly<Record<string, unknown>>>({
  type: 'object',
  minProperties: 1,
  additionalProperties: true,
  description:
    'Which points count: {"must"|"should"|"must_not": [conditions]}. A condition is {"key": "a.b", "match": {"value": x} | {"any": [x, y]} | {"text": "words"}}, {"key", "range": {"gte": 1, "lt": 9}}, {"key", "exists": true}, {"has_id": [ids]}, or another filter.',
});

const Shown = {
  with_payload: Type.Optional(Type.Boolean({ description: 'Show payloads; default true.' })),
  with_vector: Type.Optional(Type.Boolean({ description: 'Show vectors, which are long; default false.' })),
};

/** What every read of points takes. */
export const reading = {
  ...Shown,
  min_position: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'A position from an earlier answer: this answer is at least that new, on any node.',
    }),
  ),
};

/** What every search takes. */
export const searching = {
  collection: CollectionName,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: HITS_MAX, description: 'Hits at most; default 10.' })),
  filter: Type.Optional(FilterInput),
  score_threshold: Type.Optional(Type.Number({ description: 'Leave out hits that are worse than this score.' })),
  explain: Type.Optional(Type.Boolean({ description: 'Say how the search was done; default false.' })),
  ...reading,
};

/** How a write is to be done. */
export const writing = {
  w: Type.Optional(
    Type.Unsafe<number | 'majority'>({
      anyOf: [
        { type: 'integer', minimum: 1, maximum: 1_000 },
        { type: 'string', enum: ['majority'] },
      ],
      description: 'Nodes that must hold the write durably before it is answered; default: as the server is set.',
    }),
  ),
  wait: Type.Optional(
    Type.Enum(['indexed', 'durable'], {
      description: 'indexed (default): the next search on this node finds it. durable: it is safe on disk.',
    }),
  ),
};

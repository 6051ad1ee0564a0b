/** The changes of a feed as they travel, and the messages that carry them over a WebSocket.
 *  Must not know: how a feed is carried, in which order changes come. */

import { type Static, Type } from 'typebox';
import { PayloadBody, PointIdBody, Timestamp, Token, VectorBody } from './body-parts.js';
import { NamedVectorsBody } from './vector-bodies.js';

export const CHANGE_TYPES = [
  'upsert',
  'delete',
  'leave',
  'create_collection',
  'update_collection',
  'delete_collection',
  'put_alias',
  'delete_alias',
  'snapshot_begin',
  'snapshot_end',
] as const;
export type ChangeType = (typeof CHANGE_TYPES)[number];

export const ChangeBody = Type.Object({
  type: Type.Enum([...CHANGE_TYPES] as ChangeType[]),
  collection: Type.Optional(Type.String({ description: 'Of all but snapshot_begin, snapshot_end and delete_alias.' })),
  id: Type.Optional(PointIdBody),
  seq: Type.Integer({
    description: 'Of the entry; of an upsert the version of the point. In a snapshot, of what is no point: of the state.',
  }),
  time: Type.Optional(Timestamp),
  snapshot: Type.Optional(Type.Boolean({ description: 'True for what a snapshot tells; absent for what the log does.' })),
  expires_at: Type.Optional(Timestamp),
  payload: Type.Optional(PayloadBody),
  vector: Type.Optional(VectorBody),
  vectors: Type.Optional(NamedVectorsBody),
  settings: Type.Optional(
    Type.Object(
      {},
      { additionalProperties: true, description: 'Of the collection from then on, as its information shows them.' },
    ),
  ),
  alias: Type.Optional(Type.String()),
  token: Type.Optional(
    Type.String({ description: 'Of the place right behind the change. As Server-Sent Events it is the id of the event.' }),
  ),
});
export type ChangeBody = Static<typeof ChangeBody>;

/** One message of a WebSocket. */
export const ChangesMessage = Type.Object({
  changes: Type.Array(ChangeBody),
  token: Token,
});
export type ChangesMessage = Static<typeof ChangesMessage>;

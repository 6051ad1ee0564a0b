/** The bodies of the routes under /replication. Unknown is null, never 0.
 *  Must not know: how a node finds these values. */

import { type Static, Type } from 'typebox';
import { closed, nullable, PointIdBody, Timestamp, Token } from './body-parts.js';

const Milliseconds = nullable(Type.Number({ minimum: 0 }));
const Count = Type.Integer({ minimum: 0 });
const NodeId = Type.String({ description: 'A node id: 32 hex digits.' });
const RoleBody = Type.Enum(['master', 'replica']);

const SnapshotProgressBody = nullable(
  Type.Object({ bytes: Count, bytes_total: Count, eta_ms: Milliseconds }, { description: 'While a snapshot is under way.' }),
);

export const ReplicationStatsBody = Type.Object({
  role: RoleBody,
  lag_ms: nullable(Type.Number({ minimum: 0, description: 'Master: the largest of its voters’. Replica: its own.' })),
  bytes_sent: Count,
  bytes_received: Count,
  last_sync: nullable(Timestamp),
  operations_pending: nullable(Count),
  snapshot_size: Type.Integer({ description: 'Bytes of the last complete snapshot that was sent or received.' }),
  connected_replicas: nullable(Type.Integer({ description: 'Master only.' })),
  lag_operations: nullable(Count),
  lag_bytes: nullable(Count),
  position: nullable(Token),
  epoch: nullable(Count),
  history_id: nullable(Type.String()),
  heartbeats_sent: Count,
  heartbeats_received: Count,
  last_heartbeat: nullable(Timestamp),
  full_syncs: Count,
  partial_syncs: Count,
  reconnects: Count,
  digest: nullable(Type.String({ description: 'State digest: equal data, equal digest.' })),
  digest_verified_at: nullable(Timestamp),
  divergences: Count,
  node_id: NodeId,
  cluster_id: nullable(Type.String({ description: 'Like position, epoch, history and digest null until the node has data.' })),
  link: nullable(Type.String({ description: 'What a replica does: connecting, syncing, following, …; null on a master.' })),
  snapshot: SnapshotProgressBody,
});
export type ReplicationStatsBody = Static<typeof ReplicationStatsBody>;

export const ReplicaBody = Type.Object({
  id: NodeId,
  host: Type.String({ description: 'Of the HTTP address that the replica advertises.' }),
  port: Type.Integer(),
  status: Type.Enum(['Connected', 'Syncing', 'Lagging', 'Disconnected']),
  lag_ms: Milliseconds,
  last_heartbeat: nullable(Timestamp),
  operations_synced: nullable(Type.Integer({ description: 'The seq that it has applied.' })),
  lag_operations: nullable(Count),
  lag_bytes: nullable(Count),
  bytes_sent: Count,
  position: nullable(Token),
  protocol_version: nullable(Type.Integer()),
  connected_at: nullable(Timestamp),
  voter: Type.Boolean(),
  diverged: Type.Boolean({ description: 'Its data was found to differ.' }),
  snapshot: SnapshotProgressBody,
});
export type ReplicaBody = Static<typeof ReplicaBody>;

export const ReplicaListBody = Type.Object({ replicas: Type.Array(ReplicaBody), count: Type.Integer() });
export type ReplicaListBody = Static<typeof ReplicaListBody>;

export const ReplicationStatusBody = Type.Object({
  role: RoleBody,
  enabled: Type.Boolean({ description: 'false: this node neither follows nor may be followed.' }),
  master_url: nullable(Type.String({ description: 'Where clients reach the master.' })),
  stats: nullable(ReplicationStatsBody),
  replicas: Type.Array(ReplicaBody),
});
export type ReplicationStatusBody = Static<typeof ReplicationStatusBody>;

export const PromoteBody = Type.Object(
  { force: Type.Optional(Type.Boolean({ default: false, description: 'Also when writes of the old master may be lost.' })) },
  closed,
);
export const PromoteAnswerBody = Type.Object({
  epoch: Type.Integer(),
  history_id: Type.String(),
  position: Token,
  maybe_lost: nullable(
    Type.Object(
      {
        from_seq: Type.Integer(),
        to_seq: nullable(Type.Integer({ description: 'null: as far as the old master had come.' })),
        known_seq: nullable(
          Type.Integer({ description: 'The last seq that the old master was known to have, beyond this node’s own.' }),
        ),
      },
      { description: 'null: nothing can be missing.' },
    ),
  ),
});
export type PromoteAnswerBody = Static<typeof PromoteAnswerBody>;

export const FollowBody = Type.Object(
  { master_url: Type.String({ description: 'http, https, ws or wss; host and port.' }) },
  closed,
);
export const FollowAnswerBody = Type.Object({ role: RoleBody, master_url: Type.String() });
export type FollowAnswerBody = Static<typeof FollowAnswerBody>;

export const ResyncBody = Type.Object(
  { replica_id: Type.Optional(NodeId), full: Type.Optional(Type.Boolean({ default: false })) },
  closed,
);
export const ResyncAnswerBody = Type.Object({ started: Type.Literal(true), mode: Type.Enum(['full', 'partial']) });
export type ResyncAnswerBody = Static<typeof ResyncAnswerBody>;

export const VerifyBody = Type.Object(
  { replica_id: Type.Optional(NodeId), repair: Type.Optional(Type.Boolean({ default: false })) },
  closed,
);
export const VerifyAnswerBody = Type.Object({
  equal: nullable(
    Type.Boolean({
      description: 'As found, before a repair; null: nothing differed, and not all could be compared.',
    }),
  ),
  position: Token,
  replicas: Type.Array(
    Type.Object({
      id: NodeId,
      equal: nullable(Type.Boolean({ description: 'null: it could not be compared.' })),
      differing: Type.Array(
        Type.Object({
          collection: Type.String(),
          buckets: Type.Array(Type.Integer()),
          points: Type.Array(PointIdBody, { description: 'As many as fit.' }),
        }),
      ),
      repaired: Type.Integer({ description: 'Points that were fetched again or removed.' }),
      error: Type.Optional(
        Type.Object({ type: Type.String(), message: Type.String() }, { description: 'Why it was not compared.' }),
      ),
    }),
  ),
});
export type VerifyAnswerBody = Static<typeof VerifyAnswerBody>;

export const ForgetAnswerBody = Type.Object({ forgotten: Type.Literal(true) });

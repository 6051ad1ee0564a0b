/** The bodies of the routes under /v1/backups. Unknown is null, never 0.
 *  Must not know: how a node finds these values. */

import { type Static, Type } from 'typebox';
import { closed, nullable, Timestamp, Token } from './body-parts.js';

const Count = Type.Integer({ minimum: 0 });
const KindBody = Type.Enum(['full', 'incremental']);
const Wait = Type.Optional(
  Type.Boolean({ description: 'False: the answer comes at once, with started; GET /v1/backups says how it goes. Default true.' }),
);

export const BackupBody = Type.Object({
  id: Type.String({ description: 'Its name in the target.' }),
  kind: KindBody,
  created_at: Timestamp,
  from_seq: nullable(Type.Integer({ description: 'First seq inside; null of a full one.' })),
  seq: Count,
  position: Token,
  time: nullable(Timestamp),
  bytes: Type.Integer({ minimum: 0, description: 'As stored.' }),
  verified_at: nullable(Timestamp),
});
export type BackupBody = Static<typeof BackupBody>;

export const DrillBody = Type.Object({
  ok: Type.Boolean(),
  problem: nullable(Type.String()),
  backups: Type.Array(Type.String(), { description: 'What was restored: a full backup and what follows it.' }),
  started_at: Timestamp,
  took_ms: Count,
  seq: nullable(Count),
  points: nullable(Count),
  recall: nullable(Type.Number({ description: 'The least of its collections, on a sample.' })),
});
export type DrillBody = Static<typeof DrillBody>;

export const BackupListBody = Type.Object({
  target: nullable(Type.String({ description: 'Where backups are kept; null: nowhere, so there are none.' })),
  active: Type.Boolean({ description: 'This node makes backups by itself now.' }),
  running: nullable(Type.Object({ kind: Type.Enum(['full', 'incremental', 'drill', 'restore', 'removal']), since: Timestamp })),
  backups: Type.Array(BackupBody, { description: 'Newest first.' }),
  count: nullable(Type.Integer({ minimum: 0, description: 'Null: the target was not read since the start.' })),
  read_at: nullable(Type.String({ description: 'When the target was read for this, ISO 8601; null: not since the start.' })),
  read_failure: nullable(
    Type.String({ description: 'Why it cannot be read now, so that this is as it was at read_at; null: it was read.' }),
  ),
  damaged: Type.Array(Type.Object({ id: Type.String(), object: Type.String(), problem: Type.String() })),
  restorable_from: nullable(
    Type.Object(
      { seq: Count, time: nullable(Timestamp) },
      { description: 'Every state from there to the newest backup of this line of data can be restored; null: none can.' },
    ),
  ),
  operations_since: nullable(Type.Integer({ description: 'Written since the newest backup of this line of data.' })),
  last_verified_at: nullable(Timestamp),
  failures_in_row: Count,
  last_failure: nullable(Type.Object({ at: Timestamp, message: Type.String() })),
  last_drill: nullable(DrillBody),
});
export type BackupListBody = Static<typeof BackupListBody>;

export const CreateBackupBody = Type.Object({ kind: Type.Optional(KindBody), wait: Wait }, closed);
export const CreateBackupAnswerBody = Type.Object({
  backup: nullable(BackupBody),
  started: Type.Optional(Type.Boolean({ description: 'With wait false.' })),
});
export type CreateBackupAnswerBody = Static<typeof CreateBackupAnswerBody>;

export const RemoveBackupQuery = Type.Object(
  {
    increments: Type.Optional(
      Type.Enum(['true', 'false'], {
        description:
          'true: increments that lead nowhere without it go with it, where a newer full one leads to all that comes behind them.',
      }),
    ),
  },
  closed,
);
export const RemoveBackupAnswerBody = Type.Object({
  removed: Type.Array(Type.String(), {
    description: 'What is gone, in the order of its going; the one that was asked for is the last.',
  }),
});
export type RemoveBackupAnswerBody = Static<typeof RemoveBackupAnswerBody>;

export const RestoreBackupBody = Type.Object(
  {
    to_position: Type.Optional(
      Type.Union([Token, Count], {
        description: 'A position token, or a seq of the newest line of data: the last unit up to there.',
      }),
    ),
    to_time: Type.Optional(Type.String({ description: 'ISO 8601: the state before the first unit that is later.' })),
    dry_run: Type.Optional(Type.Boolean({ description: 'Say what would be done, and do nothing.' })),
    wait: Wait,
  },
  closed,
);

export const RestoreBackupAnswerBody = Type.Object({
  dry_run: Type.Boolean(),
  started: Type.Optional(Type.Boolean({ description: 'With wait false.' })),
  base: Type.String({ description: 'The full backup that it begins with.' }),
  increments: Type.Array(Type.String()),
  seq: Count,
  time: nullable(Timestamp),
  stored_bytes: Count,
  plain_bytes: Count,
  operations_lost: nullable(
    Type.Integer({
      description: 'Operations of the data now that the restored state does not have; null: it is another line of data.',
    }),
  ),
  restored_position: Type.Optional(Token),
  replaced_position: Type.Optional(Token),
});
export type RestoreBackupAnswerBody = Static<typeof RestoreBackupAnswerBody>;

export const VerifyBackupBody = Type.Object({ wait: Wait }, closed);
export const VerifyBackupAnswerBody = Type.Union([DrillBody, Type.Object({ started: Type.Boolean() })]);

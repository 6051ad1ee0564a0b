/** The bodies of the routes that show and steer how a server is watched: its log, its slow queries, its errors.
 *  Must not know: what is slow, where lines go. */

import { type Static, Type } from 'typebox';
import { LOG_LEVELS } from '../model/log.js';
import { closed, nullable, Timestamp } from './body-parts.js';

const Level = Type.Enum([...LOG_LEVELS] as ['debug', 'info', 'warn', 'error', 'silent']);
const Facts = Type.Object({}, { additionalProperties: true });

export const LogChangeBody = Type.Object({ level: Level }, closed);
export type LogChangeBody = Static<typeof LogChangeBody>;

export const LogBody = Type.Object({
  level: Level,
  file: nullable(Type.String({ description: 'Null: standard error.' })),
  lost_lines: Type.Integer({ description: 'Lines that their destination did not take, since the start.' }),
});
export type LogBody = Static<typeof LogBody>;

/** A day: what takes longer is no query. */
const THRESHOLD_MS_MAX = 86_400_000;
const ThresholdMs = Type.Integer({
  minimum: 0,
  maximum: THRESHOLD_MS_MAX,
  description: 'A request for points that takes as long is a slow query; 0: none is.',
});

export const SlowQueryChangeBody = Type.Object({ threshold_ms: ThresholdMs }, closed);
export type SlowQueryChangeBody = Static<typeof SlowQueryChangeBody>;

export const SlowQuerySettingsBody = Type.Object({
  threshold_ms: ThresholdMs,
  count: Type.Integer({ description: 'Since the start, those included that are not kept any more.' }),
  kept: Type.Integer(),
});
export type SlowQuerySettingsBody = Static<typeof SlowQuerySettingsBody>;

export const SlowQueryBody = Type.Object({
  ended_at: Timestamp,
  method: Type.String(),
  route: Type.String(),
  collection: nullable(Type.String()),
  status: Type.Integer(),
  error_type: nullable(Type.String()),
  duration_ms: Type.Number({ description: 'From the headers of the request to the end of the answer, as the caller took it.' }),
  request_id: Type.String(),
  trace_id: nullable(Type.String()),
  asked: nullable(Facts),
  found: nullable(Facts),
});
export type SlowQueryBody = Static<typeof SlowQueryBody>;

export const SlowQueriesBody = Type.Object({
  ...SlowQuerySettingsBody.properties,
  slow_queries: Type.Array(SlowQueryBody, { description: 'Newest first.' }),
});
export type SlowQueriesBody = Static<typeof SlowQueriesBody>;

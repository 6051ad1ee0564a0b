/** Routes that show and steer how the server is watched: the level of its log, and its slow queries. Each node for itself. */

import { invalidRequest } from '../../model/errors.js';
import { LOG_LEVELS } from '../../model/log.js';
import type { SlowQuery } from '../../model/slow-query.js';
import { bodyCheck } from '../../wire/check-body.js';
import {
  LogBody,
  LogChangeBody,
  SlowQueriesBody,
  type SlowQueryBody,
  SlowQueryChangeBody,
  SlowQuerySettingsBody,
} from '../../wire/http-bodies.js';
import { sendValue } from '../answer.js';
import type { ObservingService } from '../observing-service.js';
import { queryOf } from '../parameters.js';
import { SlowQueriesQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';

const LISTED = 100;
const LISTED_MAX = 10_000;
const checkLogChange = bodyCheck(LogChangeBody);
const checkSlowQueryChange = bodyCheck(SlowQueryChangeBody);
const ABOUT = { tag: 'server' } as const;

export function observingRoutes(room: Room): Route[] {
  return [logRoute(room), logLevelRoute(room), slowQueriesRoute(room), slowQueryThresholdRoute(room)];
}

function logRoute(room: Room): Route {
  return {
    ...ABOUT,
    method: 'GET',
    path: '/v1/log',
    operationId: 'log',
    needs: 'replicate',
    summary: 'Where the log goes, and from which level on',
    answer: LogBody,
    handle: (request, reply) => {
      queryOf(request, []);
      return sendValue(request, reply, logBody(room.service.observing));
    },
  };
}

function logLevelRoute(room: Room): Route {
  return {
    ...ABOUT,
    method: 'PATCH',
    path: '/v1/log',
    operationId: 'setLogLevel',
    needs: 'admin',
    summary: 'Change the level of the log of this node, until its next start',
    body: LogChangeBody,
    answer: LogBody,
    handle: async (request, reply) => {
      queryOf(request, []);
      const { level } = checkLogChange(await room.bodies.read(request, { kind: 'plain' }));
      const { log } = room.service.observing;
      const { level: before } = log.status();
      // Said at the more talkative of the two levels, so that it is heard.
      if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(before)) log.setLevel(level);
      room.log.warn('log_level_changed', { from: before, to: level, request_id: request.id });
      log.setLevel(level);
      return sendValue(request, reply, logBody(room.service.observing));
    },
  };
}

function logBody({ log }: ObservingService): LogBody {
  const { level, file, lostLines } = log.status();
  return { level, file, lost_lines: lostLines };
}

function slowQueriesRoute(room: Room): Route {
  return {
    ...ABOUT,
    method: 'GET',
    path: '/v1/slow-queries',
    operationId: 'slowQueries',
    needs: 'read',
    summary: 'Requests for points that took long on this node, newest first',
    query: SlowQueriesQuery,
    answer: SlowQueriesBody,
    handle: (request, reply) => {
      const limit = listed(queryOf(request, ['limit'])['limit']);
      const { slowQueries } = room.service.observing;
      const body: SlowQueriesBody = {
        ...settingsBody(room.service.observing),
        slow_queries: slowQueries.list(limit).map(slowQueryBody),
      };
      return sendValue(request, reply, body);
    },
  };
}

function slowQueryThresholdRoute(room: Room): Route {
  return {
    ...ABOUT,
    method: 'PATCH',
    path: '/v1/slow-queries',
    operationId: 'setSlowQueryThreshold',
    needs: 'admin',
    summary: 'Change from when on a request is slow on this node, until its next start',
    body: SlowQueryChangeBody,
    answer: SlowQuerySettingsBody,
    handle: async (request, reply) => {
      queryOf(request, []);
      const { threshold_ms: thresholdMs } = checkSlowQueryChange(await room.bodies.read(request, { kind: 'plain' }));
      const { slowQueries } = room.service.observing;
      const { thresholdMs: before } = slowQueries.status();
      slowQueries.setThreshold(thresholdMs);
      room.log.info('slow_query_threshold_changed', { from_ms: before, to_ms: thresholdMs, request_id: request.id });
      return sendValue(request, reply, settingsBody(room.service.observing));
    },
  };
}

function settingsBody({ slowQueries }: ObservingService): SlowQuerySettingsBody {
  const { thresholdMs, count, kept } = slowQueries.status();
  return { threshold_ms: thresholdMs, count, kept };
}

/** @throws InvalidRequest */
function listed(limit: unknown): number {
  if (limit === undefined) return LISTED;
  const count = typeof limit === 'string' && /^\d{1,6}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > LISTED_MAX) throw invalidRequest('limit', `must be a whole number from 1 to ${LISTED_MAX}`);
  return count;
}

function slowQueryBody(query: SlowQuery): SlowQueryBody {
  return {
    ended_at: new Date(query.endedAtMs).toISOString(),
    method: query.method,
    route: query.route,
    collection: query.collection,
    status: query.status,
    error_type: query.errorType,
    duration_ms: query.durationMs,
    request_id: query.requestId,
    trace_id: query.traceId,
    asked: query.asked,
    found: query.found,
  };
}

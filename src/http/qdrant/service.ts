/** The dialect's routes about the server itself. What this server has no part of (peers, shards, quotas) is said as a standalone server of the
 *  dialect says it. Must not know: collections' contents. */

import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { sendValue } from '../answer.js';
import { readyBody } from '../readiness.js';
import type { Room } from '../room.js';
import type { DialectRoute, DialectSettings } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { dialectQuery } from './parameters.js';

const ABOUT = { method: 'GET', tag: 'server' } as const;
const TITLE = 'skein - vector search engine';
const TEXT = 'text/plain; charset=utf-8';

export function serviceRoutes(room: Room, settings: DialectSettings): DialectRoute[] {
  return [
    rootRoute(settings),
    liveRoute('/healthz', 'qdrantHealthz'),
    liveRoute('/livez', 'qdrantLivez'),
    readyRoute(room),
    telemetryRoute(room, settings),
    clusterRoute(),
    issuesRoute('GET'),
    issuesRoute('DELETE'),
    quotasRoute(),
  ];
}

function rootRoute({ version }: DialectSettings): DialectRoute {
  return {
    ...ABOUT,
    path: '/',
    operationId: 'qdrantRoot',
    needs: 'none',
    summary: 'Which version of the dialect is spoken here',
    handle: (request, reply) => sendValue(request, reply, { title: TITLE, version }),
  };
}

function sendText(reply: FastifyReply, text: string, status = 200): FastifyReply {
  return reply.code(status).header('content-type', TEXT).send(text);
}

function liveRoute(path: string, operationId: string): DialectRoute {
  return {
    ...ABOUT,
    path,
    operationId,
    needs: 'none',
    summary: 'Does the process turn?',
    handle: (_request, reply) => sendText(reply, `${path.slice(1)} check passed`),
  };
}

function readyRoute(room: Room): DialectRoute {
  return {
    ...ABOUT,
    path: '/readyz',
    operationId: 'qdrantReadyz',
    needs: 'none',
    summary: 'May the server be used?',
    handle: (_request, reply) => {
      const { state, message } = readyBody(room);
      return state === 'ready' ? sendText(reply, 'all shards are ready') : sendText(reply, message, 503);
    },
  };
}

function telemetryRoute(room: Room, { version }: DialectSettings): DialectRoute {
  return {
    ...ABOUT,
    path: '/telemetry',
    operationId: 'qdrantTelemetry',
    needs: 'read',
    summary: 'What runs here, as pages for operators read it',
    handle: (request, reply) => {
      dialectQuery(request, ['details_level', 'anonymize', 'per_collection', 'timeout']);
      const engine = room.service.engine();
      const { collections } = engine.status();
      return sendResult(request, reply, {
        id: idOf(engine.position().historyId),
        app: { name: 'skein', version },
        collections: { number_of_collections: collections },
        cluster: { enabled: false },
      });
    },
  };
}

/** As long as the data is the same history: the text of a UUID. */
function idOf(historyId: string): string {
  const hex = createHash('sha256').update(historyId).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

function clusterRoute(): DialectRoute {
  return {
    ...ABOUT,
    path: '/cluster',
    operationId: 'qdrantCluster',
    needs: 'read',
    looksAtScope: true,
    summary: 'Whether several nodes share the data',
    handle: (request, reply) => {
      dialectQuery(request, ['timeout']);
      return sendResult(request, reply, { status: 'disabled' });
    },
  };
}

function issuesRoute(method: 'GET' | 'DELETE'): DialectRoute {
  return {
    ...ABOUT,
    method,
    path: '/issues',
    operationId: method === 'GET' ? 'qdrantIssues' : 'qdrantClearIssues',
    needs: 'read',
    looksAtScope: true,
    summary: 'Advice to users that this server collects: none',
    handle: (request, reply) => {
      dialectQuery(request, []);
      return sendResult(request, reply, method === 'GET' ? { issues: [] } : true);
    },
  };
}

function quotasRoute(): DialectRoute {
  return {
    ...ABOUT,
    path: '/quotas',
    operationId: 'qdrantQuotas',
    needs: 'read',
    looksAtScope: true,
    summary: 'Quotas of tenants: there are none',
    handle: (request, reply) => {
      dialectQuery(request, []);
      return sendResult(request, reply, {});
    },
  };
}

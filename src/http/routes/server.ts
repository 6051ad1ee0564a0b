/** Routes about the server itself: health, metrics, version, configuration. */

import { Type } from 'typebox';
import { HealthBody, ReadyBody, VersionBody } from '../../wire/http-bodies.js';
import { sendValue, tokenOf } from '../answer.js';
import { queryOf } from '../parameters.js';
import { readyBody, statusOf } from '../readiness.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import type { MetricsText } from '../service.js';
import { healthDetailsRoute } from './health-details.js';

export function serverRoutes(room: Room): Route[] {
  return [
    liveRoute(),
    readyRoute(room),
    healthRoute(room),
    healthDetailsRoute(room),
    ...(room.metrics === null ? [] : [metricsRoute(room.metrics)]),
    versionRoute(room),
    configRoute(room),
  ];
}

const ABOUT = { method: 'GET', tag: 'server' } as const;

function liveRoute(): Route {
  return {
    ...ABOUT,
    path: '/health/live',
    operationId: 'live',
    needs: 'none',
    summary: 'Does the process turn?',
    answer: Type.Object({ status: Type.Literal('healthy') }),
    handle: (request, reply) => sendValue(request, reply, { status: 'healthy' }),
  };
}

function readyRoute(room: Room): Route {
  return {
    ...ABOUT,
    path: '/health/ready',
    operationId: 'ready',
    needs: 'none',
    summary: 'May the server be used? 503 with step, progress and estimate while it starts',
    answer: ReadyBody,
    handle: (request, reply) => {
      const body = readyBody(room);
      return sendValue(request, reply, body, body.state === 'ready' ? 200 : 503);
    },
  };
}

function healthRoute(room: Room): Route {
  return {
    ...ABOUT,
    path: '/health',
    operationId: 'health',
    needs: 'none',
    summary: 'How is the server? 503 when it cannot serve',
    answer: HealthBody,
    handle: async (request, reply) => {
      const ready = readyBody(room);
      if (ready.state !== 'ready') {
        return sendValue(request, reply, { ...ready, reasons: [`${ready.state}: ${ready.message}`] }, 503);
      }
      const engine = room.service.engine();
      const { status: health, reasons } = await room.service.health.report();
      const condition = { status: health, reasons };
      const status = engine.status();
      const facts = {
        collections: status.collections,
        points: status.points,
        position: tokenOf(status.position),
        indexes_building: status.index.building,
        write_queue: status.writeQueue.requests,
        disk_free_bytes: status.storage.diskFreeBytes,
        native_build: room.service.nativeBuild,
        version: room.service.version,
      };
      return sendValue(request, reply, { ...condition, ...facts }, statusOf(condition));
    },
  };
}

function metricsRoute(metrics: MetricsText): Route {
  return {
    ...ABOUT,
    path: '/metrics',
    operationId: 'metrics',
    needs: 'replicate',
    summary: 'Metrics in the Prometheus text format',
    answer: Type.String(),
    answerTypes: ['text/plain'],
    handle: async (_request, reply) => reply.header('content-type', metrics.contentType).send(await metrics.text()),
  };
}

function versionRoute(room: Room): Route {
  return {
    ...ABOUT,
    path: '/v1/version',
    operationId: 'version',
    needs: 'replicate',
    looksAtScope: true,
    summary: 'What runs here',
    answer: VersionBody,
    handle: (request, reply) => {
      queryOf(request, []);
      const { version, nativeBuild } = room.service;
      return sendValue(request, reply, { name: 'skein', version, api: 'v1', node: process.version, native_build: nativeBuild });
    },
  };
}

function configRoute(room: Room): Route {
  return {
    ...ABOUT,
    path: '/v1/config',
    operationId: 'config',
    needs: 'admin',
    summary: 'The configuration in force, secrets masked',
    answer: Type.Object({}, { additionalProperties: true }),
    handle: (request, reply) => {
      queryOf(request, []);
      return sendValue(request, reply, room.service.configuration());
    },
  };
}

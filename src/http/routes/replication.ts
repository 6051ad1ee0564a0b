/** Routes of replication: what it does, and what operators may make it do. */

import type { FastifyReply } from 'fastify';
import { invalidRequest, SkeinError } from '../../model/errors.js';
import { NODE_URL_EXAMPLE, readNodeUrl } from '../../model/node-url.js';
import { type ReplicationStats, replicaNotFound } from '../../model/replication.js';
import { bodyCheck } from '../../wire/check-body.js';
import {
  FollowAnswerBody,
  FollowBody,
  ForgetAnswerBody,
  PromoteAnswerBody,
  PromoteBody,
  ReplicaListBody,
  ReplicationStatsBody,
  ReplicationStatusBody,
  ResyncAnswerBody,
  ResyncBody,
  VerifyAnswerBody,
  VerifyBody,
} from '../../wire/http-bodies.js';
import { sendValue, setPosition } from '../answer.js';
import { noteTarget } from '../audit.js';
import { queryOf } from '../parameters.js';
import { promoteBody, replicaBody, statsBody, verifyBody } from '../replication-body.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import type { ReplicationService } from '../service.js';
import { STREAM_PATH } from '../upgrade.js';

const READ = { method: 'GET', tag: 'replication' } as const;
const ADMINISTER = { method: 'POST', tag: 'replication' } as const;
const checkPromote = bodyCheck(PromoteBody);
const checkFollow = bodyCheck(FollowBody);
const checkResync = bodyCheck(ResyncBody);
const checkVerify = bodyCheck(VerifyBody);

export function replicationRoutes(room: Room): Route[] {
  return [
    statusRoute(room),
    statsRoute(room),
    replicasRoute(room),
    forgetRoute(room),
    promoteRoute(room),
    followRoute(room),
    resyncRoute(room),
    verifyRoute(room),
    streamRoute(),
  ];
}

function statusRoute(room: Room): Route {
  return {
    ...READ,
    path: '/replication/status',
    operationId: 'replicationStatus',
    needs: 'replicate',
    summary: 'Role, figures and replicas of this node; stats are null until its store is open',
    answer: ReplicationStatusBody,
    handle: (request, reply) => {
      queryOf(request, []);
      const { replication } = room.service;
      const stats = statsUnlessStarting(replication);
      if (stats !== null) setStatsPosition(reply, stats);
      return sendValue(request, reply, {
        role: replication.role(),
        enabled: replication.enabled(),
        master_url: replication.masterUrl(),
        stats: stats === null ? null : statsBody(stats),
        replicas: replication.replicas().map(replicaBody),
      });
    },
  };
}

function statsUnlessStarting(replication: ReplicationService): ReplicationStats | null {
  try {
    return replication.stats();
  } catch (error) {
    if (error instanceof SkeinError && error.type === 'Starting') return null;
    throw error;
  }
}

function setStatsPosition(reply: FastifyReply, { position }: ReplicationStats): void {
  if (position !== null) setPosition(reply, position);
}

function statsRoute(room: Room): Route {
  return {
    ...READ,
    path: '/replication/stats',
    operationId: 'replicationStats',
    needs: 'replicate',
    summary: 'Figures of replication of this node',
    answer: ReplicationStatsBody,
    handle: (request, reply) => {
      queryOf(request, []);
      const stats = room.service.replication.stats();
      setStatsPosition(reply, stats);
      return sendValue(request, reply, statsBody(stats));
    },
  };
}

function replicasRoute(room: Room): Route {
  return {
    ...READ,
    path: '/replication/replicas',
    operationId: 'listReplicas',
    needs: 'replicate',
    summary: 'The replicas of this node, connected or not, until they are forgotten',
    answer: ReplicaListBody,
    handle: (request, reply) => {
      queryOf(request, []);
      const replicas = room.service.replication.replicas().map(replicaBody);
      return sendValue(request, reply, { replicas, count: replicas.length });
    },
  };
}

function forgetRoute(room: Room): Route {
  return {
    method: 'DELETE',
    tag: 'replication',
    path: '/replication/replicas/:replica',
    operationId: 'forgetReplica',
    needs: 'admin',
    summary: 'Forget a replica: it is no voter any more and leaves the lists',
    answer: ForgetAnswerBody,
    handle: async (request, reply) => {
      queryOf(request, []);
      const { replica: id } = request.params as { replica: string };
      if (!(await room.service.replication.forget(id))) throw replicaNotFound(id);
      setPosition(reply, room.service.engine().position());
      return sendValue(request, reply, { forgotten: true });
    },
  };
}

function promoteRoute(room: Room): Route {
  return {
    ...ADMINISTER,
    path: '/replication/promote',
    operationId: 'promote',
    needs: 'admin',
    summary: 'Make this replica the master; with force also when the old one cannot hand over',
    body: PromoteBody,
    answer: PromoteAnswerBody,
    handle: async (request, reply) => {
      queryOf(request, []);
      const { force = false } = checkPromote(await room.bodies.read(request, { kind: 'plain' }));
      noteTarget(request, { force: String(force) });
      const answer = await room.service.replication.promote({ force });
      setPosition(reply, answer.position);
      return sendValue(request, reply, promoteBody(answer));
    },
  };
}

function followRoute(room: Room): Route {
  return {
    ...ADMINISTER,
    path: '/replication/follow',
    operationId: 'follow',
    needs: 'admin',
    summary: 'Make this node a replica of another',
    body: FollowBody,
    answer: FollowAnswerBody,
    handle: async (request, reply) => {
      queryOf(request, []);
      const { master_url: given } = checkFollow(await room.bodies.read(request, { kind: 'plain' }));
      const masterUrl = readNodeUrl(given);
      if (masterUrl === null) throw invalidRequest('master_url', `must be the address of a node, such as ${NODE_URL_EXAMPLE}`);
      noteTarget(request, { master: masterUrl });
      await room.service.replication.follow(masterUrl);
      return sendValue(request, reply, { role: room.service.replication.role(), master_url: masterUrl });
    },
  };
}

function resyncRoute(room: Room): Route {
  return {
    ...ADMINISTER,
    path: '/replication/resync',
    operationId: 'resync',
    needs: 'admin',
    summary: 'Start a resync: of this replica, or on the master of the one that is named',
    body: ResyncBody,
    answer: ResyncAnswerBody,
    handle: async (request, reply) => {
      queryOf(request, []);
      const body = checkResync(await room.bodies.read(request, { kind: 'plain' }));
      noteTarget(request, { replica: body.replica_id ?? null, full: String(body.full ?? false) });
      const { mode } = await room.service.replication.resync({ replicaId: body.replica_id ?? null, full: body.full ?? false });
      return sendValue(request, reply, { started: true, mode });
    },
  };
}

function verifyRoute(room: Room): Route {
  return {
    ...ADMINISTER,
    path: '/replication/verify',
    operationId: 'verifyReplicas',
    needs: 'admin',
    summary: 'Compare data at one position: on the master all replicas or one, on a replica itself',
    body: VerifyBody,
    answer: VerifyAnswerBody,
    handle: async (request, reply) => {
      queryOf(request, []);
      const body = checkVerify(await room.bodies.read(request, { kind: 'plain' }));
      const { replication } = room.service;
      const answer = await replication.verify({ replicaId: body.replica_id ?? null, repair: body.repair ?? false });
      setPosition(reply, answer.position);
      return sendValue(request, reply, verifyBody(answer));
    },
  };
}

/** What a caller gets who did not ask for the upgrade; those who did never come here (http/upgrade.ts). */
function streamRoute(): Route {
  return {
    ...READ,
    path: STREAM_PATH,
    operationId: 'replicationStream',
    needs: 'none',
    summary: 'The channel of replication: a WebSocket between nodes, with an authentication of its own',
    handle: () => {
      throw invalidRequest('upgrade', 'this is the channel of replication; it asks for upgrade: websocket');
    },
  };
}

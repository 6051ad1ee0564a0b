/** Whether the server may be used: what the health routes say before they look closer. Must not know: routes, components. */

import { SkeinError } from '../model/errors.js';
import type { HealthBody, ReadyBody } from '../wire/http-bodies.js';
import type { Room } from './room.js';

export function readyBody(room: Room): ReadyBody {
  const { step, progress, etaMs, message } = room.service.startProgress();
  const state = readiness(room);
  const ready = {
    status: state === 'ready' ? 'healthy' : 'unhealthy',
    ...{ state, step, progress, eta_ms: etaMs, message },
    ...{ role: room.service.replication.role(), epoch: epochOf(room) },
  } as const;
  return state === 'draining' ? { ...ready, message: 'about to stop; it still serves' } : ready;
}

function epochOf({ service }: Room): number | null {
  try {
    return service.engine().status().position.epoch;
  } catch (error) {
    if (error instanceof SkeinError) return null;
    throw error;
  }
}

function readiness(room: Room): ReadyBody['state'] {
  if (room.closing.now) return 'stopping';
  try {
    room.service.engine();
    return room.service.guards.draining ? 'draining' : 'ready';
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
    return error.type === 'ShuttingDown' ? 'stopping' : 'starting';
  }
}

/** The HTTP status of a health answer. */
export function statusOf({ status }: Pick<HealthBody, 'status'>): number {
  return status === 'unhealthy' ? 503 : 200;
}

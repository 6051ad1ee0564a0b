/** Whether the server may be used: what the health routes say before they look closer. Must not know: routes, components. */

import { SkeinError } from '../model/errors.js';
import type { HealthBody, ReadyBody } from '../wire/http-bodies.js';
import type { Room } from './room.js';

export function readyBody(room: Room): ReadyBody {
  const { step, progress, etaMs, message } = room.service.startProgress();
  const state = readiness(room);
  return { status: state === 'ready' ? 'healthy' : 'unhealthy', state, step, progress, eta_ms: etaMs, message };
}

function readiness(room: Room): ReadyBody['state'] {
  if (room.closing.now || room.service.guards.draining) return 'stopping';
  try {
    room.service.engine();
    return 'ready';
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
    return error.type === 'ShuttingDown' ? 'stopping' : 'starting';
  }
}

/** The HTTP status of a health answer. */
export function statusOf({ status }: Pick<HealthBody, 'status'>): number {
  return status === 'unhealthy' ? 503 : 200;
}

/** Whether the server may be used, and what it has to say of itself when it may: shared by the health routes.
 *  Must not know: routes. */

import type { EngineStatus } from '../engine/engine.js';
import { SkeinError } from '../model/errors.js';
import type { HealthBody, ReadyBody } from '../wire/http-bodies.js';
import type { Room } from './room.js';

export function readyBody(room: Room): ReadyBody {
  const { step, progress, etaMs, message } = room.service.startProgress();
  const state = readiness(room);
  return { status: state === 'ready' ? 'healthy' : 'unhealthy', state, step, progress, eta_ms: etaMs, message };
}

function readiness(room: Room): ReadyBody['state'] {
  try {
    room.service.engine();
    return 'ready';
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
    return error.type === 'ShuttingDown' ? 'stopping' : 'starting';
  }
}

/** How it is although it serves: no search can be answered, something is less than it should be, or all is well. */
export function conditionOf(room: Room, status: EngineStatus): Pick<HealthBody, 'status' | 'reasons'> {
  const reasons = degradedBy(room, status);
  const used = [status.search.vector, status.search.text].filter(({ collections }) => collections > 0);
  if (used.length > 0 && used.every(({ breaker }) => breaker !== 'closed')) return { status: 'unhealthy', reasons };
  return { status: reasons.length === 0 ? 'healthy' : 'degraded', reasons };
}

/** One sentence each. */
function degradedBy(room: Room, { storage, index, search }: EngineStatus): string[] {
  const reasons = [...room.service.concerns()];
  if (storage.full) reasons.push('the disk is full or below its watermark: writes are refused');
  if (storage.readOnly) reasons.push('the data folder cannot be written: writes are refused');
  if (index.lagBytes > room.limits.indexLagBytesMax / 2) reasons.push('the indexes are far behind the log');
  for (const engine of ['vector', 'text'] as const) {
    const { breaker, loading, stalled } = search[engine];
    if (breaker !== 'closed') reasons.push(`the ${engine} index failed repeatedly and is hardly asked any more`);
    if (stalled > 0) reasons.push(`a thread of the ${engine} indexes has stood still for seconds`);
    if (loading > 0) reasons.push(`${loading} ${engine} ${loading === 1 ? 'index is' : 'indexes are'} not there yet`);
  }
  if (search.fallback.active) reasons.push('hybrid searches are answered by one engine alone');
  return reasons;
}

/** The HTTP status of a health answer. */
export function statusOf({ status }: Pick<HealthBody, 'status'>): number {
  return status === 'unhealthy' ? 503 : 200;
}

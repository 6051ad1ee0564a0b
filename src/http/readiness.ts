/** Whether the server may be used, and what it has to say of itself when it may: shared by the health routes.
 *  Must not know: routes. */

import type { EngineStatus } from '../engine/engine.js';
import { SkeinError } from '../model/errors.js';
import type { ReadyBody } from '../wire/http-bodies.js';
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

/** Why it is degraded although it serves, one sentence each. */
export function degradedBy(room: Room, { storage, index, search }: EngineStatus): string[] {
  const reasons = [...room.service.concerns()];
  if (storage.full) reasons.push('the disk is full or below its watermark: writes are refused');
  if (storage.readOnly) reasons.push('the data folder cannot be written: writes are refused');
  if (index.lagBytes > room.limits.indexLagBytesMax / 2) reasons.push('the indexes are far behind the log');
  for (const engine of ['vector', 'text'] as const) {
    const { breaker, loading } = search[engine];
    if (breaker !== 'closed') reasons.push(`the ${engine} index failed repeatedly and is hardly asked any more`);
    if (loading > 0) reasons.push(`${loading} ${engine} ${loading === 1 ? 'index is' : 'indexes are'} not there yet`);
  }
  if (search.fallback.active) reasons.push('hybrid searches are answered by one engine alone');
  return reasons;
}

/** What a search ends with that no engine answered. Must not know: how engines are asked. */

import { messageOf, SkeinError } from '../model/errors.js';
import { isEngineFailure } from './engine-calls.js';
import { isAbandoned } from './given-up.js';

/** A timer may fire so much before its time, as clocks are rounded. */
const TIMER_EARLY_MS = 2;

/** What ends a search that one engine alone was asked for, or both in vain. @param leftMs of the search's own time */
export function unavailable(failed: readonly { readonly engine: string; readonly error: unknown }[], leftMs: number): unknown {
  const fault = failed.find(({ error }) => !isEngineFailure(error));
  if (fault !== undefined) return fault.error;
  const given = failed.find(({ error }) => isAbandoned(error));
  if (given !== undefined) return given.error;
  const behind = failed.find(({ error }) => error instanceof SkeinError && error.type === 'IndexBehind');
  if (behind !== undefined) return behind.error;
  if (leftMs < TIMER_EARLY_MS) return new SkeinError('Timeout', 'The search took longer than it had time', {});
  const reasons = failed.map(({ engine, error }) => ({ engine, message: messageOf(error) }));
  return new SkeinError('SearchUnavailable', 'No search engine could answer', { failed: reasons });
}

/** Scopes of the log: one piece of work as its start, and its end with what it took and what it came to.
 *
 *    name_started (debug) ─► name_completed (info) | name_failed (error; warn when the caller was refused, or the server stops), both with duration_ms and all fields
 *
 *  Fields name the work; what is learned on the way is added to the scope. Must not know: what the work is. */

import type { Clock } from './clock.js';
import { SkeinError } from './errors.js';
import type { Log, LogFields } from './log.js';

export interface OperationScope {
  /** Fields for the line that ends the scope; a later value of a name replaces an earlier one. */
  add(fields: LogFields): void;
}

export interface LoggedOperation {
  readonly log: Log;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** In snake_case, as events are. */
  readonly name: string;
  readonly fields?: LogFields;
}

/** Runs `work` and logs how it went. @returns what it returns @throws what it throws */
export async function logOperation<Result>(
  { log, clock, name, fields = {} }: LoggedOperation,
  work: (scope: OperationScope) => Promise<Result>,
): Promise<Result> {
  const startMs = clock.monotonicMs();
  let found = fields;
  const ended = (): LogFields => ({ ...found, duration_ms: Math.round((clock.monotonicMs() - startMs) * 1_000) / 1_000 });
  log.debug(`${name}_started`, fields);
  try {
    const result = await work({ add: (more) => (found = { ...found, ...more }) });
    log.info(`${name}_completed`, ended());
    return result;
  } catch (error) {
    // What the caller did wrong is no failure of ours, nor is what a stop broke off.
    const isOurs = !(error instanceof SkeinError && (error.status < 500 || error.type === 'ShuttingDown'));
    const level = isOurs ? 'error' : 'warn';
    log[level](`${name}_failed`, { ...ended(), error });
    throw error;
  }
}

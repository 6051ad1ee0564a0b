/** What the HTTP room asks of whoever looks after the process, before it begins any work. `node` hands it in.
 *  Must not know: how load is measured. */

import type { SkeinError } from '../model/errors.js';

/** search: asks the indexes of vectors; read: what is stored, by id or in order; write: adds to what is stored; free: only takes away from
 *  it, or is refused where it adds. What is of none of these is never refused. */
export type Work = 'search' | 'read' | 'write' | 'free';

export interface GuardService {
  /** Why this work is not begun now, or null. Asked once a request, before anything of it is read. Cost: a look at some numbers.
   *  @returns Overloaded (reason: event_loop, search_queue), MemoryLimitExceeded */
  refusal(work: Work): SkeinError | null;
  /** Why a connection that was just made is not used for such work, or null. @returns Overloaded (reason: handles) */
  connectionRefusal(): SkeinError | null;
  /** The node is about to stop, still serves, and wants no new connections: /health/ready says so. */
  readonly draining: boolean;
}

/** Whoever serves without guards. */
export const UNGUARDED_HTTP: GuardService = { refusal: () => null, connectionRefusal: () => null, draining: false };

/** What a refused call threw, as a test wants to look at it. */

import { type ErrorRecord, SkeinError } from '../../src/model/errors.js';

/** @throws Error when nothing, or nothing typed, was thrown */
export async function rejectionOf(action: Promise<unknown>): Promise<ErrorRecord> {
  const [outcome] = await Promise.allSettled([action]);
  return refusalOf(() => {
    if (outcome.status === 'rejected') throw outcome.reason;
  });
}

/** @throws Error when nothing, or nothing typed, was thrown */
export function refusalOf(action: () => unknown): ErrorRecord {
  try {
    action();
  } catch (error) {
    if (error instanceof SkeinError) return error.toRecord();
    throw error;
  }
  throw new Error('nothing was refused');
}

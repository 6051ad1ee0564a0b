/** Several works of which each must be over before anything is said of them together. Must not know: what they do. */

/** Waits until all have ended, also when one fails. @throws the failure of the first one in their order that failed */
export async function allEnded(works: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(works);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

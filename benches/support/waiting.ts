/** Waiting for time to pass and for conditions, with a deadline that names what did not come. */

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks again and again until the answer is something. @throws Error when `deadlineMs` passed first */
export async function waitFor<T>(
  what: string,
  deadlineMs: number,
  intervalMs: number,
  ask: () => Promise<T | null> | T | null,
): Promise<T> {
  const untilMs = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > untilMs) throw new Error(`${what} did not come within ${deadlineMs} ms`);
    await delay(intervalMs);
  }
}

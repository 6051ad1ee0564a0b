/** Searches while the worker of one index stands still, on a machine that may stand still as a whole. Must not know: faults, limits. */

import type { RunningEngine, SearchAnswer, SearchRequest } from '../../src/engine/engine.js';
import { SkeinError } from '../../src/model/errors.js';
import { waitUntil } from '../support/wait-until.js';

/** @returns the answer and how long it took, in milliseconds */
export async function timed<T>(work: Promise<T>): Promise<{ answer: T; ms: number }> {
  const startMs = performance.now();
  const answer = await work;
  return { answer, ms: performance.now() - startMs };
}

/** The answer to a search that has little time. It is asked again when neither index answered: then the whole machine stood still. */
export async function besideStall<Answer extends object>(search: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer | null = null;
  await waitUntil(
    async () => {
      answer = await search().catch((error: unknown) => {
        if (isLate(error)) return null;
        throw error;
      });
      return answer;
    },
    { what: 'an answer of the other index' },
  );
  return answer as unknown as Answer;
}

function isLate(error: unknown): boolean {
  if (!(error instanceof SkeinError)) return false;
  const failed = (error.details['failed'] ?? []) as readonly { readonly message: string }[];
  return failed.length === 2 && failed.every(({ message }) => message.includes('did not answer within'));
}

/** Searches of collection c until the breaker of the index that stands still is open.
 *  @returns what they were answered, and how long the longest took, in milliseconds */
export async function openedByStall(
  engine: RunningEngine,
  broken: 'text' | 'vector',
  request: SearchRequest,
): Promise<{ answers: SearchAnswer[]; ms: number }> {
  const answers: SearchAnswer[] = [];
  let longestMs = 0;
  while (engine.status().search[broken].breaker === 'closed') {
    const { answer, ms } = await besideStall(() => timed(engine.search('c', request)));
    answers.push(answer);
    longestMs = Math.max(longestMs, ms);
  }
  return { answers, ms: longestMs };
}

/** Questions to the indexes of one worker: each is begun when it comes; what is not answered at once goes on in slices, oldest first, and
 *  those of the background when there is no other.
 *
 *  A question that nobody waits for any more is dropped. Invariant: every question is answered or refused once.
 *  Must not know: messages, what is asked. */

import { type ErrorRecord, messageOf, SkeinError } from '../model/errors.js';
import type { AskRun } from './ask-run.js';
import { abandoned } from './given-up.js';
import type { IndexAnswers, IndexAskKind } from './index-asks.js';

/** How long a question may take when it comes, before others get their turn. */
const FIRST_SLICE_MS = 4;
/** What comes while a slice runs waits for its end, so that of nobody's question is short. */
const BACKGROUND_SLICE_MS = 1;

export interface BegunAsk {
  readonly run: AskRun;
  readonly background: boolean;
  /** The content may change again. */
  end(): void;
}

export interface AskReply {
  /** @param workMs what it took, without its waits */
  answer(answer: IndexAnswers[IndexAskKind], workMs: number): void;
  refuse(error: ErrorRecord, workMs: number): void;
}

/** How long an answer is of use. */
export interface AskUse {
  /** Date.now() from which on it is of none. */
  readonly untilMs: number;
  /** Does nobody wait for it any more? */
  isGivenUp(): boolean;
}

interface OpenAsk extends BegunAsk {
  readonly reply: AskReply;
  readonly use: AskUse;
  workMs: number;
}

export class AsksInTurn {
  #open: OpenAsk[] = [];

  get waiting(): number {
    return this.#open.length;
  }

  begin(begin: () => BegunAsk, reply: AskReply, use: AskUse): void {
    let begun: BegunAsk;
    try {
      if (use.isGivenUp()) throw abandoned();
      begun = begin();
    } catch (error) {
      return reply.refuse(recordOf(error), 0);
    }
    const ask = { ...begun, reply, use, workMs: 0 };
    if (ask.background || !this.#advance(ask, FIRST_SLICE_MS)) this.#open.push(ask);
  }

  /** Goes on with the next question, each in its turn. */
  advance(budgetMs: number): void {
    const next = this.#open.find(({ background }) => !background) ?? this.#open[0];
    if (next === undefined) return;
    const sliceMs = next.background ? Math.min(budgetMs, BACKGROUND_SLICE_MS) : budgetMs;
    this.#open.splice(this.#open.indexOf(next), 1);
    if (!this.#advance(next, sliceMs)) this.#open.push(next);
  }

  /** @returns true when it is over */
  #advance(ask: OpenAsk, budgetMs: number): boolean {
    const { run, end, reply, use } = ask;
    const startMs = performance.now();
    try {
      mustBeOfUse(use);
      const answer = run.advance(budgetMs);
      ask.workMs += performance.now() - startMs;
      if (answer === null) return false;
      end();
      reply.answer(answer, ask.workMs);
    } catch (error) {
      end();
      reply.refuse(recordOf(error), ask.workMs);
    }
    return true;
  }
}

/** @throws Timeout */
function mustBeOfUse({ untilMs, isGivenUp }: AskUse): void {
  if (isGivenUp()) throw abandoned();
  if (Date.now() >= untilMs) throw new SkeinError('Timeout', 'The index had no time to answer', {});
}

function recordOf(error: unknown): ErrorRecord {
  if (error instanceof SkeinError) return error.toRecord();
  return { type: 'Internal', message: messageOf(error), details: {} };
}

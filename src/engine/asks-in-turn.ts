/** Questions to the indexes of one worker: each is begun when it comes; what is not answered at once goes on in slices, oldest first.
 *
 *  A question that nobody waits for any more is dropped. Invariant: every question is answered or refused once.
 *  Must not know: messages, what is asked. */

import { type ErrorRecord, messageOf, SkeinError } from '../model/errors.js';
import type { AskRun } from './ask-run.js';
import type { IndexAnswers, IndexAskKind } from './index-asks.js';

/** How long a question may take when it comes, before others get their turn. */
const FIRST_SLICE_MS = 4;

export interface BegunAsk {
  readonly run: AskRun;
  /** The content may change again. */
  end(): void;
}

export interface AskReply {
  answer(answer: IndexAnswers[IndexAskKind]): void;
  refuse(error: ErrorRecord): void;
}

interface OpenAsk extends BegunAsk {
  readonly reply: AskReply;
  readonly untilMs: number;
}

export class AsksInTurn {
  #open: OpenAsk[] = [];

  get waiting(): number {
    return this.#open.length;
  }

  /** @param untilMs Date.now() from which on the answer is of no use */
  begin(begin: () => BegunAsk, reply: AskReply, untilMs: number): void {
    let begun: BegunAsk;
    try {
      begun = begin();
    } catch (error) {
      return reply.refuse(recordOf(error));
    }
    const ask = { ...begun, reply, untilMs };
    if (!this.#advance(ask, FIRST_SLICE_MS)) this.#open.push(ask);
  }

  /** Goes on with the oldest question. */
  advance(budgetMs: number): void {
    const [oldest] = this.#open;
    if (oldest !== undefined && this.#advance(oldest, budgetMs)) this.#open.shift();
  }

  /** @returns true when it is over */
  #advance({ run, end, reply, untilMs }: OpenAsk, budgetMs: number): boolean {
    try {
      if (Date.now() >= untilMs) throw new SkeinError('Timeout', 'The index had no time to answer', {});
      const answer = run.advance(budgetMs);
      if (answer === null) return false;
      end();
      reply.answer(answer);
    } catch (error) {
      end();
      reply.refuse(recordOf(error));
    }
    return true;
  }
}

function recordOf(error: unknown): ErrorRecord {
  if (error instanceof SkeinError) return error.toRecord();
  return { type: 'Internal', message: messageOf(error), details: {} };
}

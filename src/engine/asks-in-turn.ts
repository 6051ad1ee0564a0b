/** Questions to the indexes of one worker: each is begun when it comes, and answered at once when no other is open; else they take turns.
 *
 *    fresh ── first slice, in the order they came ─► answered, or ─► begun ── slices, round and round ─► answered
 *
 *  Fresh and begun ones take turns, so that a short question is not behind a long one, and no stream of short ones holds up those that needed
 *  a little more. Those of the background have what time is left. A question that nobody waits for any more is dropped.
 *  Invariant: every question is answered or refused once. Must not know: messages, what is asked. */

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
  readonly #fresh: OpenAsk[] = [];
  readonly #begun: OpenAsk[] = [];
  readonly #background: OpenAsk[] = [];
  #begunIsNext = false;

  get waiting(): number {
    return this.#fresh.length + this.#begun.length + this.#background.length;
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
    if (ask.background) this.#background.push(ask);
    else if (this.#fresh.length + this.#begun.length > 0) this.#fresh.push(ask);
    else if (!this.#advance(ask, FIRST_SLICE_MS)) this.#begun.push(ask);
  }

  /** Goes on with the next question, each in its turn. */
  advance(budgetMs: number): void {
    const from = this.#next();
    const ask = from.shift();
    if (ask === undefined) return;
    this.#begunIsNext = from === this.#fresh;
    const sliceMs = from === this.#fresh ? FIRST_SLICE_MS : ask.background ? Math.min(budgetMs, BACKGROUND_SLICE_MS) : budgetMs;
    if (!this.#advance(ask, sliceMs)) (ask.background ? this.#background : this.#begun).push(ask);
  }

  #next(): OpenAsk[] {
    if (this.#fresh.length > 0 && !(this.#begunIsNext && this.#begun.length > 0)) return this.#fresh;
    return this.#begun.length > 0 ? this.#begun : this.#background;
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

/** Ending early: signals that hang on a caller's, and pauses that such a signal cuts. One listener stands at the caller's signal however many calls
 *  hang on it: Node warns of a leak at the eleventh, and AbortSignal.any leaves a trace of every call at a signal that lives on. Must not know: calls. */

/** What is to happen when a signal ends, for as long as there is anything. */
const reactions = new WeakMap<AbortSignal, Set<() => void>>();

/** A signal that ends by itself or, with the same reason, with its parent. Whoever makes one releases or aborts it. */
export class ChildAbort {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #follow = (): void => this.#controller.abort(this.#parent?.reason);

  constructor(parent: AbortSignal | undefined) {
    this.#parent = parent;
    if (parent?.aborted === true) this.#follow();
    else if (parent !== undefined) react(parent, this.#follow);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Once: a later reason changes nothing. */
  abort(reason?: unknown): void {
    this.release();
    this.#controller.abort(reason);
  }

  /** From now on the parent may end without it. */
  release(): void {
    if (this.#parent !== undefined) reactions.get(this.#parent)?.delete(this.#follow);
  }
}

function react(signal: AbortSignal, follow: () => void): void {
  const known = reactions.get(signal);
  if (known !== undefined) return void known.add(follow);
  const all = new Set([follow]);
  reactions.set(signal, all);
  const tellAll = (): void => {
    for (const one of [...all]) one();
  };
  signal.addEventListener('abort', tellAll, { once: true });
}

/** Timers know no longer time (2^31−1 ms): they would be over at once. */
const TIMER_MS_MAX = 2_147_483_647;

/** @returns undefined where that is never, as far as a program lives: more than 24 days, or infinity */
export function timerFor(ms: number, over: () => void): ReturnType<typeof setTimeout> | undefined {
  return ms > TIMER_MS_MAX ? undefined : setTimeout(over, ms);
}

/** Resolves after so long, or as soon as the signal ends. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}

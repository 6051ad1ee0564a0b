/** Hedged reads: a second node is asked when the first takes long; the first answer counts, the other request is given up.
 *
 *  When, and how often, are decided here: after a fixed time, or after what 19 of 20 answers took lately; and never more than one plus a share of
 *  all reads (token bucket), so that a cluster that is slow altogether is not asked twice as much. Source: Dean and Barroso, The Tail at Scale
 *  (2013). Must not know: nodes, requests, sockets. */

export interface HedgeSettings {
  /** How long the first node has: milliseconds, or `p95`, what 95 of 100 answers took lately. */
  readonly afterMs: number | 'p95';
  /** So large a share of reads may ask a second node. Default 0.1. */
  readonly shareMax?: number;
}

const SHARE = 0.1;
/** Reads that were not hedged let later ones be, up to so many in a row. */
const TOKENS_MAX = 10;
const SAMPLES_MAX = 256;
/** With fewer answers nobody knows what long is. */
const SAMPLES_MIN = 20;
/** The figure is made anew after so many answers. */
const SAMPLES_BETWEEN = 16;
const AFTER_MS_MIN = 1;

export class Hedging {
  readonly #settings: HedgeSettings;
  readonly #share: number;
  #tokens = 1;
  readonly #tookMs: number[] = [];
  #count = 0;
  #p95Ms: number | null = null;

  /** @throws RangeError for a time or a share that is none */
  constructor(settings: HedgeSettings) {
    const { afterMs, shareMax = SHARE } = settings;
    if (afterMs !== 'p95' && !(afterMs >= 0 && Number.isFinite(afterMs)))
      throw new RangeError('hedge.afterMs: milliseconds, or p95');
    if (!(shareMax > 0 && shareMax <= 1)) throw new RangeError('hedge.shareMax: more than 0, at most 1');
    this.#settings = settings;
    this.#share = shareMax;
  }

  /** A read begins. @returns how long its first node has; null: not known yet, so that it has the time it needs */
  begin(): number | null {
    this.#tokens = Math.min(TOKENS_MAX, this.#tokens + this.#share);
    const { afterMs } = this.#settings;
    return afterMs === 'p95' ? this.#p95Ms : afterMs;
  }

  /** May a second node be asked? Takes it from what is left. */
  take(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** A read was answered after so long, by whomever. */
  took(ms: number): void {
    this.#tookMs[this.#count % SAMPLES_MAX] = ms;
    this.#count += 1;
    if (this.#count < SAMPLES_MIN || (this.#p95Ms !== null && this.#count % SAMPLES_BETWEEN !== 0)) return;
    const sorted = Float64Array.from(this.#tookMs).sort();
    this.#p95Ms = Math.max(AFTER_MS_MIN, sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0);
  }
}

/** Why a request was given up: another node has answered. */
export const OVERTAKEN = new Error('another node answered first');

export interface HedgedParts<Answer> {
  readonly afterMs: number;
  /** Of the call; the two requests end with it. */
  readonly signal: AbortSignal;
  first(signal: AbortSignal): Promise<Answer>;
  /** @returns what asks a second node; null: there is none, or it may not be asked */
  second(): ((signal: AbortSignal) => Promise<Answer>) | null;
  /** Would a second answer be no better? */
  isFinal(error: unknown): boolean;
}

/** Asks one, and a second when the first has not answered in time. @throws what the first threw, or a final error of either */
export async function hedged<Answer>({ afterMs, signal, first, second, isFinal }: HedgedParts<Answer>): Promise<Answer> {
  const overtaken = new AbortController();
  const both = AbortSignal.any([signal, overtaken.signal]);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const asked = [first(both)];
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, afterMs, null);
    });
    const early = await Promise.race([asked[0], late]);
    if (early !== null) return early as Answer;
    const askSecond = second();
    if (askSecond !== null) asked.push(askSecond(both));
    return await firstGood(asked, isFinal);
  } finally {
    clearTimeout(timer);
    overtaken.abort(OVERTAKEN);
  }
}

/** The first answer; else the first error when all have failed, or one that is final at once. */
function firstGood<Answer>(asked: readonly Promise<Answer>[], isFinal: (error: unknown) => boolean): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let open = asked.length;
    let failure: unknown;
    for (const one of asked) {
      one.then(resolve, (error: unknown) => {
        open -= 1;
        failure ??= error;
        if (isFinal(error)) reject(error);
        else if (open === 0) reject(failure);
      });
    }
  });
}

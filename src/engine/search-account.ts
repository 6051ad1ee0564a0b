/** What a search tells of how it was answered: in short with every answer, at length where it is asked to explain itself.
 *  Plain data. Must not know: how a search runs. */

export interface Explanation {
  readonly plan: string;
  readonly reason: string;
  readonly cardinality: { readonly estimated: number; readonly actual: number };
  readonly visited: number;
  readonly rejected: number;
  readonly steps: readonly { readonly name: string; readonly tookMs: number }[];
  readonly engines: { readonly vector?: Readonly<Record<string, unknown>>; readonly text?: Readonly<Record<string, unknown>> };
  readonly advice: readonly string[];
}

/** How a search was answered, in short; what `explain` says at length. */
export interface SearchWork {
  readonly plan: string;
  readonly reason: string;
  /** Points that were thought to match, and those that did. */
  readonly estimated: number;
  readonly matches: number;
  readonly visited: number;
  readonly rejected: number;
}

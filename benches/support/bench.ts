/** What a benchmark is and what it hands back: tables for people, figures for the summary and for the list of things that must hold.
 *
 *  A figure is one number; with a bound it either holds or does not. Ratios are against hnswlib-node alone, measured in the same run.
 *  Sizes are the full ones times SKEIN_BENCH_SCALE (0.1 for a smoke run), so that only a run at scale 1 says anything. */

export interface Bound {
  readonly kind: 'at least' | 'at most';
  readonly value: number;
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  /** Empty for ratios and shares. */
  readonly unit: string;
  readonly bound?: Bound;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}
export type Cell = string | number;

export interface BenchResult {
  readonly tables: readonly Table[];
  readonly figures: readonly Figure[];
  /** Sentences about what the numbers mean or why something was not measured. */
  readonly notes: readonly string[];
}

export interface Bench {
  /** As it is called on the command line. */
  readonly name: string;
  readonly about: string;
  run(progress: Progress): Promise<BenchResult>;
}

/** Tells a person that something long goes on. */
export type Progress = (step: string) => void;

/** The bench's own share of the full size. */
export const scale = readScale();

function readScale(): number {
  const text = process.env['SKEIN_BENCH_SCALE'] ?? '1';
  const value = Number(text);
  if (!(value > 0 && value <= 10)) throw new RangeError(`SKEIN_BENCH_SCALE is ${text}, not a number above 0 and up to 10`);
  return value;
}

/** A count at the chosen scale; never below `least`. */
export function scaled(full: number, least = 1): number {
  return Math.max(least, Math.round(full * scale));
}

/** How long a measurement lasts at the chosen scale. */
export function scaledMs(fullMs: number): number {
  return Math.max(400, Math.round(fullMs * Math.min(1, scale)));
}

export function atLeast(value: number): Bound {
  return { kind: 'at least', value };
}

export function atMost(value: number): Bound {
  return { kind: 'at most', value };
}

export function holds({ value, bound }: Figure): boolean {
  if (bound === undefined) return true;
  return bound.kind === 'at least' ? value >= bound.value : value <= bound.value;
}

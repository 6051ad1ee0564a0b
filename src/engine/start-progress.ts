/** How far the start of a node is, as health and refusals say it. Must not know: what the steps do. */

export interface StartProgress {
  readonly step: 'lock' | 'verify' | 'open' | 'indexes' | 'sync' | 'ready';
  /** 0 … 1 within the step. */
  readonly progress: number;
  readonly etaMs: number | null;
  readonly message: string;
}

/** Errors of a process by type, as they are told and as they are shown. */

import type { LogFields } from './log.js';

export interface ErrorFigure {
  /** Of our error table, the name of an Error, or the event of the log that reported it. */
  readonly type: string;
  /** Since the start. */
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly lastMessage: string;
  /** Null for what a caller was refused. */
  readonly lastStack: string | null;
  readonly lastContext: Readonly<Record<string, string | number | boolean | null>>;
}

/** Most frequent first. */
export type ErrorReport = readonly ErrorFigure[];

export interface ErrorSink {
  /** @param context what it was about: names and ids, no data */
  note(error: unknown, context: LogFields): void;
}

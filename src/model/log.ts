/** The log of the process (not the operation log): structured events, written by observability, handed down. */

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** From the most talkative to none. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = 'auto' | 'json' | 'pretty';

/** How the log is doing; plain data. */
export interface LogStatus {
  readonly level: LogLevel;
  /** Null: standard error. */
  readonly file: string | null;
  /** Lines that their destination did not take, since the start. */
  readonly lostLines: number;
}

export interface LogControl {
  status(): LogStatus;
  /** From the next line on. */
  setLevel(level: LogLevel): void;
}

/** A file that is followed by others when it is full: `path`, then `path.1` (the newest before it) to `path.<filesMax>`. */
export interface LogFileOptions {
  readonly path: string;
  readonly bytesMax: number;
  /** Full ones that are kept beside the one that is written. */
  readonly filesMax: number;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** auto: pretty on a terminal, else json. A file is always json. */
  readonly format: LogFormat;
  /** Null: standard error. */
  readonly file: LogFileOptions | null;
  /** Texts that no line may show, whatever brought them there. */
  readonly secrets: readonly string[];
}

/** The log of a process with what belongs to it. */
export interface ProcessLog extends Log {
  readonly control: LogControl;
}

export const silentProcessLog: ProcessLog = {
  ...silentLog,
  control: { status: () => ({ level: 'silent', file: null, lostLines: 0 }), setLevel() {} },
};

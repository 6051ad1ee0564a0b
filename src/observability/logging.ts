/** The process's log over pino: one JSON object a line, or a line for people on a terminal; to standard error, so that standard output
 *  stays with what a command prints, or to a file. Errors are written with type, message and stack; secrets never get out.
 *
 *  Invariant: a destination that fails (a full disk, a closed pipe, a reader that hangs) loses lines, which are counted, and nothing else.
 *  Must not know: who logs. */

import { type Logger, pino } from 'pino';
import type { LogControl, LogFields, LogFormat, LogLevel, LogOptions, ProcessLog } from '../model/log.js';
import { LogFile } from './log-file.js';
import { secretMask, writable } from './redaction.js';
import { flushStandardError, standardError } from './standard-error.js';

const NUMBERED: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

/** Where lines go. */
interface Destination {
  readonly lostLines: number;
  write(line: string): void;
}

/** @throws Error when the file of the log cannot be there */
export function createLog({ level, format, file, secrets }: LogOptions): ProcessLog {
  const errors = standardError();
  const destination = file === null ? errors : new LogFile({ ...file, ...systemParts(errors) });
  const masked = secretMask(secrets);
  const pretty = file === null && isPretty(format);
  const stream = { write: (line: string) => destination.write(pretty ? prettyLine(masked(line)) : masked(line)) };
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(pretty ? { level, base: null } : options, stream);
  return { ...logOver(logger), control: controlOver(logger, destination, file?.path ?? null) };
}

/** Of what ends the process before or beside any configured log. */
export function lastWords(event: string, error: unknown): void {
  createLog({ level: 'error', format: 'auto', file: null, secrets: [] }).error(event, { error });
  flushLog();
}

/** Before the process ends: lines that wait for their reader go out, if it takes them within a second. */
export function flushLog(): void {
  flushStandardError();
}

function isPretty(format: LogFormat): boolean {
  return format === 'pretty' || (format === 'auto' && process.stderr.isTTY === true);
}

function systemParts(errors: Destination) {
  return { nowMs: () => performance.now(), instead: (line: string) => errors.write(line) };
}

function controlOver(logger: Logger, destination: Destination, file: string | null): LogControl {
  return {
    status: () => ({ level: logger.level as LogLevel, file, lostLines: destination.lostLines }),
    setLevel: (level) => {
      logger.level = level;
    },
  };
}

function logOver(logger: Logger): Pick<ProcessLog, 'debug' | 'info' | 'warn' | 'error'> {
  return {
    debug: (event, fields) => {
      // Said with every request, and hardly ever heard.
      if (logger.isLevelEnabled('debug')) logger.debug(shown(fields), event);
    },
    info: (event, fields) => {
      if (logger.isLevelEnabled('info')) logger.info(shown(fields), event);
    },
    warn: (event, fields) => {
      if (logger.isLevelEnabled('warn')) logger.warn(shown(fields), event);
    },
    error: (event, fields) => {
      if (logger.isLevelEnabled('error')) logger.error(shown(fields), event);
    },
  };
}

function shown(fields: LogFields = {}): Record<string, unknown> {
  return writable(fields);
}

/** "12:00:01.234 warn  disk_full  free_bytes=12" */
function prettyLine(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as { level: number; time: number; msg: string } & Record<
    string,
    unknown
  >;
  const at = new Date(time).toISOString().slice(11, 23);
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${at} ${(NUMBERED[level] ?? 'info').padEnd(5)} ${msg}${rest.length > 0 ? `  ${rest.join(' ')}` : ''}\n`;
}

/** The process's log over pino: one JSON object a line, or a line for people on a terminal. To standard error, so that standard output
 *  stays with what a command prints. Errors are written with type, message and stack; secrets never get here.
 *  Must not know: who logs. */

import { type Logger, pino } from 'pino';
import type { Log, LogFields } from '../model/log.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogFormat = 'auto' | 'json' | 'pretty';

const STDERR = 2;
const NUMBERED: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

/** @param format auto: pretty on a terminal, else json */
export function createLog(level: LogLevel, format: LogFormat): Log {
  const pretty = format === 'pretty' || (format === 'auto' && process.stderr.isTTY === true);
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pretty
    ? pino({ level, base: null }, prettyStream())
    : pino(options, pino.destination({ fd: STDERR, sync: true }));
  return logOver(logger);
}

function logOver(logger: Logger): Log {
  return {
    debug: (event, fields) => {
      // Said with every request, and hardly ever heard.
      if (logger.isLevelEnabled('debug')) logger.debug(plain(fields), event);
    },
    info: (event, fields) => logger.info(plain(fields), event),
    warn: (event, fields) => logger.warn(plain(fields), event),
    error: (event, fields) => logger.error(plain(fields), event),
  };
}

function plain(fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? describe(value) : value]),
  );
}

function describe(error: Error): Record<string, unknown> {
  const cause = error.cause instanceof Error ? { cause: describe(error.cause) } : {};
  return { type: error.name, message: error.message, stack: error.stack, ...cause };
}

/** "12:00:01.234 warn  disk_full  free_bytes=12" */
function prettyStream(): { write(line: string): void } {
  return {
    write(line) {
      const { level, time, msg, ...fields } = JSON.parse(line) as { level: number; time: number; msg: string } & Record<
        string,
        unknown
      >;
      const at = new Date(time).toISOString().slice(11, 23);
      const rest = Object.entries(fields).map(
        ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      );
      process.stderr.write(
        `${at} ${(NUMBERED[level] ?? 'info').padEnd(5)} ${msg}${rest.length > 0 ? `  ${rest.join(' ')}` : ''}\n`,
      );
    },
  };
}

/** `skein logs summarize FILE…`: what the logs of a server come to, for people, or as one JSON object.
 *  Exit code 0 also where lines are damaged, which are counted; 1 when a file cannot be read. */

import { resolve } from 'node:path';
import type { LOGS_FIELDS } from '../../config/command-fields.js';
import type { ValuesOf } from '../../config/field.js';
import { grouped } from '../numbers.js';
import { EXIT, type ExitCode, print, type Surroundings } from '../surroundings.js';
import { tableLines } from '../table.js';
import { logLines } from './log-lines.js';
import { type LogFigures, LogSummary, type Moment } from './log-summary.js';

const TRANSITIONS_SHOWN = 30;
const STARTS_SHOWN = 20;

export async function summarizeLogs(
  files: readonly string[],
  { json }: ValuesOf<typeof LOGS_FIELDS>,
  { output, workingDir, stopping }: Surroundings,
): Promise<ExitCode> {
  const summary = new LogSummary();
  for (const file of files) {
    for await (const line of logLines(resolve(workingDir, file))) {
      stopping.throwIfAborted();
      if (line === null) summary.damaged();
      else summary.add(line);
    }
  }
  const figures = summary.figures();
  if (json) print(output, JSON.stringify(jsonOf(figures)));
  else for (const line of textLines(figures)) print(output, line);
  return EXIT.done;
}

function jsonOf(figures: LogFigures): Record<string, unknown> {
  return {
    lines: figures.lines,
    damaged_lines: figures.damagedLines,
    from: figures.from,
    to: figures.to,
    by_level: figures.byLevel,
    routes: figures.routes.map(({ method, route, requests, refused, failed, p50Ms, p95Ms, p99Ms }) => ({
      ...{ method, route, requests, refused, failed },
      ...{ p50_ms: p50Ms, p95_ms: p95Ms, p99_ms: p99Ms },
    })),
    failures_left_out: figures.failuresLeftOut,
    slow_queries: figures.slowQueries,
    errors: figures.errors.map(({ type, count, lastAt, lastMessage }) => ({
      ...{ type, count },
      ...{ last_at: lastAt, last_message: lastMessage },
    })),
    slowest: figures.slowest.map(({ what, durationMs, at, requestId }) => ({
      ...{ what, at },
      ...{ duration_ms: durationMs, request_id: requestId },
    })),
    starts: figures.starts,
    transitions: figures.transitions,
  };
}

function textLines(figures: LogFigures): string[] {
  const { lines, damagedLines, from, to, byLevel, slowQueries, failuresLeftOut } = figures;
  const levels = Object.entries(byLevel).map(([level, count]) => `${level} ${grouped(count)}`);
  return [
    `${grouped(lines)} lines from ${from ?? '?'} to ${to ?? '?'} (${levels.join(', ')})`,
    ...(damagedLines === 0 ? [] : [`${grouped(damagedLines)} lines could not be read`]),
    `${grouped(slowQueries)} slow queries were logged`,
    ...section('Requests', requestLines(figures), 'none in these lines; requests are logged at level debug, failures at warn'),
    ...(failuresLeftOut === 0 ? [] : [`${grouped(failuresLeftOut)} failures were left out where they came too fast`]),
    ...section('Errors', errorLines(figures), 'none'),
    ...section('Slowest', slowestLines(figures), 'nothing that was timed'),
    ...section('Starts and ends', momentLines(figures.starts, STARTS_SHOWN), 'none'),
    ...section('Transitions', momentLines(figures.transitions, TRANSITIONS_SHOWN), 'none'),
  ];
}

function section(title: string, lines: readonly string[], nothing: string): string[] {
  return ['', title, ...(lines.length === 0 ? [`  ${nothing}`] : lines.map((line) => `  ${line}`))];
}

function requestLines({ routes }: LogFigures): string[] {
  if (routes.length === 0) return [];
  const numbers = ['requests', '4xx+5xx', '5xx', 'p50 ms', 'p95 ms', 'p99 ms'].map((title) => ({ title, right: true }));
  const rows = routes.map(({ method, route, requests, refused, failed, p50Ms, p95Ms, p99Ms }) => [
    `${method} ${route}`,
    grouped(requests),
    share(refused, requests),
    share(failed, requests),
    ...[p50Ms, p95Ms, p99Ms].map(milliseconds),
  ]);
  return tableLines([{ title: 'route' }, ...numbers], rows);
}

function errorLines({ errors }: LogFigures): string[] {
  if (errors.length === 0) return [];
  const columns = [{ title: 'type' }, { title: 'count', right: true }, { title: 'last' }, { title: 'message' }];
  return tableLines(
    columns,
    errors.map(({ type, count, lastAt, lastMessage }) => [type, grouped(count), lastAt, lastMessage.split('\n')[0] ?? '']),
  );
}

function slowestLines({ slowest }: LogFigures): string[] {
  if (slowest.length === 0) return [];
  const columns = [{ title: 'ms', right: true }, { title: 'what' }, { title: 'at' }, { title: 'request' }];
  return tableLines(
    columns,
    slowest.map(({ what, durationMs, at, requestId }) => [milliseconds(durationMs), what, at, requestId ?? '']),
  );
}

function momentLines(moments: readonly Moment[], shown: number): string[] {
  const left = moments.length - shown;
  const lines = moments.slice(-shown).map(({ at, event, details }) => {
    const fields = Object.entries(details).map(([key, value]) => `${key}=${String(value)}`);
    return [at, event, ...fields].join(' ');
  });
  return left > 0 ? [`(${grouped(left)} earlier ones; --json has them)`, ...lines] : lines;
}

function share(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(2)} %`;
}

function milliseconds(ms: number | null): string {
  return ms === null ? '' : ms.toFixed(ms < 10 ? 2 : 0);
}

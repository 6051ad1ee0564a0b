/** What the lines of a server's log come to: span, requests, errors, slow work, starts, transitions. Takes any number of lines in any
 *  order of files, in bounded memory. Pure. Must not know: files, how it is shown. */

import { Durations } from './durations.js';

const ROUTES_MAX = 500;
const TYPES_MAX = 200;
const SLOWEST_MAX = 10;
const TRANSITIONS_MAX = 1_000;
const STARTS_MAX = 1_000;
const LEVELS_MAX = 20;
const DETAILS_MAX = 8;
/** A thousand years in milliseconds; sums of any number of lines stay numbers. */
const AMOUNT_MAX = 3.2e13;
/** Of a text that is kept; a line may be a megabyte. */
const TEXT_LENGTH_MAX = 300;
const OTHERS = '(other)';

const STARTED = 'listening';
const STOPPED = 'stopped';
const ENDED_BADLY = new Set(['fatal', 'uncaughtException', 'unhandledRejection', 'write_thread_failed']);
/** Events by which a server became another than it was. */
const TRANSITIONS = new Set([
  ...[
    'promoted',
    'follows',
    'newer_epoch_seen',
    'two_masters',
    'stays_master',
    'replica_live',
    'replica_unlinked',
    'replica_diverged',
  ],
  ...[
    'full_sync',
    'search_breaker',
    'breaker',
    'circuit_breaker',
    'search_fallback_begins',
    'search_fallback_ends',
    'health_changed',
  ],
  ...[
    'disk_full',
    'disk_has_room_again',
    'memory_full',
    'memory_free_again',
    'data_folder_read_only',
    'data_folder_writable_again',
  ],
  ...['log_level_changed', 'slow_query_threshold_changed', 'index_worker_restarted', 'digest_differs', 'tail_lost'],
]);
const NOT_DETAILS = new Set(['level', 'time', 'msg', 'error']);

export interface RouteFigures {
  readonly method: string;
  readonly route: string;
  readonly requests: number;
  /** Answered with 400 and above, and with 500 and above. */
  readonly refused: number;
  readonly failed: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

export interface ErrorFigures {
  readonly type: string;
  readonly count: number;
  readonly lastAt: string;
  readonly lastMessage: string;
}

export interface SlowWork {
  readonly what: string;
  readonly durationMs: number;
  readonly at: string;
  readonly requestId: string | null;
}

export interface Moment {
  readonly at: string;
  readonly event: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface LogFigures {
  readonly lines: number;
  readonly damagedLines: number;
  readonly from: string | null;
  readonly to: string | null;
  readonly byLevel: Readonly<Record<string, number>>;
  readonly routes: readonly RouteFigures[];
  /** Failures that the server did not log one by one. */
  readonly failuresLeftOut: number;
  readonly slowQueries: number;
  readonly errors: readonly ErrorFigures[];
  readonly slowest: readonly SlowWork[];
  /** Starts, stops and bad ends, in their order. */
  readonly starts: readonly Moment[];
  readonly transitions: readonly Moment[];
}

type Line = Readonly<Record<string, unknown>>;

interface Route {
  readonly method: string;
  readonly route: string;
  requests: number;
  refused: number;
  failed: number;
  readonly durations: Durations;
}

export class LogSummary {
  #lines = 0;
  #damagedLines = 0;
  #from: string | null = null;
  #to: string | null = null;
  #failuresLeftOut = 0;
  #slowQueries = 0;
  readonly #byLevel = new Map<string, number>();
  readonly #routes = new Map<string, Route>();
  readonly #errors = new Map<string, { count: number; lastAt: string; lastMessage: string }>();
  readonly #starts = new NewestMoments(STARTS_MAX);
  readonly #transitions = new NewestMoments(TRANSITIONS_MAX);
  #slowest: SlowWork[] = [];

  /** @param text one line without its end */
  add(text: string): void {
    const line = parsed(text);
    if (line === null) return this.damaged();
    const { level, time, msg: event } = line;
    this.#lines += 1;
    const known = this.#byLevel.has(level) || this.#byLevel.size < LEVELS_MAX ? level : OTHERS;
    this.#byLevel.set(known, (this.#byLevel.get(known) ?? 0) + 1);
    if (this.#from === null || time < this.#from) this.#from = time;
    if (this.#to === null || time > this.#to) this.#to = time;
    if (event === 'request') this.#request(line);
    if (event === 'slow_query') this.#slowQueries += 1;
    this.#note(line);
    this.#time(line);
    if (event === STARTED || event === STOPPED || ENDED_BADLY.has(event)) this.#starts.add(moment(line));
    if (TRANSITIONS.has(event) || event.endsWith('_breaker')) this.#transitions.add(moment(line));
  }

  /** A line that nobody can read. */
  damaged(): void {
    this.#damagedLines += 1;
  }

  #request(line: ReadLine): void {
    const method = textOf(line['method']);
    const path = textOf(line['route']);
    const key = `${method} ${path}`;
    const known = this.#routes.get(key) ?? this.#newRoute(key, method, path);
    const status = Number(line['status']);
    const durationMs = amountOf(line['duration_ms']);
    known.requests += 1;
    if (status >= 400) known.refused += 1;
    if (status >= 500) known.failed += 1;
    if (durationMs !== null) known.durations.add(durationMs);
    this.#failuresLeftOut += amountOf(line['left_out']) ?? 0;
  }

  #newRoute(key: string, method: string, route: string): Route {
    if (this.#routes.size >= ROUTES_MAX && key !== OTHERS)
      return this.#routes.get(OTHERS) ?? this.#newRoute(OTHERS, OTHERS, OTHERS);
    const made = { method, route, requests: 0, refused: 0, failed: 0, durations: new Durations() };
    this.#routes.set(key, made);
    return made;
  }

  /** Whatever is an error, or names one. */
  #note(line: ReadLine): void {
    const error = recordOf(line['error']);
    if (line.level !== 'error' && line.level !== 'fatal' && error === null) {
      // What a request was refused with has its type in its line.
      if (line.msg !== 'request' || line['type'] === undefined) return;
    }
    const type = textOf(error?.['type'] ?? line['type'] ?? line.msg);
    const name = this.#errors.has(type) || this.#errors.size < TYPES_MAX ? type : OTHERS;
    const before = this.#errors.get(name);
    const said = error?.['message'] ?? line['message'] ?? line['reason'] ?? line.msg;
    const lastMessage = textOf(said);
    const isLater = before === undefined || line.time >= before.lastAt;
    const last = isLater ? { lastAt: line.time, lastMessage } : before;
    this.#errors.set(name, { count: (before?.count ?? 0) + 1, lastAt: last.lastAt, lastMessage: last.lastMessage });
  }

  #time(line: ReadLine): void {
    const durationMs = amountOf(line['duration_ms']);
    if (durationMs === null) return;
    const least = this.#slowest.at(-1);
    if (this.#slowest.length >= SLOWEST_MAX && least !== undefined && durationMs <= least.durationMs) return;
    const requestId = typeof line['request_id'] === 'string' ? cut(line['request_id']) : null;
    const what = line['route'] === undefined ? line.msg : `${textOf(line['method'])} ${textOf(line['route'])}`;
    // A slow query and its request are one.
    const others = requestId === null ? this.#slowest : this.#slowest.filter((work) => work.requestId !== requestId);
    const work = { what, durationMs, at: line.time, requestId };
    this.#slowest = [...others, work].sort((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST_MAX);
  }

  figures(): LogFigures {
    const routes = [...this.#routes.values()].map(({ durations, ...route }) => ({
      ...route,
      p50Ms: durations.quantile(0.5),
      p95Ms: durations.quantile(0.95),
      p99Ms: durations.quantile(0.99),
    }));
    return {
      lines: this.#lines,
      damagedLines: this.#damagedLines,
      from: this.#from,
      to: this.#to,
      byLevel: Object.fromEntries(this.#byLevel),
      routes: routes.sort((a, b) => b.requests - a.requests),
      failuresLeftOut: this.#failuresLeftOut,
      slowQueries: this.#slowQueries,
      errors: [...this.#errors].map(([type, found]) => ({ type, ...found })).sort((a, b) => b.count - a.count),
      slowest: this.#slowest,
      starts: this.#starts.all(),
      transitions: this.#transitions.all(),
    };
  }
}

/** The newest by their own time, whatever the order in which they come. */
class NewestMoments {
  readonly #max: number;
  #moments: Moment[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  add(one: Moment): void {
    this.#moments.push(one);
    if (this.#moments.length > 2 * this.#max) this.#moments = this.all();
  }

  all(): Moment[] {
    return [...this.#moments].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).slice(-this.#max);
  }
}

interface ReadLine extends Line {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
}

function parsed(text: string): ReadLine | null {
  try {
    const line = recordOf(JSON.parse(text));
    if (line === null) return null;
    const { level, time, msg } = line;
    if (typeof level !== 'string' || typeof time !== 'string' || typeof msg !== 'string') return null;
    return { ...line, level: cut(level), time: cut(time), msg: cut(msg) };
  } catch {
    return null;
  }
}

function moment({ time, msg, ...line }: ReadLine): Moment {
  const details = Object.entries(line).filter(([key, value]) => !NOT_DETAILS.has(key) && typeof value !== 'object');
  const shown = details.slice(0, DETAILS_MAX).map(([key, value]) => [cut(key), typeof value === 'string' ? cut(value) : value]);
  return { at: time, event: msg, details: Object.fromEntries(shown) as Moment['details'] };
}

function recordOf(value: unknown): Line | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Line) : null;
}

function textOf(value: unknown): string {
  return cut(typeof value === 'string' ? value : JSON.stringify(value ?? null));
}

function cut(text: string): string {
  return text.slice(0, TEXT_LENGTH_MAX);
}

/** Null of what no server writes: a sum of such numbers would be none. */
function amountOf(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= AMOUNT_MAX ? value : null;
}

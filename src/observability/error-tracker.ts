/** Errors by type: how often, since when, and the last one with its stack and surroundings. Told by the log (whatever is logged with an
 *  error) and by http (whatever a caller is refused); bounded in types and in the bytes of each. Must not know: who asks for it. */

import type { Clock } from '../model/clock.js';
import type { ErrorFigure, ErrorReport, ErrorSink } from '../model/error-report.js';
import { messageOf, SkeinError } from '../model/errors.js';
import type { Log, LogFields } from '../model/log.js';
import type { Meter } from '../model/meter.js';
import { grown } from './grown-counter.js';
import { writable } from './redaction.js';

const TYPES_MAX = 100;
/** Types beyond them count under this. */
const OTHERS = '(other)';
const MESSAGE_LENGTH_MAX = 1_000;
const STACK_LENGTH_MAX = 4_000;
const CONTEXT_FIELDS_MAX = 20;
const VALUE_LENGTH_MAX = 200;
/** Shown as 0 from the start, so that the first one is seen to have come: alerts ask how much a counter grew. */
const WATCHED = ['Internal', 'CorruptData', 'damage_found', 'Error', 'TypeError', 'RangeError', 'ReferenceError'];
const TYPE = /^[A-Za-z][\w.]{0,63}$/;

interface Tracked {
  readonly firstAtMs: number;
  count: number;
  lastAtMs: number;
  last: { readonly error: unknown; readonly context: LogFields };
}

export class ErrorTracker implements ErrorSink {
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #types = new Map<string, Tracked>();
  /** An error is one, however many say so on its way out. */
  readonly #seen = new WeakSet<Error>();

  constructor(clock: Pick<Clock, 'wallMs'>) {
    this.#clock = clock;
  }

  /** Cost: a lookup; what is kept is made readable only when it is asked for. */
  note(error: unknown, context: LogFields): void {
    this.#note(typeOf(error), error, context);
  }

  #note(type: string, error: unknown, context: LogFields): void {
    if (error instanceof Error) {
      if (this.#seen.has(error)) return;
      this.#seen.add(error);
    }
    const name = this.#types.has(type) || this.#types.size < TYPES_MAX ? type : OTHERS;
    const lastAtMs = this.#clock.wallMs();
    const known = this.#types.get(name);
    if (known === undefined) {
      this.#types.set(name, { firstAtMs: lastAtMs, count: 1, lastAtMs, last: { error, context } });
      return;
    }
    known.count += 1;
    known.lastAtMs = lastAtMs;
    known.last = { error, context };
  }

  /** A log that tells the tracker what goes by: warnings with an error, and errors of every kind. */
  over(log: Log): Log {
    return {
      ...log,
      warn: (event, fields) => {
        if (fields?.['error'] instanceof Error) this.#logged(event, fields);
        log.warn(event, fields);
      },
      error: (event, fields) => {
        this.#logged(event, fields ?? {});
        log.error(event, fields);
      },
    };
  }

  #logged(event: string, fields: LogFields): void {
    const { error, ...context } = fields;
    // Without an error the event is what happened.
    this.#note(error === undefined ? event : typeOf(error), error ?? event, { event, ...context });
  }

  /** Most frequent first. */
  status(): ErrorReport {
    const figures = [...this.#types].map(([type, tracked]) => figure(type, tracked));
    return figures.sort((a, b) => b.count - a.count || b.lastAtMs - a.lastAtMs);
  }

  measure(meter: Meter): void {
    const total = meter.counter({
      name: 'errors_total',
      help: 'Errors that were logged or answered, by type.',
      labels: ['type'],
    });
    const series = new Map(WATCHED.map((type) => [type, grown(total.series({ type }))]));
    meter.beforePrinting(() => {
      for (const [type, { count }] of this.#types) {
        const known = series.get(type) ?? grown(total.series({ type }));
        series.set(type, known);
        known(count);
      }
    });
  }
}

function typeOf(error: unknown): string {
  if (error instanceof SkeinError) return error.type;
  const name = error instanceof Error ? error.name : 'Unknown';
  return TYPE.test(name) ? name : 'Error';
}

function figure(type: string, { firstAtMs, lastAtMs, count, last }: Tracked): ErrorFigure {
  const { error, context } = last;
  // What a caller was refused has no place in our code to look at.
  const hasStack = error instanceof Error && !(error instanceof SkeinError && error.status < 500);
  return {
    type,
    count,
    firstAtMs,
    lastAtMs,
    lastMessage: messageOf(error).slice(0, MESSAGE_LENGTH_MAX),
    lastStack: hasStack ? (error.stack ?? '').slice(0, STACK_LENGTH_MAX) : null,
    lastContext: shortContext(context),
  };
}

function shortContext(context: LogFields): Record<string, string | number | boolean | null> {
  const shown: Record<string, string | number | boolean | null> = {};
  for (const [key, value] of Object.entries(writable(context)).slice(0, CONTEXT_FIELDS_MAX)) {
    if (value === undefined) continue;
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) shown[key] = value;
    else shown[key] = (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, VALUE_LENGTH_MAX);
  }
  return shown;
}

/** A slow query: a request for points that took longer than the operator finds good, as it is kept to be looked at. */

/** What was asked for, or what came of it, in JSON's values. */
export type QueryFacts = Readonly<Record<string, unknown>>;

export interface SlowQuery {
  /** Milliseconds since 1970, when the answer was out. */
  readonly endedAtMs: number;
  readonly method: string;
  /** As in the route table. */
  readonly route: string;
  readonly collection: string | null;
  readonly status: number;
  /** Of the error that was answered, or null. */
  readonly errorType: string | null;
  /** From the headers of the request to the end of the answer: also how long the caller took to send and to read. */
  readonly durationMs: number;
  readonly requestId: string;
  /** Of the W3C trace context of the request, or null. */
  readonly traceId: string | null;
  /** Null when it was refused before it was understood. */
  readonly asked: QueryFacts | null;
  /** Null when there was no answer. */
  readonly found: QueryFacts | null;
}

export interface SlowQueryStatus {
  /** 0: no request is slow. */
  readonly thresholdMs: number;
  /** Since the start, those included that are not kept any more. */
  readonly count: number;
  readonly kept: number;
}

/** Where slow queries are kept. */
export interface SlowQueryBook {
  /** A request that took as long is one; infinite when none is. Read with every request. */
  readonly fromMs: number;
  /** Keep what was asked for as it was, or only its shape. */
  readonly withContent: boolean;
  note(query: SlowQuery): void;
  /** Newest first. */
  list(limit: number): readonly SlowQuery[];
  status(): SlowQueryStatus;
  /** @param thresholdMs 0: none */
  setThreshold(thresholdMs: number): void;
}

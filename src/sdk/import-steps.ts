/** An import from its points to its answer, step by step.
 *
 *    a transport that streams ─► one request, as long as there are points
 *    one that does not         ─► request after request, a part of the points in each; counts and lines go on over all of them
 *
 *  Invariant: the last step, and no other, has the answer. Who stops taking steps ends the import; what was committed by then stays.
 *  Must not know: sockets, lines of JSON. */

import type { Call } from './call.js';
import type { Caller } from './caller.js';
import { linesOf, readImportSteps } from './import-stream.js';
import type { ImportAnswer, ImportOptions, ImportStep, PointInput } from './types.js';

const NDJSON = 'application/x-ndjson';
/** Of one request, where a request cannot be streamed. */
const PART_BYTES = 8 * 1024 * 1024;
/** As many as the server lists of one import. */
const FAILED_LISTED_MAX = 1_000;

type Points = AsyncIterable<PointInput> | Iterable<PointInput>;

export interface ImportAsked {
  readonly collection: string;
  readonly path: string;
  readonly options: Omit<ImportOptions, 'onProgress'>;
}

export async function* importSteps(
  caller: Caller,
  asked: ImportAsked,
  points: Points,
): AsyncGenerator<ImportStep, void, undefined> {
  const ended = new AbortController();
  const lines = linesOf(points, ended.signal);
  try {
    if (caller.sendsStreams) yield* readImportSteps(caller.stream(callOf(asked, null), NDJSON, lines));
    else yield* inParts(caller, asked, lines);
  } finally {
    ended.abort();
  }
}

async function* inParts(
  caller: Caller,
  asked: ImportAsked,
  lines: AsyncIterable<Uint8Array>,
): AsyncGenerator<ImportStep, void, undefined> {
  let before: ImportAnswer | null = null;
  let part = 0;
  // Known one part late, because only the last one ends the import; an import of nothing is one part of nothing.
  for await (const { pieces, isLast } of partsOf(lines)) {
    for await (const step of readImportSteps(caller.stream(callOf(asked, part), NDJSON, eachOf(pieces)))) {
      const { answer } = step;
      const sum: ImportStep = addedTo(before, step);
      if (answer === null || !isLast) yield { ...sum, answer: null };
      else yield sum;
      if (answer !== null) before = sum.answer;
    }
    part += 1;
  }
}

/** A key that the caller gave is for the whole, so each part has one that follows from it. */
function callOf({ collection, path, options }: ImportAsked, part: number | null): Call {
  const { idempotencyKey = false } = options;
  const key =
    part === null || typeof idempotencyKey !== 'string' || idempotencyKey === 'not-needed'
      ? idempotencyKey
      : `${idempotencyKey}.${part}`;
  return {
    ...{ what: `import into ${collection}`, method: 'POST', path, kind: 'write' },
    options: { ...options, idempotencyKey: key },
  };
}

function addedTo(before: ImportAnswer | null, step: ImportStep): ImportStep {
  if (before === null) return step;
  const linesBefore = before.imported + before.failedCount;
  const counts = {
    lines: linesBefore + step.lines,
    imported: before.imported + step.imported,
    failedCount: before.failedCount + step.failedCount,
    position: step.position,
  };
  if (step.answer === null) return { ...counts, answer: null };
  const failed = step.answer.failed.map(({ line, error }) => ({ line: linesBefore + line, error }));
  const { imported, failedCount, position } = counts;
  const all = [...before.failed, ...failed].slice(0, FAILED_LISTED_MAX);
  return { ...counts, answer: { imported, failedCount, failed: all, position, writeConcern: step.answer.writeConcern } };
}

async function* partsOf(
  lines: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly pieces: readonly Uint8Array[]; readonly isLast: boolean }, void, undefined> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of lines) {
    if (bytes >= PART_BYTES) {
      yield { pieces, isLast: false };
      pieces = [];
      bytes = 0;
    }
    pieces.push(piece);
    bytes += piece.byteLength;
  }
  yield { pieces, isLast: true };
}

async function* eachOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* pieces;
}

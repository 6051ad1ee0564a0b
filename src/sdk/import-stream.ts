/** The import route as a stream: points out as lines of JSON, progress in as lines of JSON.
 *
 *  Points are taken from their source only as fast as the server reads (back-pressure all the way).
 *  Invariant: without the last line with its counts an import has not succeeded. Must not know: sockets, routes. */

import { ERRORS, type ErrorType } from '../model/errors.js';
import type { ImportAnswer as ImportAnswerBody, ImportProgressLine } from '../wire/http-bodies.js';
import { apiErrorFrom, SkeinApiError } from './errors.js';
import type { ImportStep, PointInput } from './types.js';
import { vectorNumbers } from './vector-form.js';
import { importFromWire, pointToWire } from './wire-forms.js';

/** Lines are gathered to pieces of about this size before they are sent. */
const PIECE_LENGTH = 64 * 1024;

/** @param ended aborted when the import has ended: the source is told with the next point it gives, however far the piece is from full
 *  @returns pieces of NDJSON, one line for each point */
export async function* linesOf(
  points: AsyncIterable<PointInput> | Iterable<PointInput>,
  ended: Pick<AbortSignal, 'aborted'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  let text = '';
  for await (const point of points) {
    if (ended.aborted) return;
    text += `${JSON.stringify(pointToWire(point, vectorNumbers))}\n`;
    if (text.length >= PIECE_LENGTH) {
      yield encoder.encode(text);
      text = '';
    }
  }
  if (text !== '') yield encoder.encode(text);
}

/** Reads the answer to its last line, which is the last step.
 *  @throws SkeinApiError when the server gave up midway; what it had committed by then stays */
export async function* readImportSteps(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ImportStep, void, undefined> {
  for await (const line of textLines(chunks)) {
    const body = JSON.parse(line) as Partial<ImportProgressLine> & Partial<ImportAnswerBody> & { readonly error?: unknown };
    if (body.error !== undefined) throw apiErrorFrom(errorStatus(body.error), body, {});
    if (body.progress !== undefined) {
      const { lines, imported, failed_count: failedCount, position } = body.progress;
      yield { lines, imported, failedCount, position, answer: null };
    } else {
      const answer = importFromWire(body as ImportAnswerBody);
      const { imported, failedCount, position } = answer;
      yield { lines: imported + failedCount, imported, failedCount, position, answer };
      return;
    }
  }
  throw new SkeinApiError({
    ...{ type: 'UnknownAnswer', message: 'the import ended without its last line: some points may be stored, others not' },
    ...{ status: 200, details: {}, retryable: false, requestId: null, retryAfterMs: null },
  });
}

async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield rest;
}

/** The status line said 200 long before; the table knows what the error stands for. */
export function errorStatus(error: unknown): number {
  const type = typeof error === 'object' && error !== null && 'type' in error ? String(error.type) : '';
  return Object.hasOwn(ERRORS, type) ? ERRORS[type as ErrorType].status : 500;
}

/** ndjson: one object per line; json: one array of them. They hold all that a point shows, every bit of its vector included. */

import type { PointRecord } from '../../../sdk/index.js';
import { pointText } from './point-text.js';
import { inPieces, type PointWriter } from './point-writer.js';

export function ndjsonWriter(): PointWriter {
  return {
    text: true,
    pieces: (points) => inPieces(lines(points)),
    losses: () => [],
  };
}

export function jsonArrayWriter(): PointWriter {
  return {
    text: true,
    pieces: (points) => inPieces(elements(points)),
    losses: () => [],
  };
}

async function* lines(points: AsyncIterable<PointRecord>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const point of points) yield Buffer.from(`${pointText(point)}\n`);
}

async function* elements(points: AsyncIterable<PointRecord>): AsyncGenerator<Uint8Array, void, undefined> {
  let before = '[\n';
  for await (const point of points) {
    yield Buffer.from(`${before}${pointText(point)}`);
    before = ',\n';
  }
  yield Buffer.from(before === '[\n' ? '[]\n' : '\n]\n');
}

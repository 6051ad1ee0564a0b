/** fvecs: vectors without a name alone, in the order they come. Ids are the numbers of the rows; where they are not, and where points have payloads, it says so. */

import type { PointRecord } from '../../../sdk/index.js';
import { counted } from '../../numbers.js';
import { ExportProblem, type ExportSubject, inPieces, type PointWriter } from './point-writer.js';

/** @throws ExportProblem when the collection has vectors under names only */
export function vectorFileWriter({ hasDefault, hasNamed }: ExportSubject): PointWriter {
  if (!hasDefault)
    throw new ExportProblem(
      'an fvecs file holds vectors without a name, and the collection has none; export ndjson, json, csv or parquet',
    );
  let rows = 0;
  let idsAreRowNumbers = true;
  let payloads = 0;
  async function* parts(points: AsyncIterable<PointRecord>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const point of points) {
      idsAreRowNumbers &&= point.id === rows;
      if (point.payload !== undefined && Object.keys(point.payload).length > 0) payloads += 1;
      rows += 1;
      if (point.vector === undefined)
        throw new ExportProblem(`point ${JSON.stringify(point.id)} has no vector, and an fvecs file nothing else`);
      yield rowOf(point.vector);
    }
  }
  return {
    text: false,
    pieces: (points) => inPieces(parts(points)),
    losses: () => [
      ...(idsAreRowNumbers ? [] : ['the ids are not 0, 1, 2, …; an fvecs file does not hold them (rows are in scroll order)']),
      ...(hasNamed ? ['vectors under names are not held by an fvecs file'] : []),
      ...(payloads === 0 ? [] : [`payloads (${counted(payloads, 'point')} with one) are not held by an fvecs file`]),
    ],
  };
}

function rowOf(values: Float32Array): Buffer {
  const row = Buffer.allocUnsafe(4 + values.byteLength);
  row.writeInt32LE(values.length, 0);
  row.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 4);
  return row;
}

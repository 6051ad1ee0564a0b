/** fvecs: vectors alone, in the order they come. Ids are the numbers of the rows; where they are not, and where points have payloads, it says so. */

import type { PointRecord } from '../../../sdk/index.js';
import { counted } from '../../numbers.js';
import { inPieces, type PointWriter } from './point-writer.js';

export function vectorFileWriter(): PointWriter {
  let rows = 0;
  let idsAreRowNumbers = true;
  let payloads = 0;
  async function* parts(points: AsyncIterable<PointRecord>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const point of points) {
      idsAreRowNumbers &&= point.id === rows;
      if (point.payload !== undefined && Object.keys(point.payload).length > 0) payloads += 1;
      rows += 1;
      yield rowOf(point);
    }
  }
  return {
    text: false,
    pieces: (points) => inPieces(parts(points)),
    losses: () => [
      ...(idsAreRowNumbers ? [] : ['the ids are not 0, 1, 2, …; an fvecs file does not hold them (rows are in scroll order)']),
      ...(payloads === 0 ? [] : [`payloads (${counted(payloads, 'point')} with one) are not held by an fvecs file`]),
    ],
  };
}

function rowOf({ vector }: PointRecord): Buffer {
  const values = vector ?? new Float32Array(0);
  const row = Buffer.allocUnsafe(4 + values.byteLength);
  row.writeInt32LE(values.length, 0);
  row.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 4);
  return row;
}

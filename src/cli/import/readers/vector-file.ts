/** TexMex vector files: per row a little-endian int32 `d`, then d values: float32 (fvecs) or uint8 (bvecs).
 *
 *  Row n (from 0) becomes the integer id n plus the offset. A row of another dimension is a record like any other, for the collection
 *  to refuse; a `d` that no vector can have, or a file that ends inside a row, ends the reading: nothing behind it can be found.
 *  Memory: one piece of the file and one row. */

import { createReadStream, statSync } from 'node:fs';
import { FIXED } from '../../../model/limits.js';
import {
  FileProblem,
  type ImportRecord,
  POINT_OVERHEAD_BYTES,
  READ_BYTES,
  type RecordSource,
  type SourceOptions,
} from '../record.js';

const HEAD_BYTES = 4;

export function vectorFileSource(format: 'fvecs' | 'bvecs', options: SourceOptions): RecordSource {
  const valueBytes = format === 'fvecs' ? 4 : 1;
  const sizeBytes = Math.max(1, statSync(options.path).size);
  let bytesRead = 0;
  return {
    placeWord: 'row',
    readShare: () => bytesRead / sizeBytes,
    async *records() {
      bytesRead = 0;
      let rest: Buffer = Buffer.alloc(0);
      let row = 0;
      for await (const piece of createReadStream(options.path, { highWaterMark: READ_BYTES })) {
        bytesRead += (piece as Buffer).length;
        const bytes = rest.length === 0 ? (piece as Buffer) : Buffer.concat([rest, piece as Buffer]);
        const group: ImportRecord[] = [];
        let at = 0;
        let problem: FileProblem | null = null;
        while (bytes.length - at >= HEAD_BYTES) {
          const dimension = bytes.readInt32LE(at);
          if (dimension < 1 || dimension > FIXED.dimensionMax) {
            problem = new FileProblem(
              `row ${row} says that it has ${dimension} dimensions; is this ${format === 'fvecs' ? 'an' : 'a'} ${format} file? The rest was not read`,
            );
            break;
          }
          const end = at + HEAD_BYTES + dimension * valueBytes;
          if (end > bytes.length) break;
          if (row >= options.fromIndex)
            group.push(rowRecord(row, bytes.subarray(at + HEAD_BYTES, end), dimension, options.idOffset));
          row += 1;
          at = end;
        }
        if (group.length > 0) yield group;
        if (problem !== null) throw problem;
        rest = Buffer.from(bytes.subarray(at));
      }
      if (rest.length > 0) throw new FileProblem(cutOff(row, rest, valueBytes));
    },
  };
}

function rowRecord(row: number, values: Buffer, dimension: number, idOffset: number): ImportRecord {
  const where = { index: row, place: row };
  const id = row + idOffset;
  if (!Number.isSafeInteger(id)) return { kind: 'refused', ...where, problem: `its number plus the id offset is beyond 2^53-1` };
  const vector = new Float32Array(dimension);
  if (values.length === dimension) {
    vector.set(values);
  } else {
    // Rows stand at any offset in the file; a copy makes them aligned.
    new Uint8Array(vector.buffer).set(values);
    for (let i = 0; i < dimension; i++) {
      if (!Number.isFinite(vector[i]))
        return { kind: 'refused', ...where, problem: `component ${i} is not a finite number (${vector[i]})` };
    }
  }
  return { kind: 'point', ...where, id, vector, bytes: dimension * 4 + POINT_OVERHEAD_BYTES };
}

function cutOff(row: number, rest: Buffer, valueBytes: number): string {
  const whole = rest.length < HEAD_BYTES ? null : HEAD_BYTES + rest.readInt32LE(0) * valueBytes;
  const of = whole === null ? `the ${HEAD_BYTES} bytes that say its dimension` : `its ${whole} bytes`;
  return `the file ends inside row ${row}, after ${rest.length} of ${of}`;
}

/** NDJSON: one JSON object per line. Line ends may be LF or CRLF, a byte order mark and empty lines are passed over.
 *  Memory: one piece of the file and one line, which is at most 16 MiB. */

import { createReadStream, statSync } from 'node:fs';
import { FileProblem, type ImportRecord, LINE_BYTES_MAX, READ_BYTES, type RecordSource, type SourceOptions } from '../record.js';
import { recordFromJson } from './json-record.js';

const LINE_FEED = 0x0a;
const MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const WHITE = new Set([0x20, 0x09, 0x0d]);

export function ndjsonSource(options: SourceOptions): RecordSource {
  const sizeBytes = Math.max(1, statSync(options.path).size);
  let bytesRead = 0;
  return {
    placeWord: 'line',
    readShare: () => bytesRead / sizeBytes,
    async *records() {
      let index = 0;
      let place = 0;
      for await (const { lines, consumed } of linesOf(options.path)) {
        bytesRead = consumed;
        const group: ImportRecord[] = [];
        for (const line of lines) {
          place += 1;
          if (line !== null && isBlank(line)) continue;
          if (index === 0 && line !== null && beginsArrayOfObjects(line))
            throw new FileProblem(`line ${place}: begins a JSON array; for one array of objects, use --format json`);
          if (index >= options.fromIndex) {
            if (line === null) group.push({ kind: 'refused', index, place, problem: `is longer than ${LINE_BYTES_MAX} bytes` });
            else group.push(recordFromJson(line, { index, place }, options));
          }
          index += 1;
        }
        if (group.length > 0) yield group;
      }
    },
  };
}

/** Lines without their ends; null for one that is too long to keep. */
async function* linesOf(path: string): AsyncGenerator<{ lines: (Buffer | null)[]; consumed: number }, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  let tooLong = false;
  let consumed = 0;
  for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES })) {
    let chunk = piece as Buffer;
    if (consumed === 0 && chunk.subarray(0, 3).equals(MARK)) chunk = chunk.subarray(3);
    consumed += (piece as Buffer).length;
    const lines: (Buffer | null)[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const line = rest.length > 0 ? Buffer.concat([rest, chunk.subarray(start, end)]) : chunk.subarray(start, end);
      lines.push(tooLong || line.length > LINE_BYTES_MAX ? null : line);
      rest = Buffer.alloc(0);
      tooLong = false;
      start = end + 1;
    }
    if (!tooLong) rest = rest.length > 0 ? Buffer.concat([rest, chunk.subarray(start)]) : Buffer.from(chunk.subarray(start));
    if (rest.length > LINE_BYTES_MAX) {
      rest = Buffer.alloc(0);
      tooLong = true;
    }
    yield { lines, consumed };
  }
  if (tooLong || rest.length > 0) yield { lines: [tooLong ? null : rest], consumed };
}

/** No object of a line begins like that, and refusing each line of such a file would not say why. */
function beginsArrayOfObjects(line: Buffer): boolean {
  return /^\s*\[\s*(?:\{|$)/.test(line.toString('latin1', 0, 200));
}

function isBlank(line: Buffer): boolean {
  for (const byte of line) if (!WHITE.has(byte)) return false;
  return true;
}

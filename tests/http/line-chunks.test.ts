/** Cutting streams into chunks of whole lines. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { LineChunks } from '../../src/http/import/line-chunks.js';
import { suite } from '../support/suite.js';

const test = suite('http/import/line-chunks');
const LIMITS = { lineBytesMax: 8, chunkLinesMax: 3, chunkBytesMax: 12 };

function cut(text: string, pieces: readonly number[]): unknown[] {
  const chunks = new LineChunks(LIMITS);
  const bytes = Buffer.from(text);
  const out: unknown[] = [];
  const keep = (found: Iterable<object>): void => {
    for (const chunk of found) {
      out.push('bytes' in chunk ? { ...chunk, bytes: Buffer.from(chunk.bytes as Uint8Array).toString() } : chunk);
    }
  };
  let at = 0;
  for (const size of pieces) {
    keep(chunks.push(bytes.subarray(at, at + size)));
    at += size;
  }
  keep(chunks.push(bytes.subarray(at)));
  keep(chunks.finish());
  return out;
}

test('a chunk is full at its lines or its bytes; the rest comes at the end', () => {
  assert.equal(cut('a\nb\nc\nd\n123456\n123456\nlast', []), [
    { bytes: 'a\nb\nc\n', firstLine: 1, lines: 3 },
    { bytes: 'd\n123456\n123456\n', firstLine: 4, lines: 3 },
    { bytes: 'last', firstLine: 7, lines: 1 },
  ]);
});

test('long lines are reported in their place, at the end too', () => {
  assert.equal(cut('a\n12345678901\nb\n1234567890', []), [
    { bytes: 'a\n', firstLine: 1, lines: 1 },
    { longLine: 2 },
    { bytes: 'b\n', firstLine: 3, lines: 1 },
    { longLine: 4 },
  ]);
});

test('the end of a line does not count against its limit, whatever it is and wherever the network cuts', () => {
  const text = '12345678\n12345678\r\n123456789\n1234567\r\r\n12345678\r9\n12345678\r';
  for (const pieces of [[], [8], [17], [18], [38], [...text].map(() => 1)]) {
    assert.equal(
      cut(text, pieces).map((chunk) => Object.values(chunk as object)),
      [['12345678\n12345678\r\n', 1, 2], [3], ['1234567\r\r\n', 4, 1], [5], ['12345678\r', 6, 1]],
      String(pieces),
    );
  }
});

test('the pieces of the network change nothing', (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', 'é'), maxLength: 80 });
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 }), (all, pieces) => {
      assert.equal(cut(all, pieces), cut(all, []));
    }),
    { seed: t.seed(), numRuns: 500 },
  );
});

test('nothing gives nothing', () => {
  assert.equal(cut('', []), []);
});

test.run();

/** Lines of an import: good ones into blocks, bad ones by their number. */

import * as assert from 'uvu/assert';
import { type LineRules, type ReadLines, readImportLines } from '../../src/wire/import-lines.js';
import { suite } from '../support/suite.js';

const test = suite('wire/import-lines');
const RULES: LineRules = { dimension: 2, distance: 'euclid', payloadBytesMax: 1_000, firstLine: 1, single: false, hashFor: null };

const read = (text: string, rules: Partial<LineRules> = {}): ReadLines =>
  readImportLines(Buffer.from(text), { ...RULES, ...rules });
const line = (id: number | string, x = 1): string => JSON.stringify({ id, vector: [x, 1] });
const shape = ({ blocks }: ReadLines): unknown => blocks.map(({ points, lines }) => [points.ids, [...lines]]);

test('all lines become one block; blank ones count and hold nothing', () => {
  const decoded = read(`${line(1)}\r\n\n  \n${line('b')}`, { firstLine: 11 });
  assert.equal(shape(decoded), [
    [
      [1, 'b'],
      [11, 14],
    ],
  ]);
  assert.equal(decoded.refused, []);
});

test('bad lines are named and the others go on', () => {
  const decoded = read([line(1), '{"id":2}', 'nonsense', `${line(3)} x`, '{"id":4,"vector":[1,null]}', line(5)].join('\n'));
  assert.equal(shape(decoded), [
    [
      [1, 5],
      [1, 6],
    ],
  ]);
  assert.equal(
    decoded.refused.map(({ line: number, error }) => [number, error.type]),
    [
      [2, 'InvalidRequest'],
      [3, 'InvalidJson'],
      [4, 'InvalidJson'],
      [5, 'InvalidVector'],
    ],
  );
});

test('an id that comes again starts a new block, so that the later line wins', () => {
  const decoded = read([line(1, 10), line(2), line(1, 20), line(1, 30)].join('\n'));
  assert.equal(shape(decoded), [
    [
      [1, 2],
      [1, 2],
    ],
    [[1], [3]],
    [[1], [4]],
  ]);
  assert.is(decoded.blocks.at(-1)?.points.vectors[0], 30);
});

test('single gives every point a block of its own', () => {
  assert.equal(shape(read([line(1), line(2)].join('\n'), { single: true })), [
    [[1], [1]],
    [[2], [2]],
  ]);
});

test.run();

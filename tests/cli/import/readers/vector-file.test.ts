/** Vector files: rows become ids, odd rows are told apart from files that end or lie. */
import * as assert from 'uvu/assert';
import { suite } from '../../../support/suite.js';
import { fileOf, indexesAreDense, readAll } from './read-all.js';

function fvecs(rows: readonly (readonly number[])[]): Buffer {
  return Buffer.concat(
    rows.map((row) => {
      const bytes = Buffer.alloc(4 + row.length * 4);
      bytes.writeInt32LE(row.length, 0);
      for (const [i, value] of row.entries()) bytes.writeFloatLE(value, 4 + i * 4);
      return bytes;
    }),
  );
}

function bvecs(rows: readonly (readonly number[])[]): Buffer {
  return Buffer.concat(
    rows.map((row) => {
      const head = Buffer.alloc(4);
      head.writeInt32LE(row.length, 0);
      return Buffer.concat([head, Buffer.from(row)]);
    }),
  );
}

const test = suite('cli/import/readers/vector-file');

test('row n becomes id n plus the offset, with every bit of its values', async (t) => {
  const rows = [
    [1, -0, 1.401298464324817e-45],
    [3.4028234663852886e38, 0.1, 2],
  ];
  const path = fileOf(t.folder(), 'a.fvecs', fvecs(rows));
  const { points, problem, records } = await readAll('fvecs', path, { idOffset: 1000 });
  assert.is(problem, null);
  assert.equal(
    points.map(({ id }) => id),
    [1000, 1001],
  );
  assert.equal(
    points.map(({ vector }) => vector.map((value) => (Object.is(value, -0) ? '-0' : value))),
    rows.map((row) => row.map((value) => (Object.is(value, -0) ? '-0' : Math.fround(value)))),
  );
  assert.equal(
    records.map(({ place }) => place),
    [0, 1],
  );
});

test('bytes of a bvecs file are whole numbers from 0 to 255', async (t) => {
  const { points } = await readAll('bvecs', fileOf(t.folder(), 'a.bvecs', bvecs([[0, 127, 255]])));
  assert.equal(points, [{ id: 0, vector: [0, 127, 255] }]);
});

test('a row of another dimension or with a value that is not finite leaves its neighbours alone', async (t) => {
  const path = fileOf(
    t.folder(),
    'a.fvecs',
    fvecs([
      [1, 2],
      [1, 2, 3],
      [Number.NaN, 1],
      [3, Number.POSITIVE_INFINITY],
      [5, 6],
    ]),
  );
  const { points, refused, problem } = await readAll('fvecs', path);
  assert.is(problem, null);
  assert.equal(
    points.map(({ id, vector }) => [id, vector.length]),
    [
      [0, 2],
      [1, 3],
      [4, 2],
    ],
  );
  assert.equal(refused, [
    'row 2: component 0 is not a finite number (NaN)',
    'row 3: component 1 is not a finite number (Infinity)',
  ]);
});

test('a file that ends inside a row gives the whole rows and says where it ended', async (t) => {
  const folder = t.folder();
  const whole = fvecs([
    [1, 2],
    [3, 4],
  ]);
  for (const [cut, pattern] of [
    [whole.length - 1, /^the file ends inside row 1, after 11 of its 12 bytes$/],
    [whole.length - 10, /^the file ends inside row 1, after 2 of the 4 bytes that say its dimension$/],
  ] as const) {
    const { points, problem } = await readAll('fvecs', fileOf(folder, 'a.fvecs', whole.subarray(0, cut)));
    assert.is(points.length, 1);
    assert.match(problem ?? '', pattern);
  }
});

test('a dimension that no vector has ends the reading, with what it was', async (t) => {
  const folder = t.folder();
  for (const dimension of [0, -1, 65_536]) {
    const head = Buffer.alloc(16);
    head.writeInt32LE(dimension, 0);
    const { points, problem } = await readAll('fvecs', fileOf(folder, 'a.fvecs', Buffer.concat([fvecs([[1]]), head])));
    assert.is(points.length, 1);
    assert.match(problem ?? '', `row 1 says that it has ${dimension} dimensions; is this an fvecs file?`);
  }
});

test('a file of many pieces keeps every row, also from an index on', async (t) => {
  const rows = Array.from({ length: 6_000 }, (_, i) => Array.from({ length: 97 }, (__, j) => i + j));
  const path = fileOf(t.folder(), 'a.fvecs', fvecs(rows));
  const { points, records } = await readAll('fvecs', path);
  assert.is(points.length, rows.length);
  assert.ok(points.every(({ id, vector }, i) => id === i && vector[0] === i && vector[96] === i + 96));
  assert.ok(indexesAreDense(records));
  const rest = await readAll('fvecs', path, { fromIndex: 5_990, idOffset: 5 });
  assert.is(rest.points.length, 10);
  assert.is(rest.points[0]?.id, 5_995);
});

test('an id beyond 2^53-1 is refused', async (t) => {
  const { refused } = await readAll('fvecs', fileOf(t.folder(), 'a.fvecs', fvecs([[1], [2]])), {
    idOffset: Number.MAX_SAFE_INTEGER,
  });
  assert.equal(refused, ['row 1: its number plus the id offset is beyond 2^53-1']);
});

test('a file that is not there is named', async (t) => {
  const { problem } = await readAll('fvecs', `${t.folder()}/none.fvecs`);
  assert.match(problem ?? '', /cannot be read: ENOENT/);
});

test.run();

/** Parquet files as pyarrow writes them: types of cells, row groups, and what is refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { suite } from '../../../support/suite.js';
import { fileOf, indexesAreDense, readAll } from './read-all.js';

/** From dist/tests/cli/import/readers/ to the files beside the source of this test. */
const FILES = fileURLToPath(new URL('../../../../../tests/cli/import/readers/parquet-files', import.meta.url));

const test = suite('cli/import/readers/parquet');

test('rows of all groups become points; missing cells are left out, times are ISO 8601, nested values stay', async () => {
  const { points, problem, records } = await readAll('parquet', join(FILES, 'snappy-two-groups.parquet'));
  assert.is(problem, null);
  assert.equal(
    points.map(({ id, vector }) => ({ id, vector })),
    Array.from({ length: 7 }, (_, i) => ({ id: 10 + i, vector: [i + 0.5, i === 0 ? 0 : -i, Math.fround(0.1)] })),
  );
  const always = { seen: '2026-01-02T03:04:05.000Z', maker: { name: 'x', tags: ['p', 'q'] } };
  assert.equal(points[0]?.payload, { title: 'a', price: 1.5, stock: 0, new: true, ...always });
  assert.equal(points[1]?.payload, { title: 'b', stock: 1, new: false, ...always });
  assert.equal(points[2]?.payload, { stock: 2, ...always });
  assert.equal(points[6]?.payload, { title: '', price: 0, new: false, ...always });
  assert.ok(indexesAreDense(records));
});

test('reading from an index begins in the middle of a group', async () => {
  const all = await readAll('parquet', join(FILES, 'snappy-two-groups.parquet'));
  for (const fromIndex of [1, 3, 4, 5, 7]) {
    const rest = await readAll('parquet', join(FILES, 'snappy-two-groups.parquet'), { fromIndex });
    assert.equal(rest.records, all.records.slice(fromIndex), String(fromIndex));
  }
});

test('other column names, doubles, gzip and pages of version 2 are read', async () => {
  const { points } = await readAll('parquet', join(FILES, 'gzip-pages-v2.parquet'), {
    idColumn: 'name',
    vectorColumn: 'embedding',
  });
  assert.equal(points, [
    { id: 'first', vector: [1, 2] },
    { id: 'second', vector: [3, 4] },
    { id: 'third', vector: [5, 6] },
  ]);
});

test('without an id column rows count from 0; bad rows are refused by their number', async () => {
  const { points, refused } = await readAll('parquet', join(FILES, 'bad-rows.parquet'), { idOffset: 100 });
  assert.equal(points, [{ id: 100, vector: [1, 2], payload: { number: 1 } }]);
  const expected = [
    /^row 1: has no vector/,
    /^row 2: component 1 of vector is not a number$/,
    /^row 3: vector is empty$/,
    /^row 4: component 0 of vector is not a finite float32 number \(Infinity\)$/,
    /^row 5: column number: 1152921504606846976 is beyond ±2\^53/,
    /^row 6: column raw holds bytes/,
  ];
  assert.is(refused.length, expected.length, refused.join('\n'));
  for (const [i, pattern] of expected.entries()) assert.match(refused[i] ?? '', pattern);
});

test('columns that are not there, a compression that is not read, and a file that is not Parquet are named', async (t) => {
  const missing = await readAll('parquet', join(FILES, 'gzip-pages-v2.parquet'));
  assert.match(missing.problem ?? '', /no column "vector"; its columns are name, embedding/);
  const noId = await readAll('parquet', join(FILES, 'gzip-pages-v2.parquet'), { idColumn: 'key', vectorColumn: 'embedding' });
  assert.match(noId.problem ?? '', /no column "key"/);
  const packed = await readAll('parquet', join(FILES, 'lz4.parquet'), { idColumn: 'name', vectorColumn: 'embedding' });
  assert.match(packed.problem ?? '', /row group 0 \(rows 0 to 2\) cannot be read as Parquet: .*LZ4/);
  const folder = t.folder();
  assert.is((await readAll('parquet', fileOf(folder, 'c.parquet', ''))).problem, 'the file is empty; Parquet was expected');
  assert.match(
    (await readAll('parquet', fileOf(folder, 'a.parquet', 'no Parquet at all'))).problem ?? '',
    /its footer cannot be read as Parquet/,
  );
  const cut = readFileSync(join(FILES, 'snappy-two-groups.parquet')).subarray(0, 2_000);
  assert.match(
    (await readAll('parquet', fileOf(folder, 'b.parquet', cut))).problem ?? '',
    /its footer cannot be read as Parquet/,
  );
});

test.run();

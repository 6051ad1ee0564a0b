/** NDJSON files: whatever stands on a line, it is a point or a refusal with that line's number. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { suite } from '../../../support/suite.js';
import { fileOf, indexesAreDense, readAll } from './read-all.js';

const test = suite('cli/import/readers/ndjson');

test('lines become points; byte order mark, CRLF, empty lines and a missing last line end do no harm', async (t) => {
  const text =
    '\uFEFF{"id": 1, "vector": [1, 0.5]}\r\n\r\n  \n{"id": "a\\u00e4", "vector": [-0, 3e-2], "payload": {"k": [null]}}';
  const { points, problem, records } = await readAll('ndjson', fileOf(t.folder(), 'a.ndjson', text));
  assert.is(problem, null);
  assert.equal(points, [
    { id: 1, vector: [1, 0.5] },
    { id: 'aä', vector: [-0, Math.fround(0.03)], payload: { k: [null] } },
  ]);
  assert.equal(
    records.map(({ place }) => place),
    [1, 4],
  );
  assert.ok(indexesAreDense(records));
});

test('every bad line is refused by its number and the rest goes on', async (t) => {
  const lines = [
    '{"id": 1, "vector": [1]}',
    '{"id": 2, "vector": [1',
    '[1]',
    '{"vector": [1]}',
    '{"id": 3}',
    '{"id": -1, "vector": [1]}',
    '{"id": 4, "vector": [1, "2"]}',
    '{"id": 5, "vector": [1e39]}',
    '{"id": 6, "vector": []}',
    '{"id": 7, "vector": "1,2"}',
    '{"id": 8, "vector": [1], "payload": 3}',
    '{"id": 9, "vector": [1], "payload": {}, "extra": 1}',
    '{"id": 10, "vector": [null]}',
    '{"id": 1.5, "vector": [1]}',
    '{"id": 11, "vector": [1], "__proto__": {"a": 1}}',
    '{"id": 12, "vector": [1], "expires_at": 5}',
    '{"id": 13, "vector": [1]}',
  ];
  const { refused, points } = await readAll('ndjson', fileOf(t.folder(), 'a.ndjson', lines.join('\n')));
  assert.equal(points, [
    { id: 1, vector: [1] },
    { id: 13, vector: [1] },
  ]);
  const expected = [
    /^line 2: is not JSON: /,
    /^line 3: is not a JSON object$/,
    /^line 4: has no id; its fields are vector$/,
    /^line 5: has no vector/,
    /^line 6: id: a point id is/,
    /^line 7: component 1 of vector is not a number$/,
    /^line 8: component 0 of vector is not a finite float32 number \(1e\+39\)$/,
    /^line 9: vector is empty$/,
    /^line 10: vector is not a list of numbers$/,
    /^line 11: payload is not an object$/,
    /^line 12: has a payload and, beside it, the unknown field "extra"$/,
    /^line 13: component 0 of vector is not a number$/,
    /^line 14: id: a point id is/,
    /^line 15: .*__proto__/,
    /^line 16: expires_at is not a text$/,
  ];
  assert.is(refused.length, expected.length, refused.join('\n'));
  for (const [i, pattern] of expected.entries()) assert.match(refused[i] ?? '', pattern);
});

test('numbers of a payload that a double would change are refused, and not stored as others', async (t) => {
  const lines = [
    '{"id": 1, "vector": [1], "n": 12345678901234567890}',
    '{"id": 2, "vector": [1], "payload": {"deep": [{"n": -9007199254740993}]}}',
    '{"id": 3, "vector": [1], "payload": {"n": 1e400}}',
    '{"id": 4, "vector": [12345678901234567890], "payload": {"n": 9007199254740991, "text": "[12345678901234567890]", "f": 1e300}}',
  ];
  const { refused, points } = await readAll('ndjson', fileOf(t.folder(), 'a.ndjson', lines.join('\n')));
  assert.equal(
    points.map(({ id }) => id),
    [4],
  );
  assert.match(refused[0] ?? '', /^line 1: has an integer near 12345678901234567000 in its payload, beyond ±2\^53/);
  assert.match(refused[1] ?? '', /^line 2: has an integer near -9007199254740992 in its payload/);
  assert.match(refused[2] ?? '', /^line 3: has a number in its payload that is too large for a double$/);
});

test('a JSON array instead of lines is said once, with the format that reads it', async (t) => {
  const folder = t.folder();
  for (const text of ['[{"id": 1, "vector": [1]}]', '\n[\r\n{"id": 1, "vector": [1]}\n]']) {
    const { problem, records } = await readAll('ndjson', fileOf(folder, 'a.ndjson', text));
    assert.match(problem ?? '', /^line \d: begins a JSON array; for one array of objects, use --format json$/);
    assert.is(records.length, 0);
  }
});

test('fields beside id and vector become the payload, under the column names that were asked for', async (t) => {
  const path = fileOf(
    t.folder(),
    'a.jsonl',
    '{"key": "x", "embedding": [1], "title": "T", "n": {"a": 1}, "expires_at": "2030-01-01T00:00:00Z"}\n',
  );
  const { points } = await readAll('ndjson', path, { idColumn: 'key', vectorColumn: 'embedding' });
  assert.equal(points, [{ id: 'x', vector: [1], payload: { title: 'T', n: { a: 1 } }, expiresAt: '2030-01-01T00:00:00Z' }]);
});

test('bytes that are not UTF-8 are refused on their line', async (t) => {
  const bytes = Buffer.concat([
    Buffer.from('{"id": "'),
    Buffer.from([0xff]),
    Buffer.from('", "vector": [1]}\n{"id": 2, "vector": [1]}\n'),
  ]);
  const { refused, points } = await readAll('ndjson', fileOf(t.folder(), 'a.ndjson', bytes));
  assert.equal(refused, ['line 1: is not UTF-8']);
  assert.is(points.length, 1);
});

test('a line beyond the bound is refused without being kept, and the next one is read', async (t) => {
  const long = `{"id": 1, "vector": [1], "payload": {"text": "${'x'.repeat(17 * 1024 * 1024)}"}}`;
  const { refused, points } = await readAll(
    'ndjson',
    fileOf(t.folder(), 'a.ndjson', `${long}\n{"id": 2, "vector": [1]}\n${long}`),
  );
  assert.equal(refused, ['line 1: is longer than 16777216 bytes', 'line 3: is longer than 16777216 bytes']);
  assert.equal(points, [{ id: 2, vector: [1] }]);
});

test('reading from an index gives what reading from the start gives behind it', async (t) => {
  const folder = t.folder();
  const line = fc.oneof(
    fc.constant(''),
    fc.constant('nonsense'),
    fc.nat(9).map((id) => JSON.stringify({ id, vector: [id] })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.nat(12), async (lines, fromIndex) => {
      const path = fileOf(folder, 'a.ndjson', lines.join('\n'));
      const all = await readAll('ndjson', path);
      const rest = await readAll('ndjson', path, { fromIndex });
      assert.ok(indexesAreDense(all.records));
      assert.equal(rest.records, all.records.slice(fromIndex));
    }),
    { numRuns: 60, seed: t.seed() },
  );
});

test('a long file is the same whether or not lines fall on the borders of pieces', async (t) => {
  const lines = Array.from({ length: 30_000 }, (_, id) =>
    JSON.stringify({ id, vector: [id], payload: { text: 'y'.repeat(id % 90) } }),
  );
  const { points, records } = await readAll('ndjson', fileOf(t.folder(), 'a.ndjson', lines.join('\n')));
  assert.is(points.length, lines.length);
  assert.ok(points.every(({ id, vector }, i) => id === i && vector[0] === i));
  assert.ok(indexesAreDense(records));
});

test('an empty file has no records', async (t) => {
  assert.equal((await readAll('ndjson', fileOf(t.folder(), 'a.ndjson', ''))).records, []);
});

test.run();

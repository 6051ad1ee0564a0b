/** JSON arrays: elements are cut out at any size and any border, and broken arrays end where they break. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { suite } from '../../../support/suite.js';
import { fileOf, indexesAreDense, readAll } from './read-all.js';

const test = suite('cli/import/readers/json-array');

test('any array of objects reads as JSON.parse reads it, however it is laid out', async (t) => {
  const folder = t.folder();
  const payload = fc.dictionary(
    fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
    fc.jsonValue({ maxDepth: 3 }),
    { maxKeys: 4 },
  );
  const points = fc.array(
    fc.record({ id: fc.nat(), vector: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 3 }), payload }),
  );
  await fc.assert(
    fc.asyncProperty(points, fc.constantFrom(0, 1, 4), fc.constantFrom('\n', '\r\n'), async (given, indent, lineEnd) => {
      const text = JSON.stringify(given, null, indent).replaceAll('\n', lineEnd);
      const { points: read, problem, records } = await readAll('json', fileOf(folder, 'a.json', text));
      assert.is(problem, null);
      assert.equal(
        read.map((point) => JSON.stringify(point.payload)),
        given.map((point) => JSON.stringify(point.payload)),
      );
      assert.equal(
        read.map(({ id, vector }) => ({ id, vector })),
        given.map(({ id, vector }) => ({ id, vector: vector.map(Math.fround) })),
      );
      assert.ok(indexesAreDense(records));
    }),
    { numRuns: 60, seed: t.seed() },
  );
});

test('bad elements are refused by number and line, and the good ones around them are kept', async (t) => {
  const text =
    '\uFEFF[\n  {"id": 1, "vector": [1]},\n  17, "text, with ] and \\" in it", null, [1, [2]],\n  {"id": 2, "vector": [1,,2]},\n  {"id": "]", "vector": [2]}\n]\n';
  const { refused, points, problem, records } = await readAll('json', fileOf(t.folder(), 'a.json', text));
  assert.is(problem, null);
  assert.equal(
    refused.map((line) => line.replace(/is not JSON: .*/, 'is not JSON')),
    [
      'element 2 (line 3): is not a JSON object',
      'element 3 (line 3): is not a JSON object',
      'element 4 (line 3): is not a JSON object',
      'element 5 (line 3): is not a JSON object',
      'element 6 (line 4): is not JSON',
    ],
  );
  assert.equal(points, [
    { id: 1, vector: [1] },
    { id: ']', vector: [2] },
  ]);
  assert.ok(indexesAreDense(records));
});

test('a broken array gives what stands before the break, and says where it broke', async (t) => {
  const folder = t.folder();
  const good = '{"id": 1, "vector": [1]}';
  const cases: [string, number, RegExp][] = [
    ['', 0, /the file is empty/],
    ['{"id": 1}\n{"id": 2}', 0, /line 1: a JSON array begins with \[; for one object per line, use --format ndjson/],
    [`[${good},\n${good}`, 2, /line 2: the file ends before the array does/],
    [`[${good},\n{"id": 2, "vec`, 1, /line 2: the file ends before the array does/],
    [`[${good}\n${good}]`, 1, /line 2: a comma or \] was expected, not "{"/],
    [`[${good},]`, 1, /line 1: an element was expected, not "\]"/],
    [`[${good}] x`, 1, /line 1: nothing more was expected, not "x"/],
    [`[,${good}]`, 0, /line 1: an element or \] was expected, not ","/],
  ];
  for (const [text, count, pattern] of cases) {
    const { points, problem } = await readAll('json', fileOf(folder, 'a.json', text));
    assert.is(points.length, count, text);
    assert.match(problem ?? '', pattern);
  }
  assert.equal(await readAll('json', fileOf(folder, 'a.json', ' [ ] ')).then(({ problem, points }) => [problem, points.length]), [
    null,
    0,
  ]);
});

test('an array larger than many pieces keeps every element, also from an index on', async (t) => {
  const elements = Array.from({ length: 20_000 }, (_, id) =>
    JSON.stringify({ id, vector: [id], payload: { text: '"]}{'.repeat(id % 30) } }),
  );
  const path = fileOf(t.folder(), 'a.json', `[${elements.join(', ')}]`);
  const { points } = await readAll('json', path);
  assert.is(points.length, elements.length);
  assert.ok(points.every(({ id }, i) => id === i));
  const rest = await readAll('json', path, { fromIndex: 19_998 });
  assert.equal(
    rest.points.map(({ id }) => id),
    [19_998, 19_999],
  );
  assert.ok(indexesAreDense(rest.records, 19_998));
});

test.run();

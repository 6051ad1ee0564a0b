/** CSV files: quoting, columns, types of cells, and the line of every bad record. */
import * as assert from 'uvu/assert';
import { suite } from '../../../support/suite.js';
import { fileOf, indexesAreDense, readAll } from './read-all.js';

const test = suite('cli/import/readers/csv');

test('cells in quotes may hold commas, quotes and line ends; byte order mark and CRLF do no harm', async (t) => {
  const text = '\uFEFFid,vector,"the title",note\r\n1,"[1, 2.5]","a, ""b""\r\nc",\r\nx-2,"[3,4]",d,"5"\r\n';
  const { points, problem, records } = await readAll('csv', fileOf(t.folder(), 'a.csv', text));
  assert.is(problem, null);
  assert.equal(points, [
    { id: 1, vector: [1, 2.5], payload: { 'the title': 'a, "b"\r\nc' } },
    { id: 'x-2', vector: [3, 4], payload: { 'the title': 'd', note: 5 } },
  ]);
  assert.equal(
    records.map(({ place }) => place),
    [2, 4],
  );
});

test('columns v0, v1, … in any order are one vector', async (t) => {
  const { points } = await readAll('csv', fileOf(t.folder(), 'a.csv', 'v2,id,v0,v1,volume\n3,a,1, 2 ,9\n'));
  assert.equal(points, [{ id: 'a', vector: [1, 2, 3], payload: { volume: 9 } }]);
});

test('ids of digits are integers where they are canonical, else text; cells are numbers where JSON would have them', async (t) => {
  const rows = [
    '7,"[1]",1.50',
    '007,"[1]",007',
    '9007199254740992,"[1]",9007199254740993',
    '0,"[1]",true',
    '-1,"[1]",-1e3',
    '1.0,"[1]",.5',
  ];
  const { points } = await readAll('csv', fileOf(t.folder(), 'a.csv', `id,vector,x\n${rows.join('\n')}`));
  assert.equal(
    points.map(({ id, payload }) => [id, (payload as { x: unknown }).x]),
    [
      [7, 1.5],
      ['007', '007'],
      ['9007199254740992', '9007199254740993'],
      [0, true],
      ['-1', -1000],
      ['1.0', '.5'],
    ],
  );
});

test('without an id column the row number is the id', async (t) => {
  const { points } = await readAll('csv', fileOf(t.folder(), 'a.csv', 'vector\n"[1]"\n"[2]"\n'), { idOffset: 5 });
  assert.equal(
    points.map(({ id }) => id),
    [5, 6],
  );
});

test('every bad record is refused by its line, once, and the rest goes on', async (t) => {
  const text = [
    'id,vector,x',
    '1,"[1]",ok',
    '2,"[1]"',
    '3,"[1]",a,b',
    '4,"[1",c',
    '5,1,c',
    ',"[1]",c',
    '6,"[1]",a"b',
    '7,"[1, null]",c',
    '',
    '8,"[1]","two',
    'lines"',
    '9,x,c',
    '10,"[1]",ok',
  ].join('\n');
  const { refused, points, records } = await readAll('csv', fileOf(t.folder(), 'a.csv', text));
  assert.equal(
    points.map(({ id }) => id),
    [1, 8, 10],
  );
  const expected = [
    /^line 3: has 2 cells; the header has 3$/,
    /^line 4: has 4 cells; the header has 3$/,
    /^line 5: vector is not a JSON array of numbers$/,
    /^line 6: vector is not a list of numbers$/,
    /^line 7: id: a point id is/,
    /^line 8: breaks the rules of CSV: /,
    /^line 9: component 1 of vector is not a number$/,
    /^line 13: vector is not a JSON array of numbers$/,
  ];
  assert.is(refused.length, expected.length, refused.join('\n'));
  for (const [i, pattern] of expected.entries()) assert.match(refused[i] ?? '', pattern);
  assert.ok(indexesAreDense(records));
});

test('lines are counted right behind cells with line ends of both kinds', async (t) => {
  const text = 'id,vector,x\r\n1,"[1]","a\r\nb\r\nc"\r\n2,"[1]","d\ne"\r\n3,bad,f\r\n4,"[1]","g\r\nh"\r\n5,bad,i\r\n';
  const { refused, records } = await readAll('csv', fileOf(t.folder(), 'a.csv', text));
  assert.equal(
    refused.map((line) => line.split(':')[0]),
    ['line 7', 'line 10'],
  );
  assert.equal(
    records.map(({ place }) => place),
    [2, 5, 7, 8, 10],
  );
});

test('columns of components that are not numbers are named', async (t) => {
  const { refused } = await readAll('csv', fileOf(t.folder(), 'a.csv', 'id,v0,v1\n1,1,x\n2,,2\n3,1e39,2\n'));
  assert.equal(refused, [
    'line 2: v1 is not a number ("x")',
    'line 3: v0 is not a number ("")',
    'line 4: component 0 of vector is not a finite float32 number (1e+39)',
  ]);
});

test('a header that cannot be used ends the reading, with its columns', async (t) => {
  const folder = t.folder();
  const cases: [string, object, RegExp][] = [
    ['', {}, /the file is empty/],
    ['id,title\n1,a\n', {}, /no column "vector" and no columns v0, v1, …: id, title/],
    ['id,v0,v2\n1,1,2\n', {}, /the header has v2 but no v1/],
    ['id,id,vector\n', {}, /has the column "id" twice/],
    ['id,vector\n', { idColumn: 'key' }, /no column "key": id, vector/],
  ];
  for (const [text, options, pattern] of cases) {
    const { problem } = await readAll('csv', fileOf(folder, 'a.csv', text), options);
    assert.match(problem ?? '', pattern);
  }
});

test('bytes that are not UTF-8 are refused with their row, and not stored as other characters', async (t) => {
  const folder = t.folder();
  const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
  const rows = Buffer.concat([
    Buffer.from('id,vector,t\n1,[1],café \ufffd\n'),
    latin('2,[1],caf\u00e9\n'),
    Buffer.from('3,[1],thé\n'),
  ]);
  const { refused, points } = await readAll('csv', fileOf(folder, 'a.csv', rows.subarray(0, rows.length - 1)));
  assert.equal(refused.slice(-1), ['line 3: is not UTF-8']);
  assert.is(points.at(-1)?.id, 3);
  const whole = await readAll('csv', fileOf(folder, 'b.csv', 'id,vector,t\n1,[1],caf\u00e9 \ufffd\n'));
  assert.equal([whole.refused, whole.points[0]?.payload], [[], { t: 'caf\u00e9 \ufffd' }]);
  const wide = await readAll('csv', fileOf(folder, 'c.csv', Buffer.from('\ufeffid,vector\n1,[1]\n', 'utf16le')));
  assert.is(wide.points[0]?.id, 1, 'UTF-16 with its mark is read');
  const header = await readAll('csv', fileOf(folder, 'd.csv', latin('id,vector,caf\u00e9\n1,[1],x\n')));
  assert.match(header.problem ?? '', /^its header is not UTF-8/);
});

test('a payload as JSON in a cell keeps its numbers or is refused; a file of another format has no header', async (t) => {
  const folder = t.folder();
  const text = 'id,vector,payload\n1,[1],"{""n"":9007199254740993}"\n2,[1],"{""n"":9007199254740991}"\n';
  const { refused, points } = await readAll('csv', fileOf(folder, 'a.csv', text));
  assert.match(refused[0] ?? '', /^line 2: has an integer near 9007199254740992 in its payload/);
  assert.equal(points[0]?.payload, { n: 9_007_199_254_740_991 });
  const other = await readAll('csv', fileOf(folder, 'b.csv', '{"id":1,"vector":[1,2]}\n{"id":2,"vector":[1,2]}\n'));
  assert.match(other.problem ?? '', /^no line is a header; line 1 breaks the rules of CSV: /);
});

test('a stray quote names every line that it takes with it', async (t) => {
  const folder = t.folder();
  const taken = await readAll('csv', fileOf(folder, 'a.csv', 'id,vector\n1,"[1]"\n2,"[1]\n3,"[1]"\n4,"[1]"\n'));
  assert.equal(
    taken.points.map(({ id }) => id),
    [1, 4],
  );
  assert.is(taken.refused.length, 1);
  assert.match(
    taken.refused[0] ?? '',
    /^line 3: breaks the rules of CSV: Invalid Closing Quote.*takes the lines up to 4 with it$/,
  );

  const open = await readAll('csv', fileOf(folder, 'c.csv', 'id,vector\n1,"[1]"\n2,"[1]\n3,[1]\n'));
  assert.equal(
    open.points.map(({ id }) => id),
    [1],
  );
  assert.match(open.refused.join(), /^line 3: breaks the rules of CSV: Quote Not Closed.*takes the lines up to 4 with it$/);

  const healed = await readAll('csv', fileOf(folder, 'b.csv', 'id,vector,x\n1,"[1]","a"b"c"d\n2,"[1]",e\n\n3,"[1]",f\n'));
  assert.equal(
    healed.points.map(({ id }) => id),
    [3],
  );
  assert.equal(
    healed.refused.map((line) => line.split(':')[0]),
    ['line 2', 'line 3'],
  );
  assert.ok(indexesAreDense(healed.records));
});

test('a long file keeps every record, also from an index on', async (t) => {
  const rows = Array.from({ length: 20_000 }, (_, i) => `${i},"[${i}]","text ${'"",'.repeat(i % 20)}"`);
  const path = fileOf(t.folder(), 'a.csv', `id,vector,x\n${rows.join('\n')}\n`);
  const { points, records } = await readAll('csv', path);
  assert.is(points.length, rows.length);
  assert.ok(points.every(({ id, vector }, i) => id === i && vector[0] === i));
  assert.ok(indexesAreDense(records));
  const rest = await readAll('csv', path, { fromIndex: 19_999 });
  assert.equal(rest.records, records.slice(19_999));
});

test.run();

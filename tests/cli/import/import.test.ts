/** Imports into a real server: what is stored, what is refused and named, and how an interrupted one goes on. */
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { notePath } from '../../../src/cli/import/resume-state.js';
import { SkeinClient } from '../../../src/sdk/index.js';
import { startServer } from '../../support/server-process.js';
import { suite, type TestContext } from '../../support/suite.js';
import { waitUntil } from '../../support/wait-until.js';
import { type Ran, type RunOptions, runSkein } from '../run-skein.js';

interface Setting {
  readonly folder: string;
  readonly url: string;
  readonly client: SkeinClient;
  /** Runs an import of a file of the folder. */
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  file(name: string, content: string | Uint8Array): string;
}

async function settingOf(t: TestContext): Promise<Setting> {
  const folder = t.folder();
  const server = await startServer(t, join(folder, 'data'));
  const client = new SkeinClient({ url: server.url });
  t.after(() => client.close());
  return {
    folder,
    url: server.url,
    client,
    run: (argv, options = {}) =>
      runSkein(['import', ...argv], { workingDir: folder, environment: { SKEIN_URL: server.url }, ...options }),
    file: (name, content) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    },
  };
}

function lines(count: number, vectorOf: (i: number) => number[] = (i) => [i + 1, 1, -i]): string {
  return Array.from({ length: count }, (_, i) => `${JSON.stringify({ id: i, vector: vectorOf(i), payload: { i } })}\n`).join('');
}

const test = suite('cli/import/import', { deadlineMs: 60_000 });

test('an fvecs file becomes a new collection, every bit in its place and found by searches at once', async (t) => {
  const { client, run, file } = await settingOf(t);
  const rows = Array.from({ length: 2_500 }, (_, i) => Float32Array.from({ length: 8 }, (__, j) => Math.sin(i * 8 + j)));
  file('base.fvecs', Buffer.concat(rows.flatMap((row) => [Buffer.from(Uint32Array.of(8).buffer), Buffer.from(row.buffer)])));
  const { exitCode, output, errors } = await run(['waves', 'base.fvecs', '--id-offset', '10']);
  assert.is(exitCode, 0, errors);
  assert.match(errors, 'making collection waves: dimension 8, distance euclid');
  assert.match(output, '2,500 points in collection waves from base.fvecs');
  const { points } = await client.getMany('waves', [10, 2_509]);
  assert.equal(
    points.map(({ vector }) => vector),
    [rows[0], rows[2_499]],
  );
  const { hits } = await client.search('waves', { vector: rows[2_499] ?? [], limit: 1 });
  assert.is(hits[0]?.id, 2_509);
  assert.not.ok(existsSync(notePath(join('base.fvecs'))));
});

test('bad records are named and reported, the others are stored, and the exit code says so', async (t) => {
  const { client, run, file, folder } = await settingOf(t);
  const bad = ['{"id": 1, "vector": [1, 2]}', 'not JSON', '{"id": 2, "vector": [0, 0]}', '{"id": 3, "vector": [1, 2, 3]}'];
  file('mixed.jsonl', `${bad.join('\n')}\n{"id": 4, "vector": [3, 4], "expires_at": "no time"}\n{"id": 5, "vector": [3, 4]}\n`);
  const { exitCode, output, errors } = await run(['c', 'mixed.jsonl', '--report', 'refused.ndjson', '--json']);
  assert.is(exitCode, 3, errors);
  const answer = JSON.parse(output) as Record<string, unknown>;
  assert.equal([answer['records'], answer['imported'], answer['refused']], [6, 2, 4]);
  const expected = [
    /^mixed\.jsonl: line 2: is not JSON/m,
    /^mixed\.jsonl: line 3: is a zero vector, which has no cosine$/m,
    /^mixed\.jsonl: line 4: has 3 dimensions; the collection has 2$/m,
    /^mixed\.jsonl: line 5: InvalidRequest: /m,
    /4 lines refused, named above and in .*refused\.ndjson/,
  ];
  for (const pattern of expected) assert.match(errors, pattern);
  const report = readFileSync(join(folder, 'refused.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { line: number; error: string });
  assert.equal(report.map(({ line }) => line).sort(), [2, 3, 4, 5]);
  const { missing } = await client.getMany('c', [1, 2, 3, 4, 5]);
  assert.equal(missing, [2, 3, 4]);
});

test('where no record can be read, the first one says why, and nothing is made', async (t) => {
  const { client, run, file } = await settingOf(t);
  const fields = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`f${i}`, i]));
  file('named.json', JSON.stringify([{ id: 1, ...fields, embedding: [1, 2, 3] }]));
  const { exitCode, errors } = await run(['named', 'named.json']);
  assert.is(exitCode, 1);
  assert.match(
    errors,
    'holds no point that could be read, so collection named was not made; its element 1 (line 1) has no vector;',
  );
  assert.match(errors, 'f6, …; is it "embedding"? (--vector-column)');
  assert.equal(await client.collections(), []);
  assert.is((await run(['named', 'named.json', '--vector-column', 'embedding'])).exitCode, 0);
});

test('refused records in front of the first point that fits are all named once it is there', async (t) => {
  const { client, run, file } = await settingOf(t);
  await client.createCollection('two', { dimension: 2, distance: 'dot' });
  file('late.ndjson', `${lines(30)}{"id": "good", "vector": [1, 2]}\n{"id": "bad", "vector": [1]}\n`);
  const { exitCode, errors } = await run(['two', 'late.ndjson']);
  assert.is(exitCode, 3);
  assert.equal(
    [...errors.matchAll(/: line (\d+): /g)].map(([, line]) => Number(line)),
    [...Array.from({ length: 30 }, (_, i) => i + 1), 32],
  );
  assert.match(errors, 'skein: 31 lines refused, named above');
});

test('a file that is not of the format its name says makes no collection', async (t) => {
  const { client, run, file } = await settingOf(t);
  const row = Buffer.concat([Buffer.from(Uint32Array.of(2).buffer), Buffer.from(Float32Array.of(0.1, 0.2).buffer)]);
  file('floats.bvecs', Buffer.concat([row, row, row]));
  const { exitCode, errors } = await run(['c', 'floats.bvecs']);
  assert.is(exitCode, 1);
  assert.match(errors, 'is this a bvecs file?');
  file('array.ndjson', '[\n  {"id": 1, "vector": [1, 2]}\n]\n');
  assert.match((await run(['c', 'array.ndjson'])).errors, 'for one array of objects, use --format json');
  assert.is((await run(['c', 'array.ndjson', '--format', 'json', '--json'])).exitCode, 0);
  for (const [argv, exit, pattern] of [
    [['c', '-', '--format', 'ndjson'], 2, 'not from standard input'],
    [['c', '.', '--format', 'ndjson'], 1, 'it is a folder'],
    [['c', '/dev/null', '--format', 'ndjson'], 1, 'it is a pipe or a device'],
  ] as const) {
    const refused = await run(argv);
    assert.is(refused.exitCode, exit, refused.errors);
    assert.match(refused.errors, pattern);
  }
  assert.equal(
    (await client.collections()).map(({ name, pointsCount }) => [name, pointsCount]),
    [['c', 1]],
  );
});

test('json, csv and ndjson of the same points give the same collection', async (t) => {
  const { client, run, file } = await settingOf(t);
  file('a.json', '[{"id": 1, "vector": [1, 2], "name": "x, y"}, {"id": "b", "vector": [3, 4], "name": "ü"}]');
  file('a.csv', 'id,v0,v1,name\n1,1,2,"x, y"\nb,3,4,ü\n');
  file(
    'a.ndjson',
    '{"id": 1, "vector": [1, 2], "payload": {"name": "x, y"}}\n{"id": "b", "vector": [3, 4], "payload": {"name": "ü"}}\n',
  );
  const stored: unknown[] = [];
  for (const ending of ['json', 'csv', 'ndjson']) {
    const ran = await run([ending, `a.${ending}`, '--distance', 'dot']);
    assert.is(ran.exitCode, 0, ran.errors);
    const { points } = await client.getMany(ending, [1, 'b']);
    stored.push(points.map(({ id, vector, payload }) => ({ id, vector, payload })));
    assert.is((await client.collection(ending)).distance, 'dot');
  }
  assert.equal(stored[0], stored[1]);
  assert.equal(stored[1], stored[2]);
});

test('of records with one id the last one stays, over batches that are under way together', async (t) => {
  const { client, run, file } = await settingOf(t);
  file('twice.ndjson', Array.from({ length: 400 }, (_, i) => `${JSON.stringify({ id: i % 7, vector: [i + 1, 1] })}\n`).join(''));
  assert.is((await run(['c', 'twice.ndjson', '--batch', '5', '--in-flight', '8'])).exitCode, 0);
  const { points } = await client.getMany('c', [0, 1, 2, 3, 4, 5, 6]);
  assert.equal(points.map(({ vector }) => vector?.[0]).sort(), [394, 395, 396, 397, 398, 399, 400]);
});

test('an interrupted import says how to go on, and goes on from there', async (t) => {
  const { client, run, file, url } = await settingOf(t);
  const path = file('long.ndjson', lines(3_000));
  const stop = new AbortController();
  const importing = run(['c', 'long.ndjson', '--batch', '10', '--in-flight', '2'], { stopping: stop.signal });
  await waitUntil(async () => (await client.count('c').catch(() => 0)) >= 50, { what: 'some points' });
  stop.abort(new Error('enough'));
  const first = await importing;
  assert.is(first.exitCode, 1);
  assert.match(first.errors, 'the same command with --resume goes on from there');
  const note = JSON.parse(readFileSync(notePath(path), 'utf8')) as { next: number; url: string };
  assert.ok(note.next >= 30 && note.next < 3_000, String(note.next));
  assert.is(note.url, url);

  const second = await run(['c', 'long.ndjson', '--resume', '--json']);
  assert.is(second.exitCode, 0, second.errors);
  assert.match(second.errors, `going on after ${String(note.next).replace(/\B(?=(\d{3})+$)/g, ',')} records`);
  const answer = JSON.parse(second.output) as Record<string, unknown>;
  assert.equal([answer['records'], answer['imported'], answer['refused']], [3_000, 3_000, 0]);
  assert.is(await client.count('c'), 3_000);
  assert.not.ok(existsSync(notePath(path)));
  assert.match((await run(['c', 'long.ndjson', '--resume'])).errors, 'no import of long.ndjson was interrupted');
});

test('an import is not resumed over another file, collection or server', async (t) => {
  const { client, run, file } = await settingOf(t);
  const path = file('a.ndjson', lines(20));
  const stop = new AbortController();
  stop.abort(new Error('at once'));
  await client.createCollection('c', { dimension: 3, distance: 'dot' });
  const note = (): void => {
    const identity = {
      url: '',
      collection: '',
      collection_created_at: '',
      file_bytes: 0,
      file_modified_ms: 0,
      format: '',
      id_offset: 0,
    };
    writeFileSync(notePath(path), JSON.stringify({ version: 1, ...identity, next: 5, imported: 5, refused: 0 }));
  };
  note();
  const refused = await run(['c', 'a.ndjson', '--resume']);
  assert.is(refused.exitCode, 1);
  assert.match(refused.errors, 'the interrupted import of a.ndjson cannot go on: the server was');
  assert.is((await run(['made-in-vain', 'a.ndjson', '--resume'])).exitCode, 1);
  assert.not.ok((await client.collections()).some(({ name }) => name === 'made-in-vain'));
  utimesSync(path, 1, 1);
  assert.is((await run(['c', 'a.ndjson'])).exitCode, 0);
  assert.is(await client.count('c'), 20);
});

test('a file for another collection, or one that is damaged, ends with what is wrong', async (t) => {
  const { client, run, file, folder } = await settingOf(t);
  await client.createCollection('two', { dimension: 2, distance: 'dot' });
  file('three.ndjson', lines(1_200));
  const wrong = await run(['two', 'three.ndjson']);
  assert.is(wrong.exitCode, 1);
  assert.match(wrong.errors, 'three.ndjson: none of its first 1,000 points fits the collection; the rest was not read');
  assert.is(wrong.errors.match(/: line \d+: has 3 dimensions/g)?.length, 10, 'a few lines say it');
  assert.match(wrong.errors, 'three.ndjson: … and 990 more, refused too (--report FILE names them all)');
  const reported = await run(['two', 'three.ndjson', '--report', 'all.ndjson']);
  assert.match(reported.errors, /990 more, refused too \(.*all\.ndjson names them all\)/);
  assert.is(readFileSync(join(folder, 'all.ndjson'), 'utf8').trim().split('\n').length, 1_000);
  file('few.ndjson', lines(20));
  const few = await run(['two', 'few.ndjson']);
  assert.is(few.exitCode, 3);
  assert.match(few.errors, 'skein: 20 lines refused, the first 10 named above');
  assert.is(await client.count('two'), 0);

  const row = Buffer.concat([Buffer.from(Uint32Array.of(2).buffer), Buffer.from(Float32Array.of(1, 2).buffer)]);
  file('cut.fvecs', Buffer.concat([row, row, row.subarray(0, 5)]));
  const cut = await run(['two', 'cut.fvecs']);
  assert.is(cut.exitCode, 1);
  assert.match(cut.errors, 'cut.fvecs: the file ends inside row 2, after 5 of its 12 bytes');
  assert.match(cut.errors, 'stopped after 2 records (2 points stored, 0 refused)');
  assert.is(await client.count('two'), 2);

  file('empty.ndjson', '\n');
  const empty = await run(['new', 'empty.ndjson']);
  assert.is(empty.exitCode, 1);
  assert.match(empty.errors, 'give --dimension');
  assert.is((await run(['new', 'empty.ndjson', '--dimension', '5'])).exitCode, 0);
  assert.is((await client.collection('new')).dimension, 5);

  for (const [flag, asked, is] of [
    ['--dimension', '6', '5'],
    ['--distance', 'dot', 'cosine'],
  ] as const) {
    const other = await run(['new', 'empty.ndjson', flag, asked]);
    assert.is(other.exitCode, 2);
    assert.match(other.errors, `${flag.slice(2)} ${is}, not ${asked}`);
  }
  assert.is((await run(['new', 'empty.ndjson', '--dimension', '5', '--distance', 'cosine'])).exitCode, 0);
});

test('a server that is killed and comes back in the meantime costs time only', async (t) => {
  const folder = t.folder();
  const dataDir = join(folder, 'data');
  const before = await startServer(t, dataDir);
  writeFileSync(join(folder, 'long.ndjson'), lines(4_000));
  const client = new SkeinClient({ url: before.url });
  t.after(() => client.close());
  const importing = runSkein(['import', 'c', 'long.ndjson', '--batch', '10', '--url', before.url], { workingDir: folder });
  await waitUntil(async () => (await client.count('c').catch(() => 0)) >= 50, { what: 'some points' });
  await before.kill();
  await startServer(t, dataDir, ['--port', new URL(before.url).port]);
  const { exitCode, errors } = await importing;
  assert.is(exitCode, 0, errors);
  assert.is(await client.count('c'), 4_000);
});

test.run();

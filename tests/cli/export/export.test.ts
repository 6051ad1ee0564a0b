/** Exports from a real server: what comes out goes in again, and a file is whole or not there. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { floatBytes } from '../../../src/codec/msgpack.js';
import { type PointInput, SkeinClient } from '../../../src/sdk/index.js';
import { apiError, stubServer } from '../../sdk/stub-server.js';
import { startServer } from '../../support/server-process.js';
import { suite } from '../../support/suite.js';
import { runSkein } from '../run-skein.js';

const test = suite('cli/export/export', { deadlineMs: 60_000 });

/** Numbers that a careless text form would change, ids of both kinds, payloads of every type. */
const POINTS: readonly PointInput[] = Array.from({ length: 250 }, (_, i) => ({
  id: i % 2 === 0 ? i : `id ${i} ü\n", ${i === 1 ? '\r\n ' : ''}`,
  vector: new Float32Array([Math.fround(Math.sin(i)), 1.401298464324817e-45 * i, i % 5 === 0 ? -0 : 3.4028234663852886e38]),
  payload:
    i % 3 === 0
      ? {}
      : {
          i,
          nested: { list: [null, 'ü', 0.1, '7', true, []] },
          __text: 'line\nend',
          big: 2 ** 53 - 1,
          float: 1.2345678901234567e19,
        },
}));

test('an export that is imported again gives the same points, bit for bit, in every format that holds them', async (t) => {
  const folder = t.folder();
  const { url } = await startServer(t, join(folder, 'data'));
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  await client.createCollection('from', { dimension: 3, distance: 'euclid' });
  await client.upsert('from', POINTS);
  const run = (argv: string[]) => runSkein(argv, { workingDir: folder, environment: { SKEIN_URL: url } });
  const all = async (name: string): Promise<unknown[]> => {
    const found: unknown[] = [];
    for await (const { id, vector, payload } of client.scrollAll(name, { withVector: true }))
      found.push({ id, bits: vector === undefined ? null : new Uint32Array(vector.buffer), payload });
    return found;
  };
  const before = await all('from');
  assert.is(before.length, 250);
  for (const format of ['ndjson', 'json', 'csv', 'parquet']) {
    const exported = await run(['export', 'from', `all.${format}`, '--batch', '70']);
    assert.is(exported.exitCode, 0, exported.errors);
    assert.match(exported.output, '250 points of collection from');
    if (format === 'parquet') assert.match(exported.errors, 'the column id holds them as JSON');
    const imported = await run(['import', format, `all.${format}`, '--distance', 'euclid']);
    assert.is(imported.exitCode, 0, imported.errors);
    assert.equal(await all(format), before, format);
  }
  assert.match(readFileSync(join(folder, 'all.ndjson'), 'utf8'), '"id":2,"vector":[0.9092974,3e-45,3.4028235e+38]');
  const streamed = await run(['export', 'from', '-']);
  assert.is(streamed.output, readFileSync(join(folder, 'all.ndjson'), 'utf8'));
  assert.match(streamed.errors, '250 points of collection from to standard output');
});

test('a format refuses what it cannot hold, and an empty collection is a whole file in each', async (t) => {
  const folder = t.folder();
  const { url } = await startServer(t, join(folder, 'data'));
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  await client.createCollection('c', { dimension: 1, distance: 'dot', ttlMs: 3_600_000 });
  const run = (argv: string[]) => runSkein(argv, { workingDir: folder, environment: { SKEIN_URL: url } });
  for (const format of ['ndjson', 'json', 'csv', 'parquet']) {
    const empty = await run(['export', 'c', `empty.${format}`]);
    assert.is(empty.exitCode, 0, empty.errors);
    const imported = await run(['import', format, `empty.${format}`, '--dimension', '1']);
    assert.is(imported.exitCode, 0, imported.errors);
  }
  await client.upsert('c', [{ id: '7', vector: [1] }]);
  const refused = await run(['export', 'c', 'c.csv']);
  assert.is(refused.exitCode, 1);
  assert.match(refused.errors, 'csv cannot tell from the integer 7; export ndjson, json or parquet');
  assert.not.ok(existsSync(join(folder, 'c.csv')));
  // Texts alone, and integers alone, have columns of their own type.
  for (const id of ['x', 9]) {
    await client.delete('c', { filter: {} });
    await client.upsert('c', [{ id, vector: [1] }]);
    const exported = await run(['export', 'c', 'c.parquet']);
    assert.is(exported.exitCode, 0);
    assert.match(exported.errors, 'when points expire is not in the file (1 point');
    await run(['import', `back${id}`, 'c.parquet']);
    assert.equal(
      (await client.scroll(`back${id}`)).points.map((point) => point.id),
      [id],
    );
  }
  await client.upsert('c', [{ id: 'never', vector: [1], expiresAt: null }]);
  await run(['export', 'c', 'c.ndjson']);
  await client.createCollection('again', { dimension: 1, distance: 'dot', ttlMs: 3_600_000 });
  await run(['import', 'again', 'c.ndjson']);
  const [there, again] = await Promise.all(['c', 'again'].map((name) => client.get(name, 9)));
  assert.is((await client.get('again', 'never')).expiresAt, undefined, 'and that one never does, also where new ones do');
  assert.ok(there?.expiresAt !== undefined && there.expiresAt === again?.expiresAt, 'when a point expires goes along');
});

test('a name that promises what no export is is refused, and nothing is written', async (t) => {
  const folder = t.folder();
  for (const [name, pattern] of [
    ['a.bvecs', 'export fvecs'],
    ['a.ndjson.gz', 'through gzip'],
  ] as const) {
    const refused = await runSkein(['export', 'c', name], { workingDir: folder, environment: {} });
    assert.is(refused.exitCode, 2, refused.errors);
    assert.match(refused.errors, pattern);
    assert.not.ok(existsSync(join(folder, name)));
  }
});

test('vectors under names go out and come in again, where a format holds them', async (t) => {
  const folder = t.folder();
  const { url } = await startServer(t, join(folder, 'data'));
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  const settings = {
    dimension: 2,
    distance: 'dot',
    vectors: { 'a b': { dimension: 1, distance: 'euclid' } },
    sparseVectors: { s: {} },
  } as const;
  await client.createCollection('from', settings);
  await client.upsert('from', [
    {
      id: 1,
      vector: [1, -0],
      vectors: { 'a b': [-0], s: { indices: [5, 1], values: [0.1, 2] } },
      payload: { vectors: 'mine', n: 1 },
    },
    { id: 2, vectors: { s: { indices: [], values: [] } } },
    { id: 3, vector: [1, 2] },
  ]);
  const run = (argv: string[]) => runSkein(argv, { workingDir: folder, environment: { SKEIN_URL: url } });
  const all = async (name: string) =>
    (await client.scroll(name, { withVector: true })).points.map(({ version: _, ...point }) => point);
  const before = await all('from');
  for (const format of ['ndjson', 'json', 'csv', 'parquet']) {
    assert.is((await run(['export', 'from', `all.${format}`])).exitCode, 0);
    const unknown = await run(['import', format, `all.${format}`]);
    assert.is(unknown.exitCode, 1);
    assert.match(unknown.errors, 'has vectors under names (a b, s), whose settings it does not tell');
    await client.createCollection(format, settings);
    const imported = await run(['import', format, `all.${format}`]);
    assert.is(imported.exitCode, 0, imported.errors);
    assert.equal(await all(format), before, format);
  }
  const refused = await run(['export', 'from', 'all.fvecs']);
  assert.match(refused.errors, 'point 2 has no vector, and an fvecs file nothing else');
  await client.createCollection('other', { vectors: { x: { dimension: 2, distance: 'dot' } } });
  assert.match((await run(['export', 'other', 'all.fvecs'])).errors, 'the collection has none');
  const wrong = await run(['import', 'other', 'all.ndjson', '--report', 'r.ndjson']);
  assert.is(wrong.exitCode, 3);
  assert.match(wrong.errors, 'line 1: has a vector; the collection has vectors under names only: x');
});

test('an fvecs export holds the vectors in scroll order and says what it leaves out', async (t) => {
  const folder = t.folder();
  const { url } = await startServer(t, join(folder, 'data'));
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  await client.createCollection('c', { dimension: 2, distance: 'dot' });
  await client.upsert('c', [
    { id: 0, vector: [1, 2] },
    { id: 1, vector: [3, 4] },
  ]);
  const run = (argv: string[]) => runSkein(argv, { workingDir: folder, environment: { SKEIN_URL: url } });
  const plain = await run(['export', 'c', 'a.fvecs', '--json']);
  assert.is(plain.errors, '');
  assert.is((JSON.parse(plain.output) as { points: number }).points, 2);
  const row = (values: number[]): Buffer =>
    Buffer.concat([Buffer.from(Uint32Array.of(2).buffer), Buffer.from(Float32Array.from(values).buffer)]);
  assert.equal(readFileSync(join(folder, 'a.fvecs')), Buffer.concat([row([1, 2]), row([3, 4])]));
  await client.upsert('c', [{ id: 'x', vector: [5, 6], payload: { a: 1 } }]);
  const lossy = await run(['export', 'c', 'a.fvecs']);
  assert.match(lossy.errors, 'the ids are not 0, 1, 2');
  assert.match(lossy.errors, 'payloads (1 point with one) are not held');
  assert.is((await run(['export', 'c', '-', '--format', 'fvecs'])).exitCode, 2);
});

test('an export that fails leaves what was there before and nothing else', async (t) => {
  const folder = t.folder();
  const { url } = await startServer(t, join(folder, 'data'));
  writeFileSync(join(folder, 'a.ndjson'), 'old');
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  await client.createCollection('c', { dimension: 2, distance: 'dot' });
  await client.upsert('c', [{ id: 0, vector: [1, 2] }]);
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  const options = { workingDir: folder, environment: { SKEIN_URL: url } };
  assert.is((await runSkein(['export', 'c', 'a.ndjson'], { ...options, stopping: stop.signal })).exitCode, 1);
  assert.is((await runSkein(['export', 'none', 'a.ndjson'], options)).exitCode, 1);
  const nowhere = await runSkein(['export', 'c', join('no-folder', 'a.ndjson')], options);
  assert.is(nowhere.exitCode, 1);
  assert.match(nowhere.errors, `a.ndjson cannot be written: there is no folder ${join(folder, 'no-folder')}`);
  assert.not.match(nowhere.errors, '.tmp');
  // One that breaks off in the middle, when part of the file is written already.
  let pages = 0;
  const stub = await stubServer(t, ({ path }) => {
    if (!path.endsWith('/scroll')) return { body: { name: 'c', hnsw: {}, points_count: 9 } };
    pages += 1;
    const points = [{ id: pages, version: 1, payload: { text: 'x'.repeat(400_000) }, vector: floatBytes(new Float32Array(2)) }];
    return pages < 3 ? { body: { points, next_cursor: 'more' } } : apiError(500, 'CorruptData');
  });
  const broken = await runSkein(['export', 'c', 'a.ndjson', '--url', stub.url], { workingDir: folder });
  assert.is(broken.exitCode, 1);
  assert.match(broken.errors, 'CorruptData');
  assert.is(pages, 3);
  assert.is(readFileSync(join(folder, 'a.ndjson'), 'utf8'), 'old');
  assert.equal(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
  assert.not.ok(existsSync(join(folder, 'no-folder')));
});

test.run();

/** Imports from a server that answers as Qdrant does: what comes along, what is said to stay, and how an interrupted one goes on. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { SkeinClient } from '../../../../src/sdk/index.js';
import { startServer } from '../../../support/server-process.js';
import { suite } from '../../../support/suite.js';
import { runSkein } from '../../run-skein.js';
import { type FakePoint, fakeQdrant, json } from './fake-stores.js';

const test = suite('cli/import/foreign/qdrant', { deadlineMs: 60_000 });

const CONFIG = {
  params: { vectors: { size: 2, distance: 'Dot' } },
  hnsw_config: { m: 8, ef_construct: 50 },
  quantization_config: { scalar: { type: 'int8' } },
};
const SCHEMA = {
  colour: { data_type: 'keyword' },
  'tags[].name': { data_type: 'text', params: { type: 'text', tokenizer: 'word', min_token_len: 2, max_token_len: 20 } },
  made: { data_type: 'datetime' },
  odd: { data_type: 'new' },
};

function uuid(i: number): string {
  return `"00000000-0000-4000-8000-${String(i).padStart(12, '0')}"`;
}

function points(count: number): FakePoint[] {
  return Array.from({ length: count }, (_, i) => ({
    id: i % 2 === 0 ? String(i) : uuid(i),
    vector: [i + 0.5, -i],
    payload: i % 3 === 0 ? null : { i, colour: 'red' },
  }));
}

test('a collection comes along with its settings, ids, payloads and indexes, and what does not is said first', async (t) => {
  const folder = t.folder();
  const { url } = await startServer(t, join(folder, 'data'));
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  const qdrant = await fakeQdrant(t, CONFIG, SCHEMA);
  qdrant.points = points(2_500);
  qdrant.points.push(
    { id: '9007199254740993', vector: [1, 1], payload: {} },
    { id: '18446744073709551615', vector: [1, 1], payload: {} },
  );
  qdrant.points.push({ id: '5001', vector: null, payload: {} });
  writeFileSync(join(folder, 'key'), 'the key of the other store\n', { mode: 0o600 });
  const run = (...argv: string[]) =>
    runSkein(['import', 'here', ...argv], { workingDir: folder, environment: { SKEIN_URL: url } });
  const from = ['--from', 'qdrant', '--source', qdrant.url, '--source-collection', 'there', '--source-key-file', 'key'];
  const done = await run(...from, '--report', 'refused.ndjson');
  assert.is(done.exitCode, 3, done.errors);
  for (const said of [
    'its quantization does not come along',
    'its index of payload field odd (new) is not made here',
    'its aliases are not made here: other',
    'making collection here: dimension 2, distance dot\n',
    'qdrant collection there: point 1251: (id 5001) has no vector',
    'has an id beyond 2^53-1',
    '3 points refused',
  ])
    assert.match(done.errors, said);
  const info = await client.collection('here');
  assert.equal([info.pointsCount, info.dimension, info.distance, info.hnsw.m, info.hnsw.efConstruct], [2_500, 2, 'dot', 8, 50]);
  assert.equal(info.payloadIndexes, [
    { path: 'colour', type: 'keyword' },
    { path: 'made', type: 'datetime' },
  ]);
  assert.equal(info.textFields, ['tags.name']);
  const text = { language: 'none', stopWords: [], wordLength: { min: 2, max: 20 }, k1: 1.2, b: 0.75 };
  assert.equal(info.text, text);
  const { points: found } = await client.getMany('here', [4, 6, JSON.parse(uuid(2_499)) as string]);
  const shown = found.map(({ id, payload, vector }) => [id, payload, [...(vector ?? [])]]);
  assert.equal(shown, [
    [4, { i: 4, colour: 'red' }, [4.5, -4]],
    [6, {}, [6.5, -6]],
    ['00000000-0000-4000-8000-000000002499', {}, [2_499.5, -2_499]],
  ]);
  assert.ok(qdrant.received.every(({ headers }) => headers['api-key'] === 'the key of the other store'));
  assert.not.match(done.output + done.errors, 'the key of the other store');

  // A server of ours speaks the dialect, and so is a source like any other.
  const argv = ['import', 'again', '--from', 'qdrant', '--source', url, '--source-collection', 'here', '--batch', '700'];
  const again = await runSkein(argv, { workingDir: folder, environment: { SKEIN_URL: url } });
  assert.is(again.exitCode, 0, again.errors);
  const all = async (name: string): Promise<unknown[]> => {
    const records: unknown[] = [];
    for await (const { id, vector, payload } of client.scrollAll(name, { withVector: true }))
      records.push({ id, vector, payload });
    return records.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  };
  assert.equal(await all('again'), await all('here'));
  const copied = await client.collection('again');
  assert.equal([copied.distance, copied.hnsw.m, copied.textFields], ['dot', 8, ['tags.name']]);
  assert.equal([copied.payloadIndexes, copied.text], [info.payloadIndexes, text]);
});

test('vectors under names come along, dense and sparse', async (t) => {
  const folder = t.folder();
  const { url } = await startServer(t, join(folder, 'data'));
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  const params = {
    vectors: {
      text: { size: 2, distance: 'Dot' },
      image: { size: 1, distance: 'Euclid' },
      many: { size: 2, distance: 'Dot', multivector_config: {} },
    },
    sparse_vectors: { words: { modifier: 'idf' }, plain: {} },
  };
  const qdrant = await fakeQdrant(t, { params, hnsw_config: { m: 8, ef_construct: 50 } });
  qdrant.points = [
    {
      id: '1',
      vector: {
        text: [1, 2],
        image: [3],
        many: [
          [1, 2],
          [3, 4],
        ],
        words: { indices: [7, 4_294_967_295], values: [0.5, -1] },
      },
      payload: { n: 1 },
    },
    { id: '2', vector: {}, payload: {} },
    { id: '3', vector: { image: [9] }, payload: null },
  ];
  const run = (...argv: string[]) =>
    runSkein(['import', ...argv, '--from', 'qdrant'], { workingDir: folder, environment: { SKEIN_URL: url } });
  const done = await run('here', '--source', qdrant.url, '--source-collection', 'there');
  assert.is(done.exitCode, 0, done.errors);
  assert.match(done.errors, 'its vector "many" does not come along');
  assert.match(done.errors, 'making collection here, with vectors text, image, words (sparse), plain (sparse)');
  const info = await client.collection('here');
  assert.equal(
    [info.dimension, info.vectors['image']?.distance, info.vectors['text']?.hnsw.m, info.sparseVectors['words']?.modifier],
    [null, 'euclid', 8, 'idf'],
  );
  const all = async (name: string) =>
    (await client.scroll(name, { withVector: true })).points.map(({ id, vectors, payload }) => ({ id, vectors, payload }));
  const found = await all('here');
  assert.equal(found[0], {
    id: 1,
    vectors: {
      image: Float32Array.of(3),
      text: Float32Array.of(1, 2),
      words: { indices: Uint32Array.of(7, 4_294_967_295), values: Float32Array.of(0.5, -1) },
    },
    payload: { n: 1 },
  });
  assert.equal(
    found.map(({ vectors }) => Object.keys(vectors ?? {}).length),
    [3, 0, 1],
  );
  assert.match(
    (await run('third', '--source', qdrant.url, '--source-collection', 'there', '--distance', 'dot')).errors,
    'leave out --dimension and --distance',
  );
});

test('an import that is interrupted goes on behind the last id, whatever was deleted there meanwhile', async (t) => {
  const folder = t.folder();
  const { url } = await startServer(t, join(folder, 'data'));
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  const qdrant = await fakeQdrant(t, CONFIG);
  qdrant.points = points(900);
  let pages = 0;
  const stop = new AbortController();
  qdrant.disturb = ({ path }) => {
    if (!path.endsWith('/scroll')) return null;
    pages += 1;
    if (pages === 2) return { ...json({ status: { error: 'busy' } }), status: 503 };
    if (pages === 6) stop.abort(new Error('enough'));
    return null;
  };
  const argv = [
    'import',
    'here',
    '--from',
    'qdrant',
    '--source',
    qdrant.url,
    '--source-collection',
    'there',
    '--batch',
    '100',
    '--in-flight',
    '1',
  ];
  const options = { workingDir: folder, environment: { SKEIN_URL: url } };
  const first = await runSkein(argv, { ...options, stopping: stop.signal });
  assert.is(first.exitCode, 1, first.errors);
  assert.match(first.errors, '--resume goes on from there');
  assert.ok(existsSync(join(folder, 'here.from-qdrant.skein-import.json')));
  const before = await client.count('here');
  assert.ok(before >= 100 && before < 900, String(before));
  qdrant.points = qdrant.points.filter(({ id }) => !['0', '2', '4'].includes(id));
  const asked = qdrant.received.length;
  const second = await runSkein([...argv, '--resume', '--json'], options);
  assert.is(second.exitCode, 0, second.errors);
  assert.is((JSON.parse(second.output) as { imported: number }).imported, 900);
  assert.is(await client.count('here'), 900);
  assert.ok(
    qdrant.received.slice(asked).filter(({ path }) => path.endsWith('/scroll')).length <= 8,
    'what was stored is not read again',
  );
  assert.not.ok(existsSync(join(folder, 'here.from-qdrant.skein-import.json')));
  const other = await runSkein([...argv.slice(0, -4), '--source', `${qdrant.url}/`, '--resume'], options);
  assert.match(other.errors, 'no import of qdrant collection there was interrupted');
});

test('a store that is not there, refuses, or holds what is not known here ends before anything is made', async (t) => {
  const folder = t.folder();
  const manhattan = await fakeQdrant(t, { params: { vectors: { size: 2, distance: 'Manhattan' } } });
  const multi = await fakeQdrant(t, { params: { vectors: { a: { size: 2, distance: 'Dot', multivector_config: {} } } } });
  const locked = await fakeQdrant(t, CONFIG);
  locked.disturb = () => ({ status: 401, body: 'Must provide an API key' });
  const run = (...argv: string[]) => runSkein(['import', 'there', ...argv], { workingDir: folder });
  for (const [argv, exitCode, said] of [
    [['--from', 'qdrant', '--source', manhattan.url], 1, 'qdrant there: the distance Manhattan of its vector is none of'],
    [['--from', 'qdrant', '--source', multi.url], 1, 'several vectors per point'],
    [['--from', 'qdrant', '--source', locked.url], 1, '--source-key-file'],
    [['--from', 'qdrant', '--source', manhattan.url, '--source-collection', 'none'], 1, '--source-collection'],
    [['--from', 'chroma', '--source', manhattan.url], 1, '--tenant'],
    [['--from', 'qdrant'], 2, 'needs --source with its address, such as http://127.0.0.1:6333'],
    [['--from', 'qdrant', '--source', 'ftp://h'], 2, 'is no address'],
    [['--from', 'qdrant', '--source', 'http://user:word@127.0.0.1:1'], 2, 'holds a password'],
    [['--from', 'qdrant', '--source', manhattan.url, '--table', 'x'], 2, '--table is not for --from qdrant'],
    [['file.ndjson', '--from', 'qdrant'], 2, 'not both'],
    [[], 2, 'import needs a file, or --from'],
    [['file.ndjson', '--source', 'http://h'], 2, 'import needs a file, or --from'],
  ] as const) {
    const ran = await run(...argv);
    assert.is(ran.exitCode, exitCode, ran.errors);
    assert.match(ran.errors, said);
  }
});

test.run();

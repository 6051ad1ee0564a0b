/** Copies between two servers in this process: everything that a collection shows is there, an interrupted copy goes on, and what changes meanwhile is caught. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type PointInput, SkeinClient } from '../../../src/sdk/index.js';
import { startHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';
import { waitUntil } from '../../support/wait-until.js';
import { type Ran, type RunOptions, runSkein } from '../run-skein.js';

const test = suite('cli/copy/copy', { deadlineMs: 60_000 });

interface TwoServers {
  readonly folder: string;
  readonly source: SkeinClient;
  readonly target: SkeinClient;
  readonly urls: readonly [string, string];
  run(argv?: readonly string[], options?: RunOptions): Promise<Ran>;
}

async function served(t: TestContext): Promise<{ readonly url: string; readonly client: SkeinClient }> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { url } = await startHttp(t, { engine });
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  return { url, client };
}

async function twoServers(t: TestContext): Promise<TwoServers> {
  const folder = t.folder();
  const [source, target] = await Promise.all([served(t), served(t)]);
  const urls = [source.url, target.url] as const;
  return {
    ...{ folder, urls, source: source.client, target: target.client },
    run: (argv = [], options = {}) => runSkein(['copy', ...urls, ...argv], { workingDir: folder, ...options }),
  };
}

function points(count: number): PointInput[] {
  return Array.from({ length: count }, (_, i) => ({
    id: i % 3 === 0 ? `text ${i}` : i,
    vector: [Math.fround(Math.sin(i)), i % 7 === 0 ? -0 : 1, i],
    payload: { i, words: `word${i % 5} more`, deep: { list: [i, null, 'x'] } },
  }));
}

async function all(client: SkeinClient, name: string): Promise<Map<unknown, unknown>> {
  const found = new Map<unknown, unknown>();
  for await (const { id, vector, payload, expiresAt } of client.scrollAll(name, { withVector: true, limit: 50 }))
    found.set(id, { bits: vector === undefined ? null : [...new Uint32Array(vector.buffer.slice(0))], payload, expiresAt });
  return found;
}

test('collections arrive with settings, indexes, aliases and every point, and the copy says so', async (t) => {
  const { folder, source, target, run } = await twoServers(t);
  await source.createCollection('films', {
    ...{ dimension: 3, distance: 'euclid', hnsw: { m: 8, efConstruct: 64, efSearch: 40 }, ttlMs: 86_400_000 },
    ...{ textFields: ['words'], text: { language: 'german' }, payloadIndexes: [{ path: 'i', type: 'integer' }] },
    ...{ quantization: { type: 'int8' }, strictMode: { enabled: true, maxQueryLimit: 50, upsertMaxBatchsize: 700 } },
  });
  await source.createCollection('empty', { dimension: 2, distance: 'cosine' });
  await source.upsert('films', points(700));
  const at = '2090-01-01T00:00:00.000Z';
  await source.upsert('films', [
    { id: 'late', vector: [1, 2, 3], expiresAt: at },
    { id: 'never', vector: [1, 2, 3], expiresAt: null },
  ]);
  await source.createCollection('names', {
    vectors: { a: { dimension: 2, distance: 'dot' } },
    sparseVectors: { s: { modifier: 'idf' } },
  });
  await source.upsert('names', [{ id: 1, vectors: { a: [1, 2], s: { indices: [3], values: [4] } } }, { id: 2 }]);
  await source.createCollection('payloads', { vectors: {} });
  await source.upsert('payloads', [{ id: 1, payload: { only: true } }]);
  await source.putAlias('movies', 'films');
  const copied = await run(['--batch', '150']);
  assert.is(copied.exitCode, 0, copied.errors);
  assert.match(copied.output, 'films: 702 points copied, 702 points compared, equal; the source stood still');
  assert.match(copied.output, 'empty: 0 points copied');
  const named = await target.scroll('names', { withVector: true });
  assert.equal(named.points[0]?.vectors, {
    a: Float32Array.of(1, 2),
    s: { indices: Uint32Array.of(3), values: Float32Array.of(4) },
  });
  assert.is((await target.collection('names')).sparseVectors['s']?.modifier, 'idf');
  assert.is((await target.collection('payloads')).dimension, null);
  assert.not.ok(existsSync(join(folder, 'skein-copy.json')));
  assert.equal(await all(target, 'films'), await all(source, 'films'));
  const lives = (await target.getMany('films', ['late', 'never', 1])).points.map(({ expiresAt }) => expiresAt);
  assert.equal(lives.slice(0, 2), [at, undefined], 'a point goes when it does in the source');
  assert.ok(Date.parse(lives[2] ?? '') <= Date.now() + 86_400_000, 'not so long after the copy as a new one would');
  assert.equal(await target.aliases(), [{ alias: 'movies', collection: 'films' }]);
  const declared = async (client: SkeinClient): Promise<unknown> => {
    const { dimension, distance, hnsw, ttlMs, textFields, text, payloadIndexes, quantization, strictMode } =
      await client.collection('films');
    return { dimension, distance, hnsw, ttlMs, textFields, text, payloadIndexes, quantization, strictMode };
  };
  assert.equal(await declared(target), await declared(source));

  const again = await run();
  assert.is(again.exitCode, 1);
  assert.match(again.errors, 'the target has a collection');
  for (const [argv, exitCode, said] of [
    [['--collections', 'films,none'], 1, 'the source has no collection none; it has empty, films, names, payloads'],
    [['--collections', 'films', '--resume'], 1, 'the target has a collection films already'],
    [['--collections', 'films', '--resume'], 1, 'no copy was interrupted: there is no '],
  ] as const) {
    const ran = await run(argv);
    assert.is(ran.exitCode, exitCode);
    assert.match(ran.errors, said);
  }
});

test('an interrupted copy goes on from its note, and mends what was changed behind it', async (t) => {
  const { folder, source, target, urls, run } = await twoServers(t);
  await source.createCollection('c', { dimension: 3, distance: 'dot' });
  await source.upsert('c', points(800));
  const stop = new AbortController();
  const argv = ['--batch', '20', '--in-flight', '1'];
  const copying = run(argv, { stopping: stop.signal });
  await waitUntil(async () => (await target.count('c').catch(() => 0)) >= 200, { what: 'some points' });
  stop.abort(new Error('enough'));
  const first = await copying;
  assert.is(first.exitCode, 1, first.errors);
  assert.match(first.errors, '--resume goes on from there');
  const before = await target.count('c');
  assert.ok(before < 800, String(before));
  // Behind the place where it stopped: one goes, one changes.
  const [gone, changed] = (await target.scroll('c', { limit: 2 })).points.map(({ id }) => id);
  await source.delete('c', { ids: [gone ?? 0] });
  await source.patch('c', [{ id: changed ?? 0, payload: { i: -1 } }]);
  const second = await run([...argv, '--resume', '--json']);
  assert.is(second.exitCode, 0, second.errors);
  const lines = second.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal([lines[0]?.['collection'], lines[0]?.['compared'], lines[0]?.['mended']], ['c', 799, 2]);
  assert.ok(Number(lines[0]?.['points']) >= 799, JSON.stringify(lines[0]));
  assert.is(lines[1]?.['kind'], 'copy');
  assert.equal(await all(target, 'c'), await all(source, 'c'));

  // A note of other servers, or of a collection that was made anew, does not count.
  writeFileSync(
    join(folder, 'other.json'),
    JSON.stringify({ version: 1, source: 'http://a:1', target: urls[1], collections: {} }),
  );
  assert.match((await run(['--resume', '--state', 'other.json'])).errors, 'is of a copy from http://a:1');
  const note = {
    version: 1,
    source: urls[0],
    target: urls[1],
    collections: { c: { created_at: 'then', cursor: null, points: 0, copied: false } },
  };
  writeFileSync(join(folder, 'old.json'), JSON.stringify(note));
  assert.match((await run(['--resume', '--state', 'old.json'])).errors, 'the source has made collection c anew');
});

test('a copy that follows does what is written meanwhile, and a comparison finds nothing to mend', async (t) => {
  const { source, target, run } = await twoServers(t);
  await source.createCollection('c', { dimension: 3, distance: 'dot' });
  await source.upsert('c', points(600));
  const stop = new AbortController();
  let written = 0;
  const writing = (async () => {
    for (; !stop.signal.aborted && written < 100; written++) {
      await source.upsert('c', [{ id: written % 50, vector: [written, 1, 2], payload: { written } }], { wait: 'durable' });
      if (written % 3 === 0) await source.delete('c', { ids: [`text ${written}`] }, { wait: 'durable' });
      if (written === 50) {
        await source.createCollection('late', { vectors: { a: { dimension: 1, distance: 'dot' } } });
        await source.upsert('late', [{ id: 1, vectors: { a: [7] }, expiresAt: new Date(Date.now() + 3_600_000) }, { id: 2 }]);
      }
    }
  })();
  const following = run(['--batch', '50', '--follow'], { stopping: stop.signal });
  await writing;
  await source.upsert('c', [{ id: 'last', vector: [0, 0, 1] }]);
  await waitUntil(async () => (await target.getMany('c', ['last']).catch(() => ({ points: [] }))).points.length === 1, {
    what: 'the last point to be copied, or followed',
  });
  // What comes behind the copying of its id can only be followed, and all that was written before it then was.
  await source.upsert('c', [{ id: 1, vector: [1, 1, 1], payload: { end: true } }]);
  await waitUntil(async () => (await target.get('c', 1)).payload?.['end'] === true, { what: 'the last write' });
  stop.abort(new Error('Ctrl-C'));
  const followed = await following;
  assert.is(followed.exitCode, 0, followed.errors);
  assert.match(followed.output, 'changes followed');
  assert.equal(await all(target, 'c'), await all(source, 'c'));
  assert.equal(
    (await target.scroll('late', { withVector: true })).points.map(({ id, vectors }) => [id, vectors]),
    [
      [1, { a: Float32Array.of(7) }],
      [2, {}],
    ],
  );
  await target.deleteCollection('late');
  const compared = await run(['--collections', 'c', '--resume']);
  assert.is(compared.exitCode, 0, compared.errors);
  assert.match(compared.output, /points compared, equal; the source stood still/);
});

test('where nobody answers, a copy says so at once, and which of the two it is', async (t) => {
  const { url } = await served(t);
  const nobody = 'http://127.0.0.1:1';
  for (const argv of [
    [url, nobody],
    [nobody, url],
  ]) {
    const { exitCode, errors } = await runSkein(['copy', ...argv]);
    assert.is(exitCode, 1);
    assert.match(errors, `no answer from ${nobody}: connect ECONNREFUSED 127.0.0.1:1; is that where it listens?`);
    assert.not.match(errors, '--resume');
  }
});

test('what is no address, or holds a key, is refused before anything is asked', async () => {
  for (const [argv, said] of [
    [['http://a:1', 'nowhere'], 'is no http or https address'],
    [['http://a:1', 'http://a:1/'], 'are the same server'],
    [['http://k:word@a:1', 'http://a:2'], 'an address holds no key'],
  ] as const) {
    const ran = await runSkein(['copy', ...argv]);
    assert.is(ran.exitCode, 2);
    assert.match(ran.errors, said);
    assert.not.match(ran.errors, 'word');
  }
});

test.run();

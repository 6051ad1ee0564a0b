/** Collections with named and sparse vectors from outside: the client, files, a copy to another server, a server that is killed. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type PointInput, SkeinClient } from '../../src/sdk/index.js';
import { startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { runSkein } from './run-skein.js';

const test = suite('cli/named-vectors', { deadlineMs: 90_000 });
const COUNT = 120;

const POINTS: readonly PointInput[] = Array.from({ length: COUNT }, (_, id) => ({
  id,
  ...(id % 2 === 0 && { vector: [Math.fround(Math.cos(id)), 1] }),
  vectors: {
    ...(id % 3 === 0 && { image: Float32Array.of(id, -0, 1) }),
    ...(id % 5 !== 0 && { words: { indices: [id % 7, 4_000_000_000 + (id % 11)], values: [id / 7, 1] } }),
  },
  payload: { id },
}));

async function all(client: SkeinClient, name: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { id, vector, vectors = {}, payload } of client.scrollAll(name, { withVector: true, limit: 50 })) {
    const named = Object.entries(vectors).map(([key, one]) =>
      one instanceof Float32Array
        ? [key, new Uint32Array(one.slice().buffer)]
        : [key, one.indices, new Uint32Array(one.values.slice().buffer)],
    );
    found.push({ id, bits: vector === undefined ? null : new Uint32Array(vector.slice().buffer), named, payload });
  }
  return found;
}

async function answers(client: SkeinClient, name: string): Promise<unknown> {
  const asks = [
    { vector: [1, 0.5] },
    { using: 'image', vector: [1, 0, 0], filter: { must: [{ key: 'id', range: { lt: 60 } }] } },
    { using: 'words', vector: { indices: [3, 4_000_000_001], values: [2, 1] }, withVector: ['words'] },
    { using: 'image', id: 6 },
  ];
  const batch = await client.searchBatch(name, asks);
  return batch.map(({ hits }) => hits.map(({ id, score, vectors }) => [id, score, vectors]));
}

test('what one server holds comes whole to another by copy and by file, and is there after a kill', async (t) => {
  const folder = t.folder();
  const [first, second] = await Promise.all(['a', 'b'].map((name) => startServer(t, join(folder, name))));
  const [source, target] = [first, second].map((server) => new SkeinClient({ url: server?.url ?? '' })) as [
    SkeinClient,
    SkeinClient,
  ];
  t.after(() => [source, target].map((client) => client.close()));
  const declared = {
    vectors: { image: { dimension: 3, distance: 'dot', hnsw: { m: 8 } } },
    sparseVectors: { words: { modifier: 'idf' } },
  } as const;
  await source.createCollection('c', { dimension: 2, distance: 'cosine', ...declared });
  await source.createCollection('bare', declared);
  await source.createCollection('none', { vectors: {} });
  await source.upsert('c', POINTS);
  await source.upsert('none', [{ id: 1, payload: { only: true } }]);
  await source.patch('c', [{ id: 3, vectors: { image: [9, 9, 9] }, unsetVectors: ['words'] }]);
  const before = await all(source, 'c');
  const found = await answers(source, 'c');
  assert.is((found as unknown[][])[2]?.length, 10);
  const run = (argv: string[]) => runSkein(argv, { workingDir: folder, environment: { SKEIN_URL: first?.url ?? '' } });
  const copied = await run(['copy', first?.url ?? '', second?.url ?? '']);
  assert.is(copied.exitCode, 0, copied.errors);
  assert.match(copied.output, `c: ${COUNT} points copied, ${COUNT} points compared, equal`);
  assert.equal(await all(target, 'c'), before);
  assert.equal(await answers(target, 'c'), found);
  const { dimension, vectors, sparseVectors } = await target.collection('bare');
  assert.equal([dimension, vectors['image']?.hnsw.m, sparseVectors['words']?.modifier], [null, 8, 'idf']);
  for (const format of ['ndjson', 'json', 'csv', 'parquet']) {
    const exported = await run(['export', 'c', `c.${format}`]);
    assert.is(exported.exitCode, 0, exported.errors);
    await source.createCollection(format, { dimension: 2, distance: 'cosine', ...declared });
    const imported = await run(['import', format, `c.${format}`]);
    assert.is(imported.exitCode, 0, imported.errors);
    assert.equal(await all(source, format), before, format);
    assert.equal(await answers(source, format), found, format);
  }
  const { digest } = await source.replication.stats();
  await first?.kill();
  const again = await startServer(t, join(folder, 'a'));
  const after = new SkeinClient({ url: again.url });
  t.after(() => after.close());
  assert.is((await after.replication.stats()).digest, digest);
  assert.equal(await all(after, 'c'), before);
  assert.equal(await answers(after, 'c'), found);
});

test.run();

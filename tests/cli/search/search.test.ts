/** `skein search` over a real server: where the vector comes from, what is shown, and what is refused before it is asked. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import * as assert from 'uvu/assert';
import { SkeinClient } from '../../../src/sdk/index.js';
import { startServer } from '../../support/server-process.js';
import { suite } from '../../support/suite.js';
import { runSkein } from '../run-skein.js';

const test = suite('cli/search/search', { deadlineMs: 60_000 });

test('a vector, a file, standard input, a point and words all find their way, as a table and as objects', async (t) => {
  const folder = t.folder();
  const { url } = await startServer(t, join(folder, 'data'));
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  await client.createCollection('c', { dimension: 2, distance: 'dot', textFields: ['name'] });
  await client.upsert('c', [
    { id: 1, vector: [1, 0], payload: { name: 'one red \u001b[31m' } },
    { id: '2', vector: [0, 1], payload: { name: 'two blue', long: 'x'.repeat(300) } },
    { id: 3, vector: [1, 1], payload: { name: 'three red' } },
  ]);
  const stdin = { input: Readable.from([Buffer.from('[1, '), Buffer.from('0.25]')]), output: new PassThrough() };
  const run = (...argv: string[]) =>
    runSkein(['search', 'c', ...argv], { workingDir: folder, environment: { SKEIN_URL: url }, protocolStreams: stdin });
  const table = await run('--vector', '[1, 0.25]', '--limit', '2');
  assert.is(table.exitCode, 0, table.errors);
  assert.match(table.output, /^id +score +payload\n3 +1\.25 +\{"name":"three red"\}\n1 +1 +\{"name":"one red/);
  assert.not.match(table.output, '\u001b');
  assert.match(table.output, '2 hits by vector in');
  writeFileSync(join(folder, 'v.json'), '[1, 0.25]');
  writeFileSync(
    join(folder, 'v.fvecs'),
    Buffer.concat([Buffer.from(Uint32Array.of(2).buffer), Buffer.from(Float32Array.of(1, 0.25).buffer)]),
  );
  const objects = async (...argv: string[]): Promise<Record<string, unknown>[]> => {
    const ran = await run('--json', ...argv);
    assert.is(ran.exitCode, 0, ran.errors);
    return ran.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const hits = async (...argv: string[]): Promise<unknown[]> =>
    (await objects(...argv)).filter(({ kind }) => kind === 'hit').map(({ id, score }) => [id, score]);
  const expected = [
    [3, 1.25],
    [1, 1],
    ['2', 0.25],
  ];
  for (const from of [
    ['--vector', '-'],
    ['--vector-file', 'v.json'],
    ['--vector-file', 'v.fvecs'],
  ])
    assert.equal(await hits(...from), expected, from.join(' '));
  assert.equal(
    (await hits('--id', '"2"')).map((hit) => (hit as unknown[])[0]),
    [3, 1],
  );
  assert.equal((await hits('--text', 'red')).length, 2);
  assert.equal(await hits('--vector', '[1, 0.25]', '--filter', '{"must": [{"key": "name", "match": {"value": "two blue"}}]}'), [
    ['2', 0.25],
  ]);
  const [first, answer] = await objects('--vector', '[1,0]', '--limit', '1', '--with-vector', '--explain', '--exact');
  assert.equal([first?.['kind'], first?.['rank'], first?.['vector']], ['hit', 1, first?.['id'] === 1 ? [1, 0] : [1, 1]]);
  assert.equal([answer?.['kind'], answer?.['hits'], answer?.['complete']], ['answer', 1, true]);
  assert.ok(typeof answer?.['explain'] === 'object');
  await client.createCollection('named', { vectors: { v: { dimension: 1, distance: 'dot' } }, sparseVectors: { s: {} } });
  await client.upsert('named', [{ id: 1, vectors: { v: [2], s: { indices: [3], values: [5] } } }]);
  for (const [name, vector, score] of [
    ['v', '[2]', 4],
    ['s', '{"indices": [3], "values": [2]}', 10],
  ] as const) {
    const ran = await runSkein(['search', 'named', '--using', name, '--vector', vector, '--json', '--with-vector', '--url', url]);
    assert.is(ran.exitCode, 0, ran.errors);
    const hit = JSON.parse(ran.output.split('\n')[0] ?? '') as Record<string, unknown>;
    assert.equal([hit['score'], hit['vectors']], [score, { v: [2], s: { indices: [3], values: [5] } }]);
  }
  assert.match((await run('--vector', '[1,0]', '--explain')).output, /\nplan +\w+/);
});

test('components are shown in as few digits as a float32 needs, as the server shows them', async (t) => {
  const folder = t.folder();
  const { url } = await startServer(t, join(folder, 'data'));
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  const vectors = { colour: { dimension: 1, distance: 'dot' } } as const;
  await client.createCollection('c', { dimension: 3, distance: 'dot', vectors, sparseVectors: { words: {} } });
  const named = { colour: [0.7], words: { indices: [3], values: [1 / 3] } };
  await client.upsert('c', [{ id: 1, vector: [0.1, -0.2, 1e-7], vectors: named }]);
  const { output, errors } = await runSkein(['search', 'c', '--vector', '[1,1,1]', '--with-vector', '--json'], {
    workingDir: folder,
    environment: { SKEIN_URL: url },
  });
  assert.match(output, '"vector":[0.1,-0.2,1e-7]', errors);
  assert.match(output, '"vectors":{"colour":[0.7],"words":{"indices":[3],"values":[0.33333334]}}');
});

test('what cannot be searched for is a slip, and names what is wrong', async (t) => {
  const folder = t.folder();
  writeFileSync(join(folder, 'bad'), 'no vector');
  for (const [argv, exitCode, said] of [
    [[], 2, "search needs --vector '[…]'"],
    [['--vector', '{}'], 2, '--vector is neither a JSON array of numbers nor a sparse vector'],
    [['--vector', '[1, "2"]'], 2, 'component 1 is not a number'],
    [['--vector', '[1]', '--vector-file', 'bad'], 2, 'not both'],
    [['--vector', '[1]', '--id', '7'], 2, 'not both'],
    [['--vector-file', 'bad'], 2, 'is not a JSON array'],
    [['--vector-file', 'none'], 1, 'cannot be read as a vector'],
    [['--id', '1', '--filter', '{'], 2, '--filter is not JSON'],
  ] as const) {
    const ran = await runSkein(['search', 'c', ...argv], { workingDir: folder });
    assert.is(ran.exitCode, exitCode, ran.errors);
    assert.match(ran.errors, said);
  }
});

test.run();

/** A database inside the program: what it keeps, how it ends, what it refuses. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { type EmbeddedSkein, openSkein, SkeinApiError, SkeinConnectionError } from '../../src/embedded/skein.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('embedded/open-skein', { deadlineMs: 60_000 });
const WRITER = fileURLToPath(new URL('./writing-program.js', import.meta.url));

async function open(t: TestContext, dataDir = t.folder(), options = {}): Promise<EmbeddedSkein> {
  const skein = await openSkein({ dataDir, ...options });
  t.after(() => skein.close());
  return skein;
}

test('it answers as a server does, and opens no port', async (t) => {
  const { client } = await open(t);
  await client.createCollection('c', { dimension: 2, distance: 'euclid', textFields: ['title'] });
  const vector = new Float32Array([1, 0]);
  const points = [
    { id: 1, vector, payload: { title: 'the first' } },
    { id: 'two', vector: new Float32Array([0, 2]), payload: { title: 'the second' } },
  ];
  assert.is((await client.upsert('c', points)).upserted, 2);
  assert.equal(
    (await client.search('c', { vector, limit: 2 })).hits.map(({ id, score }) => [id, score]),
    [
      [1, 0],
      ['two', Math.sqrt(5)],
    ],
  );
  assert.is((await client.search('c', { text: 'second' })).hits[0]?.id, 'two');
  assert.equal((await client.get('c', 1)).vector, vector);
  assert.is((await client.replication.stats()).role, 'master');
  assert.not(process.getActiveResourcesInfo().includes('TCPServerWrap'));
});

test('many calls at once, large bodies and streams pass, and each ends as it would over the network', async (t) => {
  const { client } = await open(t);
  await client.createCollection('c', { dimension: 64, distance: 'dot' });
  const vector = new Float32Array(64).fill(0.5);
  function* many(from: number, count: number) {
    for (let id = from; id < from + count; id++) yield { id, vector, payload: { text: 'x'.repeat(200) } };
  }
  await client.upsert('c', [...many(0, 5_000)]);
  const imported = await client.importPoints('c', many(5_000, 5_000));
  assert.equal([imported.imported, imported.failed.length], [5_000, 0]);
  const counts = await Promise.all(Array.from({ length: 200 }, () => client.count('c')));
  assert.equal(new Set(counts), new Set([10_000]));
  let seen = 0;
  for await (const point of client.scrollAll('c', { withVector: true })) if (point.vector !== undefined) seen += 1;
  assert.is(seen, 10_000);
  const stopped = new AbortController();
  const endlessly = client.importPoints(
    'c',
    endless(() => stopped.abort(new Error('enough'))),
    { signal: stopped.signal },
  );
  assert.is(((await endlessly.catch((error: unknown) => error)) as Error).message, 'enough');
  assert.is((await client.get('c', 1)).id, 1, 'it serves on');

  function* endless(after: () => void) {
    for (let id = 20_000; ; id++) {
      if (id === 40_000) after();
      yield { id, vector };
    }
  }
});

test('what a server does for its operators it does too: backups, keys, log, figures', async (t) => {
  const { client } = await open(t, t.folder(), { settings: { backup_folder: t.folder() } });
  await client.createCollection('c', { dimension: 1, distance: 'dot' });
  await client.upsert('c', [{ id: 1, vector: [1] }]);
  const first = (await client.backups.create({ kind: 'full' }))?.id ?? '';
  await client.upsert('c', [{ id: 2, vector: [2] }]);
  await client.backups.create({ kind: 'full' });
  assert.equal((await client.backups.verify(first)).backups, [first]);
  assert.is((await client.backups.remove(first, { increments: true })).at(-1), first);
  await client.delete('c', { ids: [1, 2] });
  await client.backups.restore();
  assert.is(await client.count('c'), 2);
  const key = await client.keys.create({ name: 'reader', role: 'read' });
  assert.equal(
    (await client.keys.list()).map(({ name }) => name),
    [key.name],
  );
  await client.keys.revoke(key.id);
  assert.match(await client.server.metrics(), /^skein_/m);
  assert.is((await client.server.setLogLevel('error')).level, 'error');
  assert.is((await client.health()).status, 'healthy');
});

test('it is closed by what it was taken apart to, as often as one likes', async (t) => {
  const dataDir = t.folder();
  const { client, close } = await openSkein({ dataDir });
  await client.createCollection('c', { dimension: 1, distance: 'dot' });
  await Promise.all([close(), close()]);
  await using again = await openSkein({ dataDir });
  assert.is((await again.client.collections()).length, 1);
});

test('errors are those of the server, by type', async (t) => {
  const { client } = await open(t);
  const refused = await client.count('none').catch((error: unknown) => error);
  assert.ok(refused instanceof SkeinApiError && refused.type === 'CollectionNotFound');
});

test('what was acknowledged is there when it is opened again; one folder is open once', async (t) => {
  const dataDir = t.folder();
  const first = await openSkein({ dataDir });
  await first.client.createCollection('c', { dimension: 1, distance: 'dot' });
  await first.client.upsert('c', [{ id: 1, vector: new Float32Array([1]) }]);
  const second = await openSkein({ dataDir }).catch((error: unknown) => error);
  assert.match(String(second), 'in use');
  const running = first.client.count('c');
  await first.close();
  await first.close();
  assert.is(await running, 1);
  const late = await first.client.count('c').catch((error: unknown) => error);
  assert.ok(late instanceof SkeinConnectionError, String(late));
  const { client } = await open(t, dataDir);
  assert.is(await client.count('c'), 1);
});

test('a program that is killed in the middle of writing loses nothing that was acknowledged', async (t) => {
  const dataDir = t.folder();
  const program = spawn(process.execPath, [WRITER, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => program.kill('SIGKILL'));
  let acknowledged = 0;
  createInterface({ input: program.stdout }).on('line', (line) => {
    acknowledged = Number(line);
  });
  await waitUntil(() => acknowledged >= 200, { what: 'writes' });
  program.kill('SIGKILL');
  await once(program, 'close');
  const { client } = await open(t, dataDir);
  assert.ok((await client.count('c')) >= acknowledged);
  const { missing } = await client.getMany(
    'c',
    Array.from({ length: acknowledged }, (_, i) => i + 1),
    { withVector: false },
  );
  assert.equal(missing, []);
});

test('settings are those of a configuration file: unknown ones and bad values are refused by name', async (t) => {
  const tried = await openSkein({ dataDir: t.folder(), settings: { serch_limit_max: 3, index_workers: 0 } }).catch(
    (e: Error) => e,
  );
  assert.ok(tried instanceof Error);
  assert.match(tried.message, 'unknown key "serch_limit_max" in settings (did you mean search_limit_max?)');
  assert.match(tried.message, 'index_workers in settings');
  const { client } = await open(t, t.folder(), { settings: { search_limit_max: 3 } });
  await client.createCollection('c', { dimension: 1, distance: 'dot' });
  const refused = await client.search('c', { vector: new Float32Array([1]), limit: 4 }).catch((error: unknown) => error);
  assert.ok(refused instanceof SkeinApiError && refused.type === 'InvalidRequest');
});

test('a close waits for calls that run no longer than shutdown_timeout_ms: imports may have no end', async (t) => {
  const dataDir = t.folder();
  const { client, close } = await openSkein({ dataDir, settings: { shutdown_timeout_ms: 1_000 } });
  await client.createCollection('c', { dimension: 1, distance: 'dot' });
  async function* stuck() {
    yield { id: 1, vector: [1] };
    await new Promise(() => undefined);
  }
  const imported = client.importPoints('c', stuck()).catch((error: unknown) => error);
  const ended = client.end();
  await close();
  await ended;
  const error = await imported;
  assert.ok(error instanceof SkeinConnectionError && error.code === 'CLOSED', String(error));
  await open(t, dataDir);
});

test('an opening that is given up, or whose client cannot be made, leaves nothing open', async (t) => {
  const dataDir = t.folder();
  const reason = new Error('not now');
  assert.is(await openSkein({ dataDir, signal: AbortSignal.abort(reason) }).catch((error: unknown) => error), reason);
  const client = { hedge: { afterMs: -1 } };
  assert.instance(await openSkein({ dataDir, client }).catch((error: unknown) => error), RangeError);
  const later = new AbortController();
  const opening = openSkein({ dataDir, signal: later.signal });
  later.abort(reason);
  assert.is(await opening.catch((error: unknown) => error), reason);
  await open(t, dataDir);
});

test('a host in settings asks for no key, and the log goes where they say', async (t) => {
  const log = join(t.folder(), 'program.log');
  const settings = { host: '0.0.0.0', log_file: log };
  const { client } = await open(t, t.folder(), { settings, logLevel: 'info' });
  assert.is((await client.server.log()).file, log);
  assert.match(readFileSync(log, 'utf8'), '"msg":"start_step"');
});

test('a program that is given as text, and not as a file, has its threads all the same', async (t) => {
  const text = `
    const { openSkein } = await import(${JSON.stringify(new URL('../../src/embedded/skein.js', import.meta.url).href)});
    const { client, close } = await openSkein({ dataDir: ${JSON.stringify(t.folder())} });
    await client.createCollection('c', { dimension: 1, distance: 'dot' });
    await close();
    process.stdout.write('closed');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--expose-gc', '-e', text]);
  assert.is(stdout, 'closed', 'and it ends by itself');
});

test('keys in the data are for callers from outside: the program itself needs none', async (t) => {
  const { client } = await open(t);
  await client.keys.create({ name: 'other', role: 'admin' });
  await client.createCollection('c', { dimension: 1, distance: 'dot' });
  assert.equal(
    (await client.collections()).map(({ name }) => name),
    ['c'],
  );
});

test.run();

/** A server over a damaged data folder refuses, saying what is wrong, or repairs and says so; it never serves wrong data and never
 *  starts empty over a folder that had data. Real processes, real files. */

import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Random } from '../support/random.js';
import { ServerDidNotStart, type ServerProcess, startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/damaged-folder', { deadlineMs: 120_000 });
/** Enough that the graph has taken over from the flat set by the last of them. */
const POINTS = 2_100;
const PER_REQUEST = 700;
const NO_CLEANUP = { after: () => {} };

/** A stopped folder with a graph and its checkpoint, and one that was left by a kill with everything still in the WAL.
 *  Each is made once, when the first test asks for it; tests get copies. */
const templates = new Map<string, Promise<string>>();
const templatesRoot = mkdtempSync(join(tmpdir(), 'skein-test-'));
process.on('exit', () => rmSync(templatesRoot, { recursive: true, force: true }));

async function filledFolder(t: TestContext, how: 'stop' | 'kill' = 'stop'): Promise<string> {
  const template = templates.get(how) ?? fill(join(templatesRoot, how), how);
  templates.set(how, template);
  const dataDir = join(t.folder(), 'data');
  cpSync(await template, dataDir, { recursive: true });
  return dataDir;
}

async function fill(dataDir: string, how: 'stop' | 'kill'): Promise<string> {
  const server = await startServer(NO_CLEANUP, dataDir);
  await server.request('PUT', '/v1/collections/c', { dimension: 8, distance: 'cosine' });
  for (let from = 0; from < POINTS; from += PER_REQUEST) {
    const points = Array.from({ length: PER_REQUEST }, (_, i) => ({
      id: from + i,
      vector: vectorOf(from + i),
      payload: { text: `point ${from + i}` },
    }));
    const { status, body } = await server.request('PUT', '/v1/collections/c/points', { points });
    assert.is(status, 200, JSON.stringify(body));
  }
  if (how === 'kill') await server.kill();
  else assert.is(await server.stop(), 0);
  return dataDir;
}

const vectorOf = (id: number): number[] => [...new Random(id + 1).vector(8)];

async function answersRightly(server: ServerProcess): Promise<void> {
  assert.is((await server.request<{ count: number }>('POST', '/v1/collections/c/points/count', {})).body.count, POINTS);
  for (const id of [0, 7, 801, POINTS - 1]) {
    const { body } = await server.request<{ hits: { id: number }[] }>('POST', '/v1/collections/c/points/search', {
      vector: vectorOf(id),
      limit: 1,
    });
    assert.is(body.hits[0]?.id, id);
  }
}

async function refuses(t: TestContext, dataDir: string, saying: RegExp, flags: readonly string[] = []): Promise<void> {
  const before = readdirSync(dataDir, { recursive: true }).sort();
  try {
    await startServer(t, dataDir, flags);
    assert.unreachable('the server started');
  } catch (error) {
    assert.instance(error, ServerDidNotStart);
    assert.is((error as ServerDidNotStart).code, 1);
    assert.match((error as ServerDidNotStart).output, saying);
  }
  const after = readdirSync(dataDir, { recursive: true }).sort();
  assert.equal(
    after.filter((name) => !String(name).match(/-(wal|shm)$/)),
    before.filter((name) => !String(name).match(/-(wal|shm)$/)),
  );
}

function flip(path: string, at: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] as number) ^ 0xff;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

const database = (dataDir: string): string => join(dataDir, 'store-1', 'skein.db');

function checkpoint(dataDir: string, ending: string): string {
  const root = join(dataDir, 'store-1', 'checkpoints');
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith(ending));
  assert.ok(found, `a checkpoint file ${ending} was written at shutdown`);
  return join(root, found as string);
}

test('an undamaged folder starts, after a stop and after a kill', async (t) => {
  for (const how of ['stop', 'kill'] as const) await answersRightly(await startServer(t, await filledFolder(t, how)));
});

test('one changed byte in a row is found at start and named', async (t) => {
  const dataDir = await filledFolder(t);
  const at = readFileSync(database(dataDir)).indexOf('point 1234');
  assert.ok(at > 0);
  flip(database(dataDir), at + 6);
  await refuses(t, dataDir, /damaged.*--recover-at-start rows/s, ['--recover-at-start', 'off']);
});

test('after a quick start every row is read in the background, and health says what it found', async (t) => {
  const dataDir = await filledFolder(t);
  const bytes = readFileSync(database(dataDir));
  // In its row, and in the entry of the log from which it could be repaired.
  for (let at = bytes.indexOf('point 1234'); at >= 0; at = bytes.indexOf('point 1234', at + 1)) flip(database(dataDir), at + 6);
  const server = await startServer(t, dataDir, ['--verify-at-start', 'quick']);
  const health = async () => (await server.request<{ status: string; reasons: string[] }>('GET', '/health')).body;
  await waitUntil(async () => (await health()).reasons.some((reason) => /2 damaged rows were found/.test(reason)), {
    what: 'the damage in /health',
  });
  assert.is((await health()).status, 'degraded');
  assert.is((await server.request('GET', '/v1/collections/c/points/1234')).body.error.type, 'CorruptData');
  assert.is(await server.stop(), 0);
});

test('a zeroed page, a cut file and a trashed header are refused', async (t) => {
  const dataDir = await filledFolder(t);
  const whole = readFileSync(database(dataDir));
  const zeroed = Buffer.from(whole);
  zeroed.fill(0, 40 * 4096, 44 * 4096);
  for (const bytes of [
    zeroed,
    whole.subarray(0, whole.length >> 1),
    Buffer.concat([Buffer.alloc(100, 7), whole.subarray(100)]),
  ]) {
    writeFileSync(database(dataDir), bytes);
    await refuses(t, dataDir, /damaged|not a store|cannot/i);
  }
  writeFileSync(database(dataDir), whole);
  await answersRightly(await startServer(t, dataDir));
});

test('an empty or missing database never becomes an empty server', async (t) => {
  const dataDir = await filledFolder(t);
  const aside = `${database(dataDir)}.aside`;
  renameSync(database(dataDir), aside);
  await refuses(t, dataDir, /missing/);
  writeFileSync(database(dataDir), '');
  await refuses(t, dataDir, /0 bytes/);
  renameSync(aside, database(dataDir));
  renameSync(join(dataDir, 'store-1'), join(dataDir, '..', 'elsewhere'));
  await refuses(t, dataDir, /no store|lost|moved/);
});

test('a damaged manifest is repaired from a sound store, and the server says so', async (t) => {
  const dataDir = await filledFolder(t);
  for (const damage of [
    () => truncateSync(join(dataDir, 'MANIFEST'), 0),
    () => writeFileSync(join(dataDir, 'MANIFEST'), Buffer.alloc(1024, 0xaa)),
    () => rmSync(join(dataDir, 'MANIFEST')),
  ]) {
    damage();
    const server = await startServer(t, dataDir);
    assert.match(server.output(), /manifest/i);
    await answersRightly(server);
    assert.is(await server.stop(), 0);
  }
  const server = await startServer(t, dataDir);
  assert.not.match(server.output(), /manifest_repaired/);
});

test('a store behind its manifest is refused, until the operator accepts the loss: then old positions are lost, not passed', async (t) => {
  const dataDir = await filledFolder(t);
  const before = readFileSync(database(dataDir));
  let server = await startServer(t, dataDir);
  const early = (await server.request('POST', '/v1/collections/c/points/count', {})).headers.get('x-skein-position') as string;
  const { headers } = await server.request('PUT', '/v1/collections/c/points', {
    points: [{ id: 'late', vector: vectorOf(9_999) }],
  });
  const token = headers.get('x-skein-position') as string;
  assert.is(await server.stop(), 0);
  writeFileSync(database(dataDir), before);
  await refuses(t, dataDir, /accept-lost-tail/);
  server = await startServer(t, dataDir, ['--accept-lost-tail']);
  await answersRightly(server);
  const { status, body } = await server.request('POST', '/v1/collections/c/points/count', {}, { 'x-skein-min-position': token });
  assert.is(status, 409);
  assert.is(body.error.type, 'PositionLost');
  const kept = await server.request('POST', '/v1/collections/c/points/count', {}, { 'x-skein-min-position': early });
  assert.is(kept.status, 200, 'what was not lost is in the past of the new history');
  assert.is(await server.stop(), 0);
  await answersRightly(await startServer(t, dataDir));
});

test('a WAL that lost its end by damage is refused, and so is a cut one: the manifest knows how much was acknowledged', async (t) => {
  const source = await filledFolder(t, 'kill');
  const wal = `${database(source)}-wal`;
  const { size } = statSync(wal);
  assert.ok(size > 100_000, 'the WAL holds what was written');
  for (const [name, damage] of [
    ['flip', (path: string) => flip(path, Math.floor(size * 0.6))],
    ['cut', (path: string) => truncateSync(path, Math.floor(size * 0.6))],
    ['gone', (path: string) => rmSync(path)],
  ] as const) {
    const dataDir = join(t.folder(), name);
    cpSync(source, dataDir, { recursive: true });
    damage(`${database(dataDir)}-wal`);
    await refuses(t, dataDir, /accept-lost-tail/);
  }
});

test('a damaged CURRENT is refused; a damaged LOCK says that it holds no data', async (t) => {
  const dataDir = await filledFolder(t);
  for (const text of ['', 'store-7\n', 'store-1']) {
    writeFileSync(join(dataDir, 'CURRENT'), text);
    await refuses(t, dataDir, /CURRENT/);
  }
  writeFileSync(join(dataDir, 'CURRENT'), 'store-1\n');
  writeFileSync(join(dataDir, 'LOCK'), Buffer.alloc(4096, 7));
  await refuses(t, dataDir, /LOCK is not a lock file.*holds no data/);
  rmSync(join(dataDir, 'LOCK'));
  await answersRightly(await startServer(t, dataDir));
});

test('a damaged index file is not read: the index is rebuilt and the answers are right', async (t) => {
  const dataDir = await filledFolder(t);
  for (const damage of [
    () => flip(checkpoint(dataDir, '.hnsw'), statSync(checkpoint(dataDir, '.hnsw')).size >> 1),
    () => truncateSync(checkpoint(dataDir, '.hnsw'), 1000),
    () => writeFileSync(checkpoint(dataDir, '.json'), '{}'),
  ]) {
    damage();
    const server = await startServer(t, dataDir);
    assert.match(server.output(), /index_checkpoint_refused/);
    await answersRightly(server);
    assert.is(await server.stop(), 0);
    assert.ok(existsSync(checkpoint(dataDir, '.hnsw')));
  }
});

test('two servers never share a folder', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const first = await startServer(t, dataDir);
  try {
    await startServer(t, dataDir);
    assert.unreachable('a second server started');
  } catch (error) {
    assert.instance(error, ServerDidNotStart);
    assert.match((error as ServerDidNotStart).output, /in use/);
  }
  await first.kill();
  await startServer(t, dataDir);
});

test.run();

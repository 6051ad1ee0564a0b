/** `skein status` and `skein verify` over a real server and its folder. */
import { closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodeToken } from '../../src/model/position.js';
import { SkeinClient } from '../../src/sdk/index.js';
import { startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { runSkein } from './run-skein.js';

const test = suite('cli/status', { deadlineMs: 60_000 });

test('status shows the server and its collections, for people and for programs', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'));
  const environment = { SKEIN_URL: server.url };
  const empty = await runSkein(['status'], { environment });
  assert.is(empty.exitCode, 0, empty.errors);
  assert.match(empty.output, 'no collections yet');
  const client = new SkeinClient({ url: server.url });
  t.after(() => client.close());
  await client.createCollection('films', { dimension: 2, distance: 'dot' });
  await client.upsert('films', [{ id: 1, vector: [1, 2] }]);
  const text = await runSkein(['status'], { environment });
  assert.match(text.output, /status healthy\nmaster, no replicas\n/);
  assert.match(text.output, /collection +points +dimension +distance +status +memory +disk\nfilms +1 +2 +dot +ready/);
  const json = await runSkein(['status', '--json'], { environment });
  const [first, replication, second] = json.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal([first?.['kind'], first?.['status'], first?.['collections']], ['server', 'healthy', 1]);
  assert.equal([replication?.['kind'], replication?.['role'], replication?.['lag_ms']], ['replication', 'master', null]);
  assert.equal([second?.['kind'], second?.['name'], second?.['points_count']], ['collection', 'films', 1]);
});

test('verify calls a stopped folder sound, one in use taken, and a damaged one damaged', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const server = await startServer(t, dataDir);
  const client = new SkeinClient({ url: server.url });
  t.after(() => client.close());
  await client.createCollection('c', { dimension: 64, distance: 'dot' });
  await client.upsert(
    'c',
    Array.from({ length: 500 }, (_, id) => ({ id, vector: new Float32Array(64).fill(id) })),
  );
  const taken = await runSkein(['verify', dataDir]);
  assert.is(taken.exitCode, 1);
  assert.match(taken.errors, 'in use by another Skein process');
  assert.match(taken.errors, 'Stop it first; "skein verify --url URL"');
  assert.is(await server.stop(), 0);

  const sound = await runSkein(['verify', dataDir]);
  assert.is(sound.exitCode, 0, sound.output);
  assert.match(sound.output, /^sound: .*500 points in 1 collection,/m);

  const store = readdirSync(dataDir).find((name) => name.startsWith('store-')) ?? '';
  const database = join(dataDir, store, 'skein.db');
  const file = openSync(database, 'r+');
  writeSync(file, Buffer.alloc(64, 0xa5), 0, 64, Math.floor(statSync(database).size / 2));
  closeSync(file);
  const damaged = await runSkein(['verify', dataDir]);
  assert.is(damaged.exitCode, 1);
  assert.match(damaged.output, /^damage {2}\w+: /m);
  assert.match(damaged.output, /^DAMAGED: /m);
  const json = await runSkein(['verify', dataDir, '--json']);
  const objects = json.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; ok?: boolean; position?: string; seq?: number });
  const report = objects.at(-1);
  assert.is(report?.ok, false);
  assert.is(decodeToken(report?.position ?? '', 'position').seq, report?.seq);
  assert.ok(objects.slice(0, -1).every(({ kind }) => kind === 'finding'));
});

test.run();

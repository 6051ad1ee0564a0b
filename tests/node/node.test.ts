/** A node in this process: a start that fails leaves the data folder, the port and every thread free. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { silentProcessLog } from '../../src/model/log.js';
import { type NodeOptions, startNode } from '../../src/node/node.js';
import { loadDriver } from '../../src/storage/driver.js';
import { lockFolder } from '../../src/storage/folder-lock.js';
import { rowChecksum } from '../../src/storage/row-checksum.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('node/node', { deadlineMs: 60_000 });
/** Of the first label of the first collection. */
const KEY = 2 ** 31;

function optionsFor(dataDir: string, more: Readonly<Record<string, string>> = {}): NodeOptions {
  const flags = { dataDir, port: '0', verifyAtStart: 'quick', ...more };
  const { config } = loadConfig({ flags, environment: {}, workingDir: dataDir });
  return { config, shownConfig: {}, log: silentProcessLog, onFatal: () => {} };
}

async function ask(url: string, path: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  return (await fetch(`${url}/v1/collections/${path}`, { method: 'PUT', headers, body: JSON.stringify(body) })).status;
}

test('a start that fails at its last step can be tried again', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const first = await startNode(optionsFor(dataDir));
  assert.is(await ask(first.url, 'c', { dimension: 2, distance: 'euclid' }), 201);
  assert.is(await ask(first.url, 'c/points', { points: [{ id: 1, vector: [1, 1] }] }), 200);
  await first.stop();
  const change = (sql: string): void => {
    const db = new (loadDriver())(join(dataDir, 'store-1', 'skein.db'));
    db.exec(sql);
    db.close();
  };
  const db = new (loadDriver())(join(dataDir, 'store-1', 'skein.db'), { readonly: true });
  const kept = db.prepare('SELECT vector_set FROM vectors').pluck().get() as Buffer;
  db.close();
  // No checksum tells of it, and no index can take it.
  change(`UPDATE vectors SET vector_set = x'00', crc = ${rowChecksum([KEY], [Uint8Array.of(0)])}`);
  let failure = '';
  await startNode(optionsFor(dataDir)).catch((error: Error) => (failure = error.message));
  assert.match(failure, /index worker failed/);
  lockFolder(dataDir).release();
  change(`UPDATE vectors SET vector_set = x'${kept.toString('hex')}', crc = ${rowChecksum([KEY], [kept])}`);
  const next = await startNode(optionsFor(dataDir));
  assert.match((await next.metrics?.text()) ?? '', /^skein_ready 1$/m);
  await next.stop();
});

test('a start that fails says nothing of a stop', async (t) => {
  const dataDir = join(t.folder(), 'data');
  mkdirSync(dataDir);
  const lock = lockFolder(dataDir);
  const lines: string[] = [];
  const note = (event: string): void => void lines.push(event);
  const log = { ...silentProcessLog, info: note, warn: note, error: note };
  const failure = await startNode({ ...optionsFor(dataDir), log }).catch((error: Error) => error.message);
  lock.release();
  assert.match(String(failure), 'in use');
  assert.equal(
    lines.filter((event) => event.startsWith('stop')),
    [],
  );
});

test('the first look at health knows that the start has not read every row', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const first = await startNode(optionsFor(dataDir));
  assert.is(await ask(first.url, 'c', { dimension: 2, distance: 'euclid' }), 201);
  await first.stop();
  const node = await startNode(optionsFor(dataDir));
  t.after(() => node.stop());
  const { status, reasons } = (await (await fetch(`${node.url}/health`)).json()) as { status: string; reasons: string[] };
  assert.is(status, 'degraded');
  assert.match(reasons.join(), /not every row was read/);
});

test('a replica that waits for its first snapshot is watched, and not ready', async (t) => {
  const options = optionsFor(join(t.folder(), 'data'), { master: 'ws://127.0.0.1:1', healthIntervalMs: '20' });
  const node = await startNode(options);
  t.after(() => node.stop());
  const text = async (): Promise<string> => (await node.metrics?.text()) ?? '';
  await waitUntil(async () => (await text()).includes('skein_health_status{component="node"} 2'), { what: 'a look' });
  assert.match(await text(), /^skein_ready 0$/m);
});

test.run();

/** Access keys over restores. In place the present ones win: what was revoked since stays dead, what was made since stays good, on every node
 *  and over a restart. In a new folder the keys of that moment are good again, and whoever restores is told of each. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { silentProcessLog } from '../../src/model/log.js';
import { type Node, startNode } from '../../src/node/node.js';
import { runSkein } from '../cli/run-skein.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('node/restored-keys', { deadlineMs: 90_000 });
const BY_HAND = { backupEveryOperations: '0', backupIntervalMs: '0', snapshotMinIntervalMs: '0' };

async function started(t: TestContext, dataDir: string, flags: Readonly<Record<string, string>>): Promise<Node> {
  const { config } = loadConfig({
    flags: { dataDir, port: '0', docs: 'false', clusterKey: 'k'.repeat(16), ...flags },
    environment: {},
    workingDir: dataDir,
  });
  const onFatal = (reason: string): void => {
    throw new Error(reason);
  };
  const node = await startNode({ config, shownConfig: {}, log: silentProcessLog, onFatal });
  t.after(() => node.stop());
  return node;
}

async function ask(node: Node, method: string, path: string, key: string, body?: unknown) {
  const headers = { 'content-type': 'application/json', ...(key !== '' && { authorization: `Bearer ${key}` }) };
  const response = await fetch(node.url + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

async function made(node: Node, admin: string, name: string, role = 'read'): Promise<{ id: string; key: string }> {
  const { status, body } = await ask(node, 'POST', '/v1/keys', admin, { name, role });
  assert.is(status, 201, JSON.stringify(body));
  return body;
}

test('a restore in place wakes no revoked key and loses no new one; one into a new folder tells of all that it wakes', async (t) => {
  const [folder, place] = [t.folder(), join(t.folder(), 'backups')];
  const flags = { ...BY_HAND, backupFolder: place };
  let master = await started(t, join(folder, 'master'), flags);
  const { key: admin } = await made(master, '', 'ops', 'admin');
  await ask(master, 'PUT', '/v1/collections/films', admin, { dimension: 2, distance: 'dot' });
  const [leaked, turned] = [await made(master, admin, 'leaked'), await made(master, admin, 'turned')];
  const replica = await started(t, join(folder, 'replica'), { ...BY_HAND, master: master.url });
  assert.is((await ask(master, 'POST', '/v1/backups', admin, { kind: 'full' })).status, 200);
  const then = (await ask(master, 'GET', '/replication/stats', admin)).body;

  assert.is((await ask(master, 'DELETE', `/v1/keys/${leaked.id}`, admin)).status, 200);
  const { body: rotated } = await ask(master, 'POST', `/v1/keys/${turned.id}/rotate`, admin, { grace_ms: 0 });
  const late = await made(master, admin, 'late');
  const points = { points: [{ id: 1, vector: [1, 1] }] };
  assert.is((await ask(master, 'PUT', '/v1/collections/films/points', admin, points)).status, 200);
  const restored = await ask(master, 'POST', '/v1/backups/latest/restore', admin, { to_position: then.position });
  assert.is(restored.status, 200, JSON.stringify(restored.body));

  const opens = async (node: Node) =>
    await Promise.all(
      [leaked.key, turned.key, rotated.key, late.key, admin].map(
        async (key) => (await ask(node, 'GET', '/v1/collections/films', key)).status,
      ),
    );
  const asNow = [401, 401, 200, 200, 200];
  assert.equal(await opens(master), asNow);
  const { body: counted } = await ask(master, 'POST', '/v1/collections/films/points/count', admin, {});
  assert.is(counted.count, 0, 'the data did go back');
  const digestOf = async (node: Node): Promise<string> => (await ask(node, 'GET', '/replication/stats', admin)).body.digest;
  await waitUntil(async () => (await digestOf(replica)) === (await digestOf(master)), { what: 'the replica to come along' });
  assert.equal(await opens(replica), asNow, 'and the replica agrees');
  await replica.stop();
  await master.stop();
  master = await started(t, join(folder, 'master'), flags);
  assert.equal(await opens(master), asNow, 'after a restart as well');
  await master.stop();

  const copy = join(folder, 'copy');
  const words = ['restore', '--backup-folder', place, '--to', copy, '--position', then.position, '--json'];
  const said = await runSkein(words);
  assert.is(said.exitCode, 0, said.errors);
  assert.match(said.errors, 'WARNING: the 3 access keys of that moment open the copy');
  const names = JSON.parse(said.output).access_keys.map(({ name }: { name: string }) => name);
  assert.equal(names.sort(), ['leaked', 'ops', 'turned']);
  assert.not.match(said.output + said.errors, leaked.key.slice(-43));
  assert.equal(await opens(await started(t, copy, BY_HAND)), [200, 200, 401, 401, 200], 'as it was told');
});

test.run();

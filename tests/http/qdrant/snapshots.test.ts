/** The dialect's snapshots are the backups of the node, where there is a place for them. */

import * as assert from 'uvu/assert';
import type { BackupInfo } from '../../../src/model/backup.js';
import { fakeBackups } from '../../support/fake-backups.js';
import { startHttp } from '../../support/http-server.js';
import { suite } from '../../support/suite.js';

const test = suite('http/qdrant/snapshots');

const BACKUP: BackupInfo = {
  id: 'b1',
  kind: 'full',
  createdAtMs: Date.UTC(2026, 10, 20, 8, 30),
  fromSeq: null,
  end: { historyId: 'h', epoch: 1, seq: 9 },
  timeMs: null,
  bytes: 77,
  verifiedAtMs: null,
};
const SHOWN = { name: 'b1', creation_time: '2026-11-20T08:30:00', size: 77, checksum: null };

test('backups are listed and made; with wait=false one is begun', async (t) => {
  let made = 0;
  const list = { backups: [BACKUP], damaged: [], restorableFrom: null, readAtMs: 1, readFailure: null };
  const create = () => {
    made += 1;
    return Promise.resolve(BACKUP);
  };
  const { ask } = await startHttp(t, { service: { backups: fakeBackups({ list: () => Promise.resolve(list), create }) } });
  await ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  for (const path of ['/snapshots', '/collections/c/snapshots']) {
    assert.equal((await ask('GET', path)).body.result, [SHOWN]);
    assert.equal((await ask('POST', path)).body.result, SHOWN);
    const begun = await ask('POST', `${path}?wait=false`);
    assert.equal([begun.status, begun.body.status], [202, 'accepted']);
    assert.is((await ask('DELETE', `${path}/b1`)).status, 400);
  }
  assert.is(made, 4);
  assert.is((await ask('GET', '/collections/none/snapshots')).status, 404);
});

test('without a place for backups it says so', async (t) => {
  const { ask } = await startHttp(t);
  for (const method of ['GET', 'POST']) {
    const answer = await ask(method, '/snapshots');
    assert.is(answer.status, 409);
    assert.match(answer.body.status.error, /place for backups/);
  }
});

test.run();

/** The dialect's snapshots are the backups of the node, where there is a place for them. */

import * as assert from 'uvu/assert';
import type { BackupInfo } from '../../../src/model/backup.js';
import { SkeinError } from '../../../src/model/errors.js';
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
  }
  assert.is(made, 4);
  assert.is((await ask('GET', '/collections/none/snapshots')).status, 404);
});

test('one that is asked to go does, with what leads nowhere without it; one that is needed stays, and one that is not there is 404', async (t) => {
  const asked: [string, boolean][] = [];
  const remove = async (id: string, withIncrements: boolean): Promise<readonly string[]> => {
    asked.push([id, withIncrements]);
    if (id === 'none') throw new SkeinError('BackupNotFound', 'There is no backup none');
    if (id === 'last') throw new SkeinError('BackupNeeded', 'Backup last is the only good full one', { backup: id });
    return [id];
  };
  const { ask } = await startHttp(t, { service: { backups: fakeBackups({ remove }) } });
  await ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  for (const path of ['/snapshots', '/collections/c/snapshots']) {
    const gone = await ask('DELETE', `${path}/b1`);
    assert.equal([gone.status, gone.body.result], [200, true]);
    const begun = await ask('DELETE', `${path}/b1?wait=false`);
    assert.equal([begun.status, begun.body.status], [202, 'accepted']);
    const none = await ask('DELETE', `${path}/none`);
    assert.equal([none.status, none.body.status.error], [404, 'Not found: There is no backup none']);
    const needed = await ask('DELETE', `${path}/last`);
    assert.equal([needed.status, needed.body.status.error], [409, 'Wrong input: Backup last is the only good full one']);
  }
  assert.is((await ask('DELETE', '/collections/none/snapshots/b1')).status, 404);
  assert.is((await ask('DELETE', '/snapshots/b1?wait=perhaps')).status, 400);
  assert.equal(
    asked.map(([, withIncrements]) => withIncrements),
    asked.map(() => true),
  );
});

test('without a place for backups it says so', async (t) => {
  const { ask } = await startHttp(t);
  for (const [method, path] of [
    ['GET', '/snapshots'],
    ['POST', '/snapshots'],
    ['DELETE', '/snapshots/b1'],
  ] as const) {
    const answer = await ask(method, path);
    assert.is(answer.status, 409);
    assert.match(answer.body.status.error, /place for backups/);
  }
});

test.run();

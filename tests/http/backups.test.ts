/** Routes of backups over a place that a test makes up: what is known is shown, and what is not known is null. */

import * as assert from 'uvu/assert';
import type { BackupInfo, BackupList, BackupStatus } from '../../src/model/backup.js';
import { SkeinError } from '../../src/model/errors.js';
import { fakeBackups } from '../support/fake-backups.js';
import { startHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/backups');
const STATUS: BackupStatus = {
  ...{ target: 'folder /b', running: null, active: true, stored: null, made: { full: 1, incremental: 0 }, failed: 2 },
  ...{ failuresInRow: 2, lastFailure: { atMs: 1_000, message: 'ENOENT' }, lastTookMs: null, drill: null, drillsFailed: 0 },
};
const BACKUP: BackupInfo = {
  ...{ id: 'skein_v1.x.snapshot', kind: 'full', createdAtMs: 5_000, fromSeq: null, timeMs: null, bytes: 9, verifiedAtMs: null },
  end: { historyId: 'ab'.repeat(16), epoch: 1, seq: 3 },
};

async function listed(t: TestContext, list: BackupList, status: BackupStatus | null = STATUS) {
  const backups = fakeBackups({ status: () => status, list: async () => list });
  const { ask } = await startHttp(t, { service: { backups } });
  const { status: code, body } = await ask('GET', '/v1/backups');
  assert.is(code, 200, JSON.stringify(body));
  return body;
}

test('a place that cannot be read shows what was read last, when, and why not now', async (t) => {
  const body = await listed(t, {
    backups: [BACKUP],
    damaged: [],
    restorableFrom: null,
    readAtMs: 60_000,
    readFailure: 'no such file',
  });
  assert.equal([body.count, body.backups[0].id], [1, BACKUP.id]);
  assert.equal([body.read_at, body.read_failure], ['1970-01-01T00:01:00.000Z', 'no such file']);
  assert.is(body.restorable_from, null);
  assert.equal(body.last_failure, { at: '1970-01-01T00:00:01.000Z', message: 'ENOENT' });
});

test('since when every state can be restored', async (t) => {
  const list = { backups: [BACKUP], damaged: [], readAtMs: 60_000, readFailure: null };
  const known = await listed(t, { ...list, restorableFrom: { seq: 3, timeMs: 5_000 } });
  assert.equal(known.restorable_from, { seq: 3, time: '1970-01-01T00:00:05.000Z' });
  const untimed = await listed(t, { ...list, restorableFrom: { seq: 0, timeMs: null } });
  assert.equal(untimed.restorable_from, { seq: 0, time: null }, 'of an empty log');
});

test('of a place that was never read nothing is counted; where there is none, there are none', async (t) => {
  const unknown = await listed(t, {
    backups: [],
    damaged: [],
    restorableFrom: null,
    readAtMs: null,
    readFailure: 'no such file',
  });
  assert.equal([unknown.target, unknown.count, unknown.read_at], ['folder /b', null, null]);
  const none = await listed(t, { backups: [BACKUP], damaged: [], restorableFrom: null, readAtMs: 1, readFailure: null }, null);
  assert.equal([none.target, none.count, none.read_at, none.read_failure], [null, 0, null, null]);
});

test('a backup goes by its name, with its increments where that is asked for; what keeps it is told', async (t) => {
  const details = { backup: 'a', reason: 'increments', needed_by: ['b'] };
  const remove = async (id: string, withIncrements: boolean): Promise<readonly string[]> => {
    if (id === 'a' && !withIncrements) throw new SkeinError('BackupNeeded', 'Backup a is needed', details);
    return withIncrements ? ['b', id] : [id];
  };
  const { ask, audited } = await startHttp(t, { service: { backups: fakeBackups({ remove }) } });
  const kept = await ask('DELETE', '/v1/backups/a');
  assert.equal([kept.status, kept.body.error.type, kept.body.error.details], [409, 'BackupNeeded', details]);
  assert.equal((await ask('DELETE', '/v1/backups/a?increments=true')).body, { removed: ['b', 'a'] });
  assert.equal((await ask('DELETE', '/v1/backups/c?increments=false')).body, { removed: ['c'] });
  assert.is((await ask('DELETE', '/v1/backups/c?increments=all')).status, 400);
  assert.is((await ask('DELETE', '/v1/backups/c?force=true')).status, 400);
  assert.equal(
    audited
      .map(({ operation, target, outcome }) => [operation, target['backup'], target['increments'] ?? null, outcome])
      .slice(0, 2),
    [
      ['removeBackup', 'a', null, 'refused'],
      ['removeBackup', 'a', 'true', 'done'],
    ],
  );
});

test.run();

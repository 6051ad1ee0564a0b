/** What is written down of administrative calls, and the headers that every answer has. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { AuditEntry } from '../../src/model/audit.js';
import { silentLog } from '../../src/model/log.js';
import { encodeToken, type Position } from '../../src/model/position.js';
import { createAudit } from '../../src/observability/audit-log.js';
import { fakeBackups } from '../support/fake-backups.js';
import { fakeReplication } from '../support/fake-replication.js';
import { ALONE } from '../support/http-server.js';
import { startKeyed } from '../support/keyed-http.js';
import { suite } from '../support/suite.js';

const test = suite('http/audit');
const SPEC = { dimension: 2, distance: 'dot' };

test('who administers is written down with what came of it, and nobody else', async (t) => {
  const { ask, key, as, audited } = await startKeyed(t);
  const admin = key({ id: 'a'.repeat(16), role: 'admin' });
  const reader = key({ id: 'b'.repeat(16), role: 'read' });
  await ask('PUT', '/v1/collections/films', SPEC, { ...admin, 'x-request-id': 'the-first' });
  await ask('PUT', '/v1/collections/films', SPEC, admin);
  await ask('DELETE', '/v1/collections/films', undefined, reader);
  await ask('POST', '/v1/keys', { name: 'a', role: 'read' });
  await ask('GET', '/v1/keys', undefined, admin);
  await ask('PUT', '/v1/collections/films/points', { points: [{ id: 1, vector: [1, 2] }] }, as('write'));
  const batch = (operations: unknown) => ask('POST', '/v1/batch', { operations }, admin);
  await batch([{ upsert: { collection: 'films', points: [{ id: 2, vector: [1, 2] }] } }]);
  await batch([{ put_alias: { alias: 'now', collection: 'films' } }]);
  const said = audited.map(({ who, operation, target, outcome, status, error }) => [
    who,
    operation,
    target,
    outcome,
    status,
    error,
  ]);
  const who = `access_key:${'a'.repeat(16)}`;
  assert.equal(said, [
    [who, 'createCollection', { collection: 'films' }, 'done', 201, null],
    [who, 'createCollection', { collection: 'films' }, 'refused', 409, 'CollectionAlreadyExists'],
    [`access_key:${'b'.repeat(16)}`, 'deleteCollection', { collection: 'films' }, 'refused', 403, 'Forbidden'],
    [null, 'createKey', {}, 'refused', 401, 'Unauthorized'],
    [who, 'batch', { operations: 'put_alias now films' }, 'done', 200, null],
  ]);
  assert.is(audited[0]?.requestId, 'the-first');
  assert.match(audited[0]?.address ?? '', '127.0.0.1');
});

test('an entry names what the call was about, and claims no outcome that nobody knows', async (t) => {
  const { ask, as, audited } = await startKeyed(t, { service: { replication: fakeReplication() } });
  const admin = as('admin');
  await ask('PUT', '/v1/collections/films', SPEC, admin);
  const { body } = await ask('POST', '/v1/keys', { name: 'a', role: 'read', collections: ['films'] }, admin);
  await ask('PUT', '/v1/aliases/now', { collection: 'films' }, admin);
  await ask('POST', '/replication/promote', { force: true }, admin);
  await ask('POST', '/replication/follow', { master_url: 'ws://10.0.0.1:7171' }, admin);
  const drop = [{ delete_collection: { collection: 'films' } }, { create_collection: { collection: 'x', dimension: 'no' } }];
  await ask('POST', '/v1/batch', { operations: drop }, admin);
  await ask('POST', '/v1/batch', { operations: drop.slice(0, 1) }, as('write'));
  const told = audited.slice(1).map(({ operation, target, outcome }) => [operation, target, outcome]);
  assert.equal(told, [
    ['createKey', { key: body.id, name: 'a', role: 'read', collections: 'films' }, 'done'],
    ['putAlias', { alias: 'now', collection: 'films' }, 'done'],
    ['promote', { force: 'true' }, told[2]?.[2]],
    ['follow', { master: 'http://10.0.0.1:7171' }, told[3]?.[2]],
    ['batch', { operations: 'delete_collection films, create_collection x' }, 'refused'],
    ['batch', { operations: 'delete_collection films' }, 'refused'],
  ]);

  const slow = { ...ALONE, defaultRequired: () => 2, voters: () => 2 };
  const late = await startKeyed(t, { service: { writeConcern: slow } });
  await late.ask('PUT', '/v1/collections/films', SPEC, late.as('admin'));
  const vectors = { size: 2, distance: 'Dot' };
  assert.is((await late.ask('PUT', '/collections/others', { vectors }, late.as('admin'))).status, 408);
  const replica = await startKeyed(t, {
    service: { replication: { ...fakeReplication(), role: () => 'replica', masterUrl: () => 'http://127.0.0.1:9' } },
  });
  await replica.ask('DELETE', '/v1/collections/films', undefined, replica.as('admin'));
  assert.equal(
    late.audited.map(({ operation, outcome, status }) => [operation, outcome, status]),
    [
      ['createCollection', 'unknown', 504],
      ['qdrantCreateCollection', 'unknown', 408],
    ],
  );
  assert.is(replica.audited[0]?.outcome, 'refused', 'it is the master that does it');
});

test('of a restore it is written down where to, and what has only begun is not called done', async (t) => {
  const at: Position = { historyId: '1'.repeat(32), epoch: 1, seq: 7 };
  const place = { base: 'full', increments: [], seq: 7, timeMs: null, historyId: at.historyId, epoch: 1 };
  const forecast = { ...place, storedBytes: 1, plainBytes: 1, operationsLost: 3 };
  const backups = fakeBackups({
    forecast: () => Promise.resolve(forecast),
    restore: () => Promise.resolve({ position: at, replaced: at, forecast }),
    create: () => Promise.resolve(null),
  });
  const { ask, as, audited } = await startKeyed(t, { service: { backups } });
  const restore = (body: object) => ask('POST', '/v1/backups/latest/restore', body, as('admin'));
  await restore({ to_position: 7, dry_run: true });
  await restore({ to_position: encodeToken(at) });
  await restore({ to_time: '2026-11-20T08:30:00Z', wait: false });
  await restore({ to_time: 'yesterday' });
  await ask('POST', '/v1/backups', { wait: false }, as('admin'));
  assert.equal(
    audited.map(({ operation, target, outcome, status }) => [operation, target, outcome, status]),
    [
      ['restoreBackup', { backup: 'latest', dry_run: 'true', to_position: '7' }, 'done', 200],
      ['restoreBackup', { backup: 'latest', to_position: encodeToken(at) }, 'done', 200],
      ['restoreBackup', { backup: 'latest', to_time: '2026-11-20T08:30:00Z' }, 'unknown', 202],
      ['restoreBackup', { backup: 'latest' }, 'refused', 400],
      ['createBackup', {}, 'unknown', 202],
    ],
  );
});

test('entries are lines of a file, or events of the log', (t) => {
  const entry: AuditEntry = {
    ...{ time: '2026-11-22T00:00:00.000Z', requestId: 'r', who: 'key_file', address: '::1', operation: 'createKey', target: {} },
    outcome: 'done',
    status: 201,
    error: null,
  };
  const { requestId: _, ...rest } = entry;
  const expected = { ...rest, request_id: 'r' };
  const path = join(t.folder(), 'audit.log');
  createAudit({ path, bytesMax: 1e6, filesMax: 1 }, silentLog, () => 0)(entry);
  assert.equal(JSON.parse(readFileSync(path, 'utf8')), expected);
  const events: unknown[] = [];
  createAudit(null, { ...silentLog, info: (event, fields) => void events.push([event, fields]) }, () => 0)(entry);
  const { time: __, ...logged } = expected;
  assert.equal(events, [['audit', logged]], 'a line of the log has its own time, once');
});

test('every answer tells browsers what not to do with it, and a secret is not to be kept', async (t) => {
  const { ask, as } = await startKeyed(t, { docs: true });
  const admin = as('admin');
  const answers = [
    await ask('GET', '/health/live'),
    await ask('GET', '/v1/nothing'),
    await ask('GET', '/v1/collections/%ff'),
    await ask('GET', '/v1/collections', undefined, admin),
  ];
  for (const { headers } of answers) {
    assert.is(headers.get('x-content-type-options'), 'nosniff');
    assert.is(headers.get('x-frame-options'), 'DENY');
    assert.is(headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'");
    assert.is(headers.get('strict-transport-security'), null);
  }
  const page = await ask('GET', '/docs/');
  assert.is(page.status, 200);
  assert.match(page.headers.get('content-security-policy') ?? '', "script-src 'self'");
  const made = await ask('POST', '/v1/keys', { name: 'a', role: 'read' }, admin);
  assert.is(made.headers.get('cache-control'), 'no-store');
});

test.run();

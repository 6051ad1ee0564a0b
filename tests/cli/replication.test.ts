/** `skein promote`, `follow`, `resync`, `verify --url` and what `status` shows of replication, over the real routes. */

import * as assert from 'uvu/assert';
import type { ReplicationService } from '../../src/http/service.js';
import { SkeinError } from '../../src/model/errors.js';
import { encodeToken } from '../../src/model/position.js';
import { fakeReplication, MASTER_STATS, POSITION, REPLICA } from '../support/fake-replication.js';
import { startHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';
import { type Ran, runSkein } from './run-skein.js';

const test = suite('cli/replication');

async function over(t: TestContext, answers: Partial<ReplicationService> = {}) {
  const service = fakeReplication(answers);
  const { url } = await startHttp(t, { service: { replication: service } });
  const run = (...argv: string[]): Promise<Ran> => runSkein(argv, { environment: { SKEIN_URL: url } });
  return { service, url, run };
}

const objects = ({ output }: Ran): Record<string, unknown>[] =>
  output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('promote says the new epoch, what may be lost, or why not and what to do', async (t) => {
  const { service, url, run } = await over(t);
  const plain = await run('promote');
  assert.is(plain.exitCode, 0, plain.errors);
  assert.is(plain.output, `${url} is the master now: epoch 3, history abababab\n`);
  const position = encodeToken(POSITION);
  assert.equal(objects(await run('promote', '--force', '--json')), [
    { kind: 'promotion', epoch: 3, history_id: POSITION.historyId, position, maybe_lost: null },
  ]);
  assert.equal(service.calls, [
    ['promote', { force: false }],
    ['promote', { force: true }],
  ]);
  const maybeLost = { fromSeq: 1_041, toSeq: null, knownSeq: 1_044 };
  const lossy = await over(t, {
    promote: () => Promise.resolve({ epoch: 4, historyId: POSITION.historyId, position: POSITION, maybeLost }),
  });
  assert.match((await lossy.run('promote', '--force')).output, 'may be lost: what the old master alone had, from seq 1,041 on');
  assert.equal(objects(await lossy.run('promote', '--json'))[0]?.['maybe_lost'], {
    from_seq: 1_041,
    to_seq: null,
    known_seq: 1_044,
  });
});

test('a refused promotion names what helps: --force only where that is not refused as well', async (t) => {
  for (const [reason, hint, isForcible] of [
    ['master_unreachable', 'on both nodes', true],
    ['handover_failed', 'on both nodes', true],
    ['no_voter', 'are lost', true],
    ['diverged', 'skein resync --full', true],
    ['already_master', 'address of a replica', false],
    ['no_data', 'skein follow', false],
    ['newer_master', 'is the master now', false],
    ['behind', 'caught up', false],
  ] as const) {
    const promote = (): never => {
      throw new SkeinError('NotPromotable', 'it cannot', { reason });
    };
    const { exitCode, errors } = await (await over(t, { promote })).run('promote');
    assert.is(exitCode, 1);
    assert.match(errors, 'it cannot (NotPromotable)');
    assert.match(errors, hint);
    assert.is(errors.includes('--force promotes all the same'), isForcible, reason);
  }
});

test('follow and resync pass on what they are given', async (t) => {
  const { service, run } = await over(t);
  const followed = await run('follow', 'ws://10.0.0.1:7171');
  assert.is(followed.exitCode, 0, followed.errors);
  assert.match(followed.output, 'follows http://10.0.0.1:7171 now');
  for (const bad of ['nowhere', 'ws://m:1/path']) {
    const { exitCode, errors } = await run('follow', bad);
    assert.is(exitCode, 2);
    assert.match(errors, `"${bad}" is no address of a node`);
  }
  assert.is((await run('follow')).exitCode, 2);
  assert.match((await run('resync')).output, 'has started, from the log');
  assert.equal(objects(await run('resync', '--full', '--replica', 'r', '--json')), [
    { kind: 'resync', started: true, mode: 'full', replica_id: 'r' },
  ]);
  assert.equal(service.calls, [
    ['follow', 'http://10.0.0.1:7171'],
    ['resync', { replicaId: null, full: false }],
    ['resync', { replicaId: 'r', full: true }],
  ]);
});

test('verify --url compares replicas: 0 when they are equal, 1 when one is not', async (t) => {
  const equal = { id: 'one', equal: true, differing: [], repaired: 0 };
  const different = {
    id: 'two',
    equal: false,
    differing: [{ collection: 'films', buckets: [7], points: ['a', 7] }],
    repaired: 2,
  };
  const same = await over(t, { verify: () => Promise.resolve({ equal: true, position: POSITION, replicas: [equal] }) });
  const good = await same.run('verify');
  assert.equal([good.exitCode, good.output], [0, 'equal      one\nequal: 1 replica\n']);
  const other = await over(t, {
    verify: () => Promise.resolve({ equal: false, position: POSITION, replicas: [equal, different] }),
  });
  const bad = await other.run('verify', '--repair');
  assert.is(bad.exitCode, 1);
  assert.match(bad.output, 'different  two, 2 points fetched again\n  films: 1 bucket: "a", 7\nDIFFERENT: what could be');
  const json = await other.run('verify', '--json');
  assert.equal(
    objects(json).map(({ kind, equal: same }) => [kind, same]),
    [
      ['replica', true],
      ['replica', false],
      ['comparison', false],
    ],
  );
  const none = await over(t, { verify: () => Promise.resolve({ equal: true, position: POSITION, replicas: [] }) });
  const nothing = await none.run('verify');
  assert.equal([nothing.exitCode, nothing.output], [1, 'no replicas to compare\n']);
  const away = { id: 'away', equal: null, differing: [], repaired: 0, error: { type: 'NoMaster', message: 'there is no link' } };
  const some = await over(t, { verify: () => Promise.resolve({ equal: null, position: POSITION, replicas: [equal, away] }) });
  const partly = await some.run('verify');
  assert.equal(
    [partly.exitCode, partly.output],
    [1, 'equal      one\nnot compared  away: there is no link\nNOT ALL COMPARED: none differed of those that were\n'],
  );
});

test('verify looks at a folder or at a server, never at both or at nothing', async (t) => {
  const folder = t.folder();
  const { url, service } = await over(t);
  assert.is((await runSkein(['verify'])).exitCode, 2);
  for (const flags of [['--url', url], ['--repair'], ['--replica', 'r']]) {
    const both = await runSkein(['verify', folder, ...flags]);
    assert.is(both.exitCode, 2);
    assert.match(both.errors, 'leave the data folder out');
  }
  // The folder that is named is meant, whatever the environment says.
  assert.match((await runSkein(['verify', folder], { environment: { SKEIN_URL: url } })).output, 'unusable');
  assert.equal(service.calls, []);
  await runSkein(['verify', '--url', url, '--replica', 'r']);
  assert.equal(service.calls, [['verify', { replicaId: 'r', repair: false }]]);
});

test('status shows the role, and on a master a table of its replicas', async (t) => {
  const syncing = { ...REPLICA, id: 'two', status: 'Syncing', lagMs: null, lagOperations: null } as const;
  const snapshot = { bytes: 256, bytesTotal: 1_024, etaMs: 1_500 };
  const gone = { ...REPLICA, id: 'three', status: 'Disconnected', lagMs: 70_000, voter: false, diverged: true } as const;
  const { run } = await over(t, { replicas: () => [REPLICA, { ...syncing, snapshot }, gone] });
  const { output, exitCode } = await run('status');
  assert.is(exitCode, 0);
  assert.match(output, 'master, 2 of 3 replicas connected');
  assert.match(output, /replica +address +status +votes +lag +behind +sent\n/);
  assert.match(output, new RegExp(`${REPLICA.id} +localhost:6381 +Connected +yes +5 ms +3 +4\\.0 KiB\n`));
  assert.match(output, /two +localhost:6381 +Syncing 25 % of 1\.0 KiB, about 1\.5 s to go +yes +\? +\? /);
  assert.match(output, /three +localhost:6381 +Disconnected, DIFFERENT +no +1 min /);
  const [, node, first, second] = objects(await run('status', '--json'));
  assert.equal([node?.['kind'], node?.['role'], node?.['lag_ms'], node?.['epoch']], ['replication', 'master', 12.5, 2]);
  assert.equal([first?.['kind'], first?.['id'], first?.['operations_synced']], ['replica', REPLICA.id, 37]);
  assert.equal([second?.['lag_ms'], second?.['snapshot']], [null, { bytes: 256, bytes_total: 1_024, eta_ms: 1_500 }]);
});

test('status of a replica says whom it follows, what it does and how far behind it is', async (t) => {
  const stats = { ...MASTER_STATS, role: 'replica', link: 'following', lagMs: 1_250, divergences: 1 } as const;
  const replica: Partial<ReplicationService> = { role: () => 'replica', replicas: () => [] };
  const { run } = await over(t, { ...replica, masterUrl: () => 'http://m:1', stats: () => stats });
  const { output } = await run('status');
  assert.match(output, 'replica of http://m:1: following, lag 1.3 s, 3 behind\ndata was found to differ 1 time');
  const lost = await over(t, { ...replica, stats: () => ({ ...stats, lagMs: null, lagOperations: null, link: 'connecting' }) });
  assert.match((await lost.run('status')).output, 'replica of a master that is not known now: connecting, lag ?, ? behind');
});

test.run();

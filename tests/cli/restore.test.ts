/** `skein backup` and `skein restore` against a real server and a folder: what was backed up is served again, with the same digest. */

import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { runSkein } from './run-skein.js';

const test = suite('cli/restore', { deadlineMs: 120_000 });
const BY_HAND = ['--backup-every-operations', '0', '--backup-interval-ms', '0'];

interface Stats {
  readonly body: { readonly position: string; readonly digest: string; readonly cluster_id: string };
}

test('a backup made and listed by commands becomes a new folder at a position, which a server serves', async (t) => {
  const [dataDir, backups] = [join(t.folder(), 'data'), join(t.folder(), 'backups')];
  const server = await startServer(t, dataDir, ['--backup-folder', backups, ...BY_HAND]);
  const put = (id: number) =>
    server.request('PUT', '/v1/collections/c/points', { points: [{ id, vector: [id, 1], payload: { id } }] });
  await server.request('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  for (const id of [1, 2, 3]) await put(id);
  const at = ['--url', server.url];
  assert.is((await runSkein(['backup', ...at])).exitCode, 0);
  await put(4);
  const { body: then }: Stats = await server.request('GET', '/replication/stats');
  await put(5);
  const made = JSON.parse((await runSkein(['backup', 'create', '--json', ...at])).output);
  assert.is(made.backup.backup_kind, 'incremental');
  assert.match((await runSkein(['backup', 'create', ...at])).output, 'nothing was written');
  const listed = (await runSkein(['backup', 'list', ...at])).output;
  assert.match(listed, `2 backups in folder ${backups}`);
  assert.match(listed, /every state since seq [\d,]+, \S+Z, can be restored/);
  assert.is((await runSkein(['backup', 'list', 'x', ...at])).exitCode, 2);
  await server.stop();

  const [ofCluster = ''] = readdirSync(backups).filter((name) => !name.startsWith('.'));
  for (const more of [[], ['--cluster', ofCluster]]) {
    const inside = await runSkein([
      'restore',
      '--backup-folder',
      join(backups, ofCluster),
      '--to',
      join(t.folder(), 'x'),
      ...more,
    ]);
    assert.is(inside.exitCode, 1);
    assert.match(inside.errors, 'one level up');
  }

  const to = join(t.folder(), 'copy');
  const words = ['restore', '--backup-folder', backups, '--to', to, '--position', then.position, '--json'];
  const dry = await runSkein([...words, '--dry-run']);
  assert.equal([dry.exitCode, JSON.parse(dry.output).dry_run], [0, true], dry.errors);
  const restored = await runSkein(words);
  assert.is(restored.exitCode, 0, restored.errors);
  const said = JSON.parse(restored.output);
  assert.is(said.digest, then.digest, 'the digest is the one that was live');
  assert.is.not(said.cluster_id, then.cluster_id, 'a copy is another cluster');
  const again = await runSkein(words);
  assert.is(again.exitCode, 1);
  assert.match(again.errors, 'holds data already');
  const copy = await startServer(t, to);
  const { body: counted } = await copy.request<{ count: number }>('POST', '/v1/collections/c/points/count', {});
  assert.is(counted.count, 4);
  const { body: now }: Stats = await copy.request('GET', '/replication/stats');
  assert.is(now.digest, then.digest, 'and so is the one of the server');
  assert.is(await copy.stop(), 0);
});

test('a server replaces its data only when it is asked to in place; a dry run needs no more words', async (t) => {
  const [dataDir, backups] = [join(t.folder(), 'data'), join(t.folder(), 'backups')];
  const server = await startServer(t, dataDir, ['--backup-folder', backups, ...BY_HAND]);
  const at = ['--url', server.url];
  const count = async () => (await server.request<{ count: number }>('POST', '/v1/collections/c/points/count', {})).body.count;
  await server.request('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  await server.request('PUT', '/v1/collections/c/points', { points: [{ id: 1, vector: [1, 1] }] });
  assert.is((await runSkein(['backup', ...at])).exitCode, 0);
  await server.request('PUT', '/v1/collections/c/points', { points: [{ id: 2, vector: [2, 1] }] });
  for (const words of [[], ['--backup-folder', backups], ['--backup-folder', backups, '--in-place'], ['--no-in-place']]) {
    const refused = await runSkein(['restore', ...words, ...at]);
    assert.is(refused.exitCode, 2, words.join(' '));
    assert.match(refused.errors, words.includes('--backup-folder') ? '--backup-folder goes with --to' : '--in-place does it');
  }
  const dry = await runSkein(['restore', '--dry-run', ...at]);
  assert.is(dry.exitCode, 0, dry.errors);
  assert.match(dry.output, 'nothing was changed');
  assert.is(await count(), 2, 'nothing was restored so far');
  const environment = { SKEIN_BACKUP_FOLDER: backups };
  const done = await runSkein(['restore', '--in-place', ...at], { environment });
  assert.is(done.exitCode, 0, done.errors);
  assert.is(await count(), 1);
  assert.is(await server.stop(), 0);
});

test('a slip in what to restore to is a slip of usage, whether a server is meant or a folder', async (t) => {
  const nobody = ['--url', 'http://127.0.0.1:1'];
  for (const where of [
    [...nobody, '--in-place'],
    [...nobody, '--dry-run'],
    ['--to', join(t.folder(), 'x'), '--backup-folder', t.folder()],
  ])
    for (const [slip, said] of [
      [['--at', 'yesterday'], '--at yesterday is not an instant'],
      [['--position', 'garbage'], '--position garbage is neither'],
      [['--position', '9999999999999999'], 'is neither a position token nor a seq'],
      [['--at', 'now', '--position', '1'], 'both given'],
    ] as const) {
      const { exitCode, errors } = await runSkein(['restore', ...where, ...slip]);
      assert.is(exitCode, 2, [...where, ...slip].join(' '));
      assert.match(errors, said);
    }
  assert.is((await runSkein(['restore', '--in-place', '--to', join(t.folder(), 'x')])).exitCode, 2);
});

test('a restore says what it lacks', async (t) => {
  const folder = t.folder();
  assert.is((await runSkein(['restore', '--to', join(folder, 'x')])).exitCode, 2);
  assert.is((await runSkein(['restore', '--cluster', 'x'])).exitCode, 2);
  mkdirSync(join(folder, 'empty'));
  const none = await runSkein(['restore', '--backup-folder', join(folder, 'empty'), '--to', join(folder, 'x')]);
  assert.is(none.exitCode, 1);
  assert.match(none.errors, 'There is no backup');
});

test.run();

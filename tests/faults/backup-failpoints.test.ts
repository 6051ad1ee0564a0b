/** SIGKILL at every step of making a backup, removing one, and restoring, in place and into a new folder: the archive has whole backups and no
 *  halves, the data is the whole old or the whole new, what was replaced can be brought back, and the next try comes to its end. */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { BACKUP_FAILPOINTS, type Failpoint } from '../../src/model/failpoint.js';
import { Random } from '../support/random.js';
import { ServerDidNotStart, type ServerProcess, startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('faults/backup-failpoints', { deadlineMs: 900_000 });
const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const BY_HAND = ['--backup-every-operations', '0', '--backup-interval-ms', '0'];

const MAKING: readonly Failpoint[] = ['snapshot.before_cut', 'snapshot.after_cut', 'backup.before_head', 'backup.after_head'];
const REMOVING: readonly Failpoint[] = ['backup.head_removed'];
const RESTORING: readonly Failpoint[] = [
  'restore.fetched',
  'restore.replayed',
  'restore.before_switch',
  'role.before_note',
  'role.after_note',
  'switch.before_rename',
  'switch.after_rename',
  'switch.after_current',
  'switch.after_manifest',
  'restore.after_switch',
];
/** From here on the new data counts. */
const SWITCHED: readonly Failpoint[] = ['switch.after_current', 'switch.after_manifest', 'restore.after_switch'];
const COPYING: readonly Failpoint[] = ['restore.fetched', 'restore.replayed', 'restore.before_switch', 'restore.after_switch'];

interface Listed {
  readonly backups: readonly { readonly id: string; readonly kind: string; readonly seq: number }[];
  readonly damaged: readonly unknown[];
}
interface Stats {
  readonly position: string;
  readonly digest: string;
  readonly epoch: number;
}

class Stand {
  readonly dataDir: string;
  readonly place: string;
  server: ServerProcess | null = null;
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    this.dataDir = join(t.folder(), 'data');
    this.place = join(t.folder(), 'backups');
  }

  async start(dies: Failpoint | null = null, more: readonly string[] = BY_HAND): Promise<void> {
    const environment: Readonly<Record<string, string>> = dies === null ? {} : { SKEIN_TEST_FAIL: dies };
    this.server = await startServer(this.#t, this.dataDir, ['--backup-folder', this.place, ...more], { environment });
  }

  get running(): ServerProcess {
    if (this.server === null) throw new Error('the server was not started');
    return this.server;
  }

  async ask<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.running.request<Body>(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async put(from: number, count: number): Promise<void> {
    for (let id = from; id < from + count; id++)
      await this.ask('PUT', '/v1/collections/c/points', { points: [{ id, vector: [id, 1] }] });
  }

  /** Asks for what it dies of. */
  async dies(path: string, body: object | undefined = {}, method = 'POST'): Promise<void> {
    await this.running.request(method, path, body).catch(() => null);
    assert.is((await this.running.ended).signal, 'SIGKILL');
  }

  stats = (): Promise<Stats> => this.ask('GET', '/replication/stats');
  backup = (kind: string): Promise<{ backup: { kind: string } | null }> => this.ask('POST', '/v1/backups', { kind });
  listed = (): Promise<Listed> => this.ask('GET', '/v1/backups');
  count = async (): Promise<number> => (await this.ask<{ count: number }>('POST', '/v1/collections/c/points/count', {})).count;

  async begin(points: number, dies: Failpoint | null, more?: readonly string[]): Promise<void> {
    await this.start(dies, more);
    await this.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
    await this.put(0, points);
  }

  /** The archive is whole, and the newest of it is what is live. */
  async proves(): Promise<void> {
    const drill = await this.ask<{ ok: boolean; problem: string | null }>('POST', '/v1/backups/latest/verify', {});
    assert.equal([drill.problem, drill.ok], [null, true]);
    const left = readdirSync(this.dataDir).filter((name) => /^(restoring|outgoing)-/.test(name));
    assert.equal(left, []);
  }
}

test('every failpoint of backups and restores is swept', () => {
  const swept = new Set([...MAKING, ...REMOVING, ...RESTORING, ...COPYING]);
  for (const name of BACKUP_FAILPOINTS) assert.ok(swept.has(name), name);
});

for (const place of MAKING) {
  test(`killed at ${place}, a backup is there as a whole or not at all`, async (t) => {
    const stand = new Stand(t);
    await stand.begin(3, place);
    await stand.dies('/v1/backups');
    await stand.start();
    const { backups, damaged } = await stand.listed();
    assert.equal([backups.length, damaged.length], [place === 'backup.after_head' ? 1 : 0, 0]);
    await stand.put(3, 1);
    assert.ok((await stand.backup('full')).backup);
    await stand.proves();
    assert.is(await stand.running.stop(), 0);
  });
}

for (const place of REMOVING) {
  test(`killed at ${place}, a backup that goes is gone, and its rest does no harm`, async (t) => {
    const stand = new Stand(t);
    const keepsOne = [...BY_HAND, '--backup-keep-fulls', '1'];
    const fulls = async (): Promise<number> => (await stand.listed()).backups.filter(({ kind }) => kind === 'full').length;
    await stand.begin(3, place, keepsOne);
    await stand.backup('full');
    await stand.put(3, 1);
    // The first of the day stays, so the second is the one that goes.
    await stand.backup('full');
    await stand.put(4, 1);
    await stand.dies('/v1/backups', { kind: 'full' });
    await stand.start(null, keepsOne);
    assert.equal([await fulls(), (await stand.listed()).damaged.length], [2, 0]);
    await stand.proves();
    await stand.put(5, 1);
    await stand.backup('full');
    assert.is(await fulls(), 2);
    assert.is(await stand.running.stop(), 0);
  });
}

for (const place of REMOVING) {
  test(`killed at ${place}, a backup that was asked to go is gone, and its rest does no harm`, async (t) => {
    const stand = new Stand(t);
    await stand.begin(3, place);
    await stand.backup('full');
    await stand.put(3, 1);
    await stand.backup('full');
    const { backups } = await stand.listed();
    assert.equal(
      backups.map(({ kind }) => kind),
      ['full', 'incremental', 'full'],
    );
    // The increment between them goes first, so it is the one whose head is gone.
    await stand.dies(`/v1/backups/${backups[2]?.id}?increments=true`, undefined, 'DELETE');
    await stand.start();
    const left = await stand.listed();
    assert.equal([left.backups.map(({ id }) => id), left.damaged], [[backups[0]?.id, backups[2]?.id], []]);
    await stand.proves();
    const path = `/v1/backups/${backups[2]?.id}?increments=true`;
    assert.equal(await stand.ask('DELETE', path), { removed: [backups[2]?.id] });
    await stand.put(4, 1);
    assert.ok((await stand.backup('incremental')).backup);
    await stand.proves();
    assert.is(await stand.running.stop(), 0);
  });
}

for (const place of RESTORING) {
  test(`killed at ${place} of a restore in place, it comes up with one whole state, and can go to the other`, async (t) => {
    const stand = new Stand(t);
    await stand.begin(3, place);
    await stand.backup('full');
    await stand.put(3, 2);
    const before = await stand.stats();
    await stand.dies('/v1/backups/latest/restore');
    await stand.start();
    const switched = SWITCHED.includes(place);
    assert.is(await stand.count(), switched ? 3 : 5);
    await stand.put(switched ? 3 : 5, 1);
    await stand.ask('POST', '/v1/backups/latest/restore', switched ? { to_position: before.position } : {});
    if (switched) {
      assert.is(await stand.count(), 5, 'what was replaced was archived first');
      assert.ok((await stand.stats()).epoch > before.epoch + 1);
    }
    await stand.put(9, 1);
    await stand.backup('incremental');
    await stand.proves();
    assert.is(await stand.running.stop(), 0);
  });
}

for (const place of COPYING) {
  test(`killed at ${place} of a restore into a new folder, that is no data or the whole of it`, async (t) => {
    const stand = new Stand(t);
    await stand.begin(3, null);
    await stand.backup('full');
    await stand.put(3, 2);
    await stand.backup('incremental');
    const { digest } = await stand.stats();
    assert.is(await stand.running.stop(), 0);
    const to = join(t.folder(), 'copy');
    const words = [MAIN, 'restore', '--backup-folder', stand.place, '--to', to, '--json'];
    const environment = { ...process.env, SKEIN_TEST_FAIL: place };
    const { signal } = spawnSync(process.execPath, words, { env: environment, encoding: 'utf8' });
    assert.is(signal, 'SIGKILL');
    if (place !== 'restore.after_switch') {
      const started = await startServer(t, to, []).catch((error: unknown) => error);
      assert.instance(started, ServerDidNotStart, 'half a restore is not served');
      const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
      assert.is(status, 0, stderr);
      assert.is(JSON.parse(stdout).digest, digest);
    }
    const copy = await startServer(t, to, []);
    const { body } = await copy.request<{ count: number }>('POST', '/v1/collections/c/points/count', {});
    assert.is(body.count, 5);
    assert.is(await copy.stop(), 0);
    assert.not(readdirSync(to).some((name) => name.startsWith('restoring-')));
  });
}

test('killed at moments that nobody chose, under writes, backups and retention, it never has half a backup', async (t) => {
  const stand = new Stand(t);
  const random = new Random(t.seed());
  const often = ['--backup-every-operations', '3', '--backup-min-interval-ms', '0', '--backup-keep-fulls', '1'];
  await stand.begin(3, null, often);
  let id = 3;
  for (let round = 0; round < 8; round++) {
    const endsAtMs = performance.now() + 300 + (random.uint32() % 2_000);
    const asking = stand.running
      .request('POST', '/v1/backups', { kind: round % 2 === 0 ? 'full' : 'incremental' })
      .catch(() => null);
    while (performance.now() < endsAtMs) await stand.put(id++, 1);
    await stand.running.kill();
    await asking;
    await stand.start(null, often);
    assert.equal((await stand.listed()).damaged, []);
  }
  await stand.backup('incremental');
  const { digest } = await stand.stats();
  await stand.proves();
  assert.is(await stand.running.stop(), 0);
  const to = join(t.folder(), 'copy');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'restore', '--backup-folder', stand.place, '--to', to, '--json'],
    {
      encoding: 'utf8',
    },
  );
  assert.is(JSON.parse(stdout).digest, digest, stderr);
});

test.run();

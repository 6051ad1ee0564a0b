/** Backups of an engine whose target fails: nothing is left of what failed, nothing of the log is let go, no hole is ever passed over, and what
 *  was known stays in sight. */

import { readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Backups } from '../../src/backup/backups.js';
import { NEWEST } from '../../src/backup/plan.js';
import type { ReplicatedLog } from '../../src/engine/engine.js';
import type { RestoreWish } from '../../src/model/backup.js';
import { systemClock } from '../../src/model/clock.js';
import { SkeinError } from '../../src/model/errors.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { silentLog } from '../../src/model/log.js';
import { keysOf } from '../support/backup-targets.js';
import { BY_HAND, settableClock, standing } from '../support/backups-standing.js';
import { rejectionOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('backup/backups', { deadlineMs: 120_000 });

test('a try that fails leaves nothing in the target, and nothing of it counts', async (t) => {
  const { target, backups, write } = await standing(t);
  await write(3);
  for (const [what, kind] of [
    ['head.json', 'full'],
    ['skein.db.gz', 'full'],
  ] as const) {
    target.fails = (operation, key) => (operation === 'put' && key.endsWith(what) ? 'full' : null);
    assert.is((await rejectionOf(backups.create(kind))).details['reason'], 'full');
    target.fails = () => null;
    assert.equal(await keysOf(target), [], what);
  }
  assert.is((await backups.create(null))?.kind, 'full');
  await write(2);
  target.fails = (operation, key) => (operation === 'put' && key.endsWith('head.json') ? 'unreachable' : null);
  await rejectionOf(backups.create(null));
  target.fails = () => null;
  assert.is((await backups.list()).backups.length, 1);
  assert.is((await keysOf(target)).length, 2, 'a head and a store');
  const { failed, failuresInRow, stored } = backups.status();
  assert.equal([failed, failuresInRow, stored?.fulls], [3, 1, 1]);
});

test('what is known of a place stays in sight while it cannot be reached', async (t) => {
  const { target, backups, write } = await standing(t);
  await write(2);
  const made = await backups.create(null);
  target.fails = () => 'unreachable';
  await write(3);
  await rejectionOf(backups.create(null));
  const { stored } = backups.status();
  assert.equal([stored?.newestAtMs, stored?.operationsSince], [made?.createdAtMs, 3]);
  assert.is(stored?.restorableFrom?.seq, made?.end.seq);
  const { backups: seen, restorableFrom, readAtMs, readFailure } = backups.known('why');
  assert.equal(restorableFrom, stored?.restorableFrom);
  assert.equal([seen.map(({ id }) => id), typeof readAtMs, readFailure], [[made?.id], 'number', 'why']);
});

test('a backup by hand into a place that cannot even be read counts as one that failed', async (t) => {
  const { target, backups, write } = await standing(t);
  await write(1);
  target.fails = () => 'unreachable';
  await rejectionOf(backups.create(null));
  const { failed, failuresInRow, lastFailure } = backups.status();
  assert.equal([failed, failuresInRow], [1, 1]);
  assert.match(lastFailure?.message ?? '', 'as the test says');
});

test('why a place failed stays in sight while it is not even asked', async (t) => {
  const set = settableClock();
  const { target, backups, write } = await standing(t, { clock: set.clock, schedule: { ...BY_HAND, everyOperations: 1 } });
  assert.equal(backups.known(null), { backups: [], damaged: [], restorableFrom: null, readAtMs: null, readFailure: null });
  await write(1);
  target.refuses = () => new SkeinError('CircuitOpen', 'left alone', { dependency: 'd', retry_after_ms: 1 });
  backups.start();
  const failed = (count: number) => waitUntil(() => backups.status().failed >= count, { what: `failure ${count}` });
  await failed(1);
  assert.is(backups.status().lastFailure?.message, 'left alone', 'nothing else is known');
  target.refuses = () => null;
  target.fails = () => 'unreachable';
  set.aheadMs += 3_600_000;
  await failed(2);
  target.refuses = () => new SkeinError('CircuitOpen', 'left alone', { dependency: 'd', retry_after_ms: 1 });
  set.aheadMs += 3_600_000;
  await failed(3);
  assert.match(backups.status().lastFailure?.message ?? '', 'as the test says');
});

test('a place that ran full is tidied by the rules that hold now', async (t) => {
  const before = await standing(t, { retention: { fullsMax: 5, ageMsMax: null } });
  for (let i = 0; i < 3; i++) {
    await before.write(1);
    await before.backups.create('full');
  }
  const { made, target } = before;
  const { dataDir, ...rest } = { dataDir: made.folder };
  const after = new Backups({
    ...rest,
    ...{ target, schedule: BY_HAND, retention: { fullsMax: 1, ageMsMax: null }, drillIntervalMs: 0, dataDir },
    ...{ limits: DEFAULT_LIMITS, clock: systemClock, cacheBytes: 2 ** 20, log: silentLog },
    ...{ feed: () => made.engine.log, isActive: () => true, buildSnapshot: () => Promise.reject(new Error('not asked')) },
  });
  await before.write(1);
  target.fails = (operation) => (operation === 'put' ? 'full' : null);
  await rejectionOf(after.create('incremental'));
  const { backups } = await after.list();
  assert.is(backups.filter(({ kind }) => kind === 'full').length, 2, 'the newest, and the first of the day');
});

test('an increment that could not be removed when a longer one took its place goes later', async (t) => {
  const { target, backups, write } = await standing(t);
  await write(2);
  await backups.create(null);
  await write(1);
  const small = await backups.create(null);
  await write(1);
  target.fails = (operation) => (operation === 'remove' ? 'denied' : null);
  const longer = await backups.create(null);
  target.fails = () => null;
  assert.is(longer?.fromSeq, small?.fromSeq);
  assert.is((await backups.list()).backups.length, 3, 'both are there');
  assert.is(backups.status().failed, 0, 'that is no failure of the longer one');
  await backups.create('full');
  const ids = (await backups.list()).backups.map(({ id }) => id);
  assert.not(ids.includes(small?.id ?? ''));
  assert.ok(ids.includes(longer?.id ?? ''));
});

test('a log that was cut behind the newest backup makes the next one a full one, whenever that shows', async (t) => {
  const stand = await standing(t);
  const { backups, write } = stand;
  await write(2);
  await backups.create(null);
  await write(5);
  const cut = (log: ReplicatedLog, over: Partial<ReplicatedLog>): ReplicatedLog =>
    Object.create(log, Object.fromEntries(Object.entries(over).map(([name, value]) => [name, { value }])));
  stand.seen = (log) => cut(log, { state: () => ({ ...log.state(), logMinSeq: log.state().seq }) });
  assert.is((await backups.create(null))?.kind, 'full', 'seen before');
  await write(5);
  const { seq } = stand.made.engine.log.state();
  stand.seen = (log) => cut(log, { read: (fromSeq, ...more) => (fromSeq < seq - 2 ? [] : log.read(fromSeq, ...more)) });
  const made = await backups.create('incremental');
  assert.equal([made?.kind, made?.end.seq], ['full', seq], 'seen on the way');
  stand.seen = (log) => log;
  assert.equal(
    (await backups.list()).backups.map(({ kind }) => kind),
    ['full', 'full', 'full'],
  );
});

test('what an increment held that vanished from the target is in the next one, by itself as soon as that is seen', async (t) => {
  const set = settableClock();
  const { backups, made, write } = await standing(t, { clock: set.clock, schedule: { ...BY_HAND, everyOperations: 1_000 } });
  const { archive, engine } = made;
  const seq = () => engine.log.state().seq;
  const chainWithGap = async (): Promise<void> => {
    await write(2);
    const full = await made.full();
    await write(2);
    const middle = await made.increment(full.end.seq + 1);
    await write(2);
    await made.increment((middle?.end.seq ?? 0) + 1);
    await backups.list();
    await archive.remove(middle?.id ?? '');
  };
  await chainWithGap();
  await write(1);
  assert.is((await rejectionOf(backups.forecast(NEWEST))).type, 'BackupNotFound');
  const asked = await backups.create('incremental');
  assert.equal([asked?.kind, asked?.end.seq, (await backups.forecast(NEWEST)).seq], ['incremental', seq(), seq()]);

  await chainWithGap();
  backups.start();
  set.aheadMs = 3_600_000;
  await waitUntil(() => backups.status().made.incremental === 3, {
    what: 'one up to the full one, and one behind it, by itself',
  });
  assert.is((await backups.forecast(NEWEST)).seq, seq(), 'although nothing was written since the newest');
});

test('two that are asked for at once are made one after the other, and the second has nothing to do', async (t) => {
  const { backups, write } = await standing(t);
  await write(2);
  const asked = await Promise.all([backups.create(null), backups.create(null), backups.create('incremental')]);
  assert.equal(
    asked.map((one) => one?.kind ?? null),
    ['full', null, null],
  );
});

test('while the target cannot be read after a start, the log is kept from its beginning', async (t) => {
  const schedule = { ...BY_HAND, everyOperations: 1 };
  const { target, backups, kept, write, said, made } = await standing(t, { schedule });
  await write(3);
  target.fails = () => 'unreachable';
  backups.start();
  await waitUntil(() => backups.status().failed > 0, { what: 'the target to be asked' });
  assert.equal(kept, [made.engine.log.state().logMinSeq]);
  assert.ok(said.some(([event]) => event === 'backups_not_looked_at'));
});

test('a log that is kept for backups that fail goes when the disk runs short, and the next one is a full one', async (t) => {
  const stand = await standing(t, {
    schedule: { ...BY_HAND, everyOperations: 1 },
    limits: { ...DEFAULT_LIMITS, diskFreeBytesMin: Number.MAX_SAFE_INTEGER },
  });
  const { target, backups, kept, write } = stand;
  await write(2);
  await backups.create(null);
  await write(2);
  assert.type(kept.at(-1), 'number');
  target.fails = () => 'unreachable';
  backups.start();
  await waitUntil(() => kept.at(-1) === null, { what: 'the log to be let go' });
  assert.ok(backups.status().failed > 0);
});

test('a drill that finds no way to the newest state is a failed drill, and backups go on', async (t) => {
  const { backups, made, write } = await standing(t, { drillIntervalMs: 1 });
  await write(2);
  await backups.create(null);
  await write(2);
  const increment = await backups.create(null);
  truncateSync(join(made.targetFolder, made.archive.clusterId, increment?.id ?? '', 'entries.gz'), 10);
  await backups.list();
  backups.start();
  await waitUntil(() => backups.status().drillsFailed > 0, { what: 'a drill' });
  const { drill, failed } = backups.status();
  assert.equal([drill?.ok, failed], [false, 0]);
  assert.match(drill?.problem ?? '', increment?.id ?? '');
});

test('what a drill found damaged stays so, and the next backup goes round it, until it is asked for by its name', async (t) => {
  const { backups, made, write } = await standing(t);
  await write(2);
  await backups.create(null);
  await write(2);
  const broken = (await backups.create(null))?.id ?? '';
  const file = join(made.targetFolder, made.archive.clusterId, broken, 'entries.gz');
  const sound = readFileSync(file);
  writeFileSync(
    file,
    sound.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
  );
  const damaged = async () => (await backups.list()).damaged.map(({ id }) => id);
  assert.equal([(await backups.drill(NEWEST)).ok, await damaged()], [false, [broken]]);
  await write(1);
  await backups.create(null);
  assert.equal([(await backups.drill(NEWEST)).ok, await damaged()], [true, [broken]]);
  assert.is((await rejectionOf(backups.forecast({ ...NEWEST, backup: broken }))).type, 'BackupDamaged');
  assert.equal([(await backups.drill({ ...NEWEST, backup: broken })).ok, await damaged()], [false, [broken]]);
  writeFileSync(file, sound);
  assert.equal([(await backups.drill({ ...NEWEST, backup: broken })).ok, await damaged()], [true, []]);
});

test('every moment since the oldest full backup can be restored, and the newest without any one of the full ones', async (t) => {
  const { backups, made, write } = await standing(t, { retention: { fullsMax: 9, ageMsMax: null } });
  const fulls: string[] = [];
  for (const kind of ['full', null, 'full', 'full', null, 'full'] as const) {
    await write(2);
    const head = await backups.create(kind);
    if (head?.kind === 'full') fulls.push(head.id);
  }
  await write(1);
  await backups.create(null);
  const { seq } = made.engine.log.state();
  const first = (await backups.list()).backups.at(-1)?.end.seq ?? 0;
  assert.equal([fulls.length, seq - first], [4, 11]);
  const restoredTo = async (wish: Partial<RestoreWish>): Promise<[number, string]> => {
    const restore = await made.restore(wish);
    const { state } = restore.reached;
    await restore.discard();
    return [state.seq, Buffer.from(state.digest).toString('hex')];
  };
  for (let at = first; at <= seq; at++) assert.equal(await restoredTo({ seq: at }), [at, made.digests.get(at)]);
  for (const id of fulls) {
    const away = join(made.folder, 'away');
    const place = join(made.targetFolder, made.archive.clusterId, id);
    renameSync(place, away);
    assert.equal(await restoredTo({}), [seq, made.digests.get(seq)], `without ${id}`);
    renameSync(away, place);
  }
});

test('a clock that is set back keeps no drill from being due', async (t) => {
  const set = settableClock();
  const intervalMs = 7 * 86_400_000;
  const { backups, write } = await standing(t, { clock: set.clock, drillIntervalMs: intervalMs });
  await write(2);
  await backups.create(null);
  const before = await backups.drill(NEWEST);
  set.wallMs = -30 * 86_400_000;
  set.aheadMs = intervalMs;
  backups.start();
  await waitUntil(() => (backups.status().drill?.startedAtMs ?? before.startedAtMs) < before.startedAtMs, {
    what: 'a drill by itself',
  });
  assert.is(backups.status().drill?.ok, true);
});

test('the proof of a drill outlives the small increment that it ended with', async (t) => {
  const { backups, made, write } = await standing(t);
  await write(2);
  await backups.create(null);
  await write(1);
  const small = await backups.create(null);
  assert.is((await backups.drill(NEWEST)).problem, null);
  await write(1);
  await backups.create(null);
  const { backups: left } = await backups.list();
  assert.not(left.some(({ id }) => id === small?.id));
  assert.type(backups.status().stored?.lastVerifiedAtMs, 'number');
  assert.equal(
    readdirSync(made.folder).filter((name) => name.startsWith('restoring-')),
    [],
  );
});

test('a restore for which the disk has no room is refused before anything is fetched', async (t) => {
  const { made, backups, write, target } = await standing(t, {
    limits: { ...DEFAULT_LIMITS, diskFreeBytesMin: Number.MAX_SAFE_INTEGER },
  });
  await write(2);
  await backups.create(null);
  const { get = 0 } = target.calls;
  const refused = await rejectionOf(backups.restore(NEWEST, async () => {}));
  assert.is(refused.type, 'DiskLimitExceeded');
  const report = await backups.drill(NEWEST);
  assert.match(report.problem ?? '', 'A restore needs');
  assert.is(target.calls.get ?? 0, get + 0, 'nothing was read but heads that were known');
  assert.equal(
    readdirSync(made.folder).filter((name) => name.startsWith('restoring-')),
    [],
  );
});

test.run();

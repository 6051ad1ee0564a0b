/** From an engine through a target to a restored store: every position comes back as it was live, over histories too, and what is damaged is
 *  named and restores nothing. */

import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { BackupHead } from '../../src/backup/head.js';
import { ReplayRefused } from '../../src/engine/replay.js';
import { SkeinError } from '../../src/model/errors.js';
import { type BackedUp, backedUp, digestOf } from '../support/backups.js';
import { suite } from '../support/suite.js';

const test = suite('backup/restoring', { deadlineMs: 120_000 });

const NODE = '22'.repeat(16);

/** Two full backups, increments between and behind them, a promotion on the way. */
async function withStory(made: BackedUp): Promise<BackupHead[]> {
  await made.create('c', 2);
  const write = async (from: number): Promise<void> => {
    for (let i = from; i < from + 4; i++) await made.put('c', [{ id: i % 5, vector: [i, 1], payload: { i } }]);
    await made.remove('c', [from % 5]);
  };
  await write(0);
  const heads: (BackupHead | null)[] = [await made.full()];
  const next = (): number => (heads.at(-1)?.end.seq ?? 0) + 1;
  await write(10);
  heads.push(await made.increment(next()));
  await made.engine.log.beginHistory({ historyId: '77'.repeat(16), epoch: 3, nodeId: NODE });
  await write(20);
  heads.push(await made.increment(next()));
  heads.push(await made.full());
  await write(30);
  heads.push(await made.increment((heads[2]?.end.seq ?? 0) + 1));
  return heads.filter((head) => head !== null);
}

test('every position that was live comes back with its digest, through any full backup', async (t) => {
  const made = await backedUp(t);
  const heads = await withStory(made);
  const first = heads[0]?.end.seq ?? 0;
  const fulls = heads.filter(({ kind }) => kind === 'full');
  const wanted = made.positions.filter(({ seq }) => seq >= first);
  for (const [i, position] of wanted.entries()) {
    if (i % 3 !== 0 && i !== wanted.length - 1) continue;
    const from = fulls.filter(({ end }) => end.seq <= position.seq);
    const restore = await made.restore({ position, backup: from[i % from.length]?.id ?? null });
    assert.is(restore.reached.state.seq, position.seq);
    assert.is(digestOf(restore), made.digests.get(position.seq), `seq ${position.seq}`);
    await restore.discard();
  }
});

test('without a target it is the newest state, and a finished restore leaves a store and nothing else', async (t) => {
  const made = await backedUp(t);
  await withStory(made);
  const restore = await made.restore();
  const { seq, digest } = made.engine.log.state();
  assert.is(restore.reached.state.seq, seq);
  assert.is(digestOf(restore), Buffer.from(digest).toString('hex'));
  await restore.finish(null);
  assert.equal(readdirSync(join(restore.storePath, '..')), ['store']);
  assert.equal(readdirSync(restore.storePath), ['skein.db']);
  await restore.discard();
  assert.not(existsSync(restore.storePath));
});

test('whatever object is damaged, cut off, missing or of another backup is named', async (t) => {
  const made = await backedUp(t);
  const heads = await withStory(made);
  const folder = join(made.targetFolder, made.archive.clusterId);
  const [full, increment] = [heads[3], heads[4]];
  const other = readFileSync(join(folder, heads[1]?.id ?? '', 'entries.gz'));
  const kinds: Readonly<Record<string, (path: string) => void>> = {
    flipped: (path) => {
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
    cut: (path) => truncateSync(path, 40),
    empty: (path) => truncateSync(path, 0),
    missing: (path) => rmSync(path),
    another: (path) => writeFileSync(path, other),
  };
  for (const [head, file] of [
    [full, 'skein.db.gz'],
    [full, 'head.json'],
    [increment, 'entries.gz'],
    [increment, 'head.json'],
  ] as const) {
    const path = join(folder, head?.id ?? '', file);
    const sound = readFileSync(path);
    for (const [kind, damage] of Object.entries(kinds)) {
      if (file === 'head.json' && kind === 'missing') continue;
      damage(path);
      const wish = head === full ? { backup: head?.id ?? '', timeMs: Date.now() } : {};
      const refused = await made.restore(wish).then(
        () => null,
        (error: unknown) => error,
      );
      assert.instance(refused, SkeinError, `${file} ${kind}`);
      if (!(refused instanceof SkeinError)) return;
      assert.is(refused.type, 'BackupDamaged', `${file} ${kind}: ${refused.message}`);
      assert.is(refused.details['backup'], head?.id);
      const { damaged } = await made.archive.list();
      // What stands in the place of another with its very length is seen by who reads it alone.
      const seen = file === 'head.json' || !existsSync(path) || statSync(path).size !== sound.length;
      assert.equal(
        damaged.map(({ id }) => id),
        seen ? [head?.id] : [],
        `${file} ${kind}`,
      );
      writeFileSync(path, sound);
    }
  }
  assert.is(digestOf(await made.restore()), made.digests.get(made.engine.log.state().seq));
});

test('a full backup that is seen to be damaged is not in the way of the same state through an older one', async (t) => {
  const made = await backedUp(t);
  const heads = await withStory(made);
  truncateSync(join(made.targetFolder, made.archive.clusterId, heads[3]?.id ?? '', 'skein.db.gz'), 40);
  assert.is(digestOf(await made.restore()), made.digests.get(made.engine.log.state().seq));
});

test('a position beyond the fork of its history is lost, and a hole in the increments is no way', async (t) => {
  const made = await backedUp(t);
  const heads = await withStory(made);
  const [old] = made.positions;
  const fork = heads[1]?.end.seq ?? 0;
  const beyond = { historyId: old?.historyId ?? '', epoch: 1, seq: fork + 2 };
  await assertRefused(made.restore({ position: beyond }), 'PositionLost');
  await assertRefused(made.restore({ backup: 'skein_v1.20200101T000000.000Z.snapshot' }), 'BackupNotFound');
  await made.archive.remove(heads[1]?.id ?? '');
  await assertRefused(made.restore({ seq: fork + 1 }), 'BackupNotFound');
  await assertRefused(
    made.restore({ timeMs: heads[2]?.kind === 'incremental' ? heads[2].firstTimeMs - 1 : 0, backup: heads[0]?.id ?? '' }),
    'BackupNotFound',
  );
});

async function assertRefused(restore: Promise<unknown>, type: string): Promise<void> {
  const error = await restore.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.not.instance(error, ReplayRefused);
  assert.is(error instanceof SkeinError ? error.type : error, type);
}

test.run();

/** Removals by name in a real archive: what goes, what stays and why, and that one which counts as damaged is looked at again. */

import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { nameOf, readName } from '../../src/backup/names.js';
import { NEWEST } from '../../src/backup/plan.js';
import { keysOf } from '../support/backup-targets.js';
import { type Stand, settableClock, standing } from '../support/backups-standing.js';
import { rejectionOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';

const test = suite('backup/removing', { deadlineMs: 120_000 });
const KEEPING = { retention: { fullsMax: 9, ageMsMax: null } };

test('one that is named goes and all others can be restored; one that is needed stays', async (t) => {
  const { target, backups, made, write } = await standing(t, { retention: { fullsMax: 9, ageMsMax: null } });
  const madeId = async (kind: 'full' | 'incremental'): Promise<string> => (await backups.create(kind))?.id ?? 'none';
  await write(2);
  const first = await madeId('full');
  const full = (await backups.list()).backups[0]?.end.seq;
  assert.equal((await rejectionOf(backups.remove(first, true))).details, { backup: first, reason: 'last_full', needed_by: [] });
  await write(2);
  const second = await madeId('full');
  const between = (await backups.list()).backups.find(({ kind }) => kind === 'incremental')?.id ?? 'none';
  const stays = await rejectionOf(backups.remove(first, false));
  assert.equal([stays.type, stays.details], ['BackupNeeded', { backup: first, reason: 'increments', needed_by: [between] }]);
  assert.match(stays.message, 'remove them with it');
  for (const id of ['latest', 'none', '../x']) assert.is((await rejectionOf(backups.remove(id, true))).type, 'BackupNotFound');
  assert.equal(await backups.remove(first, true), [between, first]);
  const { backups: left, restorableFrom } = await backups.list();
  assert.equal(
    left.map(({ id }) => id),
    [second],
  );
  assert.ok((restorableFrom?.seq ?? 0) > (full ?? 0));
  assert.is((await keysOf(target)).length, 2, 'a head and a store');
  assert.is((await backups.drill(NEWEST)).ok, true);
  await write(1);
  assert.is((await backups.create(null))?.kind, 'incremental', 'the archive goes on');
  assert.is((await backups.drill(NEWEST)).seq, made.engine.log.state().seq);
});

test('a removal that breaks off leaves whole backups, and objects that are tidied away a day later', async (t) => {
  const set = settableClock();
  const { target, backups, write } = await standing(t, { clock: set.clock });
  await write(2);
  const first = (await backups.create('full'))?.id ?? 'none';
  const second = (await backups.create('full'))?.id ?? 'none';
  target.fails = (operation, key) => (operation === 'remove' && !key.endsWith('head.json') ? 'unreachable' : null);
  assert.is((await rejectionOf(backups.remove(first, false))).type, 'BackupTargetFailed');
  target.fails = () => null;
  const { backups: left, damaged } = await backups.list();
  assert.equal([left.map(({ id }) => id), damaged], [[second], []]);
  assert.is((await rejectionOf(backups.remove(first, false))).type, 'BackupNotFound');
  assert.is((await keysOf(target)).filter((key) => key.includes(first)).length, 1);
  assert.is((await backups.drill(NEWEST)).ok, true);
  set.wallMs = 2 * 86_400_000;
  await write(1);
  await backups.create('full');
  assert.equal(
    (await keysOf(target)).filter((key) => key.includes(first)),
    [],
  );
});

async function madeId({ backups, write }: Stand, kind: 'full' | 'incremental'): Promise<string> {
  await write(2);
  return (await backups.create(kind))?.id ?? 'none';
}

/** The folder of one. */
function placeOf({ made }: Stand, id: string): string {
  return join(made.targetFolder, made.archive.clusterId, id);
}

function flip(path: string): () => void {
  const sound = readFileSync(path);
  writeFileSync(
    path,
    sound.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
  );
  return () => writeFileSync(path, sound);
}

async function idsOf({ backups }: Stand): Promise<{ sound: string[]; damaged: string[] }> {
  const { backups: sound, damaged } = await backups.list();
  return { sound: sound.map(({ id }) => id), damaged: damaged.map(({ id }) => id) };
}

test('a node that makes no backups any more when its turn comes removes none, nor more of a chain', async (t) => {
  let active = true;
  const stand = await standing(t, { ...KEEPING, isActive: () => active });
  const { backups, target } = stand;
  const first = await madeId(stand, 'full');
  const second = await madeId(stand, 'full');
  const between = (await idsOf(stand)).sound[1] ?? 'none';
  const [waiting, removal] = [backups.drill(NEWEST), rejectionOf(backups.remove(first, true))];
  active = false;
  assert.is((await waiting).ok, true);
  assert.is((await removal).type, 'NotMaster');
  assert.equal((await idsOf(stand)).sound, [second, between, first]);
  active = true;
  target.fails = (operation) => {
    if (operation === 'remove') active = false;
    return null;
  };
  assert.is((await rejectionOf(backups.remove(first, true))).type, 'NotMaster');
  active = true;
  assert.equal((await idsOf(stand)).sound, [second, first]);
});

test('the log keeps what is in an increment that goes from before it is gone', async (t) => {
  const stand = await standing(t, KEEPING);
  const { backups, target, kept } = stand;
  await madeId(stand, 'full');
  await madeId(stand, 'full');
  const [, between] = (await backups.list()).backups;
  const first = between?.fromSeq ?? 0;
  assert.ok((kept.at(-1) ?? 0) > first);
  const keptThen: unknown[] = [];
  target.fails = (operation) => {
    if (operation === 'remove') keptThen.push(kept.at(-1));
    return null;
  };
  await backups.remove(between?.id ?? '', false);
  assert.is(keptThen[0], first);
  assert.is((await backups.create(null))?.fromSeq, first, 'and it is made again');
});

test('one of a format that this version does not know stays, unless its head is nothing that anybody wrote', async (t) => {
  const stand = await standing(t, KEEPING);
  const { backups } = stand;
  const full = await madeId(stand, 'full');
  const createdAtMs = (readName(full)?.createdAtMs ?? 0) + 1;
  const newer = nameOf({ createdAtMs, range: null }).replace('_v1.', '_v2.');
  const head = join(placeOf(stand, newer), 'head.json');
  mkdirSync(placeOf(stand, newer));
  copyFileSync(join(placeOf(stand, full), 'head.json'), head);
  assert.equal((await idsOf(stand)).damaged, [newer]);
  const refused = await rejectionOf(backups.remove(newer, true));
  assert.equal([refused.type, refused.details], ['BackupNeeded', { backup: newer, reason: 'unknown', needed_by: [] }]);
  assert.match(refused.message, 'it has format 2');
  truncateSync(head, 100);
  assert.equal(await backups.remove(newer, false), [newer]);
  assert.equal(await idsOf(stand), { sound: [full], damaged: [] });
});

test('one whose head was read wrong once does not go as a damaged one', async (t) => {
  const stand = await standing(t, KEEPING);
  const { backups, target } = stand;
  const full = await madeId(stand, 'full');
  const head = join(placeOf(stand, full), 'head.json');
  const heal = flip(head);
  let reads = 0;
  target.fails = (operation, key) => {
    if (operation === 'get' && key.endsWith('head.json') && ++reads === 2) heal();
    return null;
  };
  assert.is((await rejectionOf(backups.remove(full, true))).details['reason'], 'last_full');
  assert.is(reads, 2);
  assert.equal(await idsOf(stand), { sound: [full], damaged: [] });
});

test('one whose head cannot be read goes, and one whose place fails does not', async (t) => {
  const stand = await standing(t, KEEPING);
  const { backups, target } = stand;
  const full = await madeId(stand, 'full');
  flip(join(placeOf(stand, full), 'head.json'));
  target.fails = (operation) => (operation === 'get' ? 'unreachable' : null);
  assert.is((await rejectionOf(backups.remove(full, true))).type, 'BackupTargetFailed');
  target.fails = () => null;
  assert.equal(await backups.remove(full, true), [full]);
  assert.equal(await keysOf(target), []);
});

test('one that was found damaged is read again to its end before it goes as such', async (t) => {
  const stand = await standing(t, KEEPING);
  const { backups } = stand;
  const full = await madeId(stand, 'full');
  const heal = flip(join(placeOf(stand, full), 'skein.db.gz'));
  assert.is((await backups.drill(NEWEST)).ok, false);
  heal();
  assert.equal(await idsOf(stand), { sound: [], damaged: [full] });
  const refused = await rejectionOf(backups.remove(full, true));
  assert.is(refused.details['reason'], 'last_full');
  assert.match(refused.message, 'verify it');
  assert.is((await backups.drill({ ...NEWEST, backup: full })).ok, true, 'nothing of it is gone');
  flip(join(placeOf(stand, full), 'skein.db.gz'));
  assert.is((await backups.drill(NEWEST)).ok, false);
  assert.equal(await backups.remove(full, true), [full], 'it is damaged');
  assert.equal(await idsOf(stand), { sound: [], damaged: [] });
});

test('one that the place does not show whole is read before it goes', async (t) => {
  const stand = await standing(t, KEEPING);
  const { backups } = stand;
  const full = await madeId(stand, 'full');
  const [store, away] = [join(placeOf(stand, full), 'skein.db.gz'), join(stand.made.folder, 'away')];
  renameSync(store, away);
  assert.equal((await idsOf(stand)).damaged, [full]);
  stand.target.fails = (operation, key) => {
    if (operation === 'get' && key.endsWith('skein.db.gz')) renameSync(away, store);
    return null;
  };
  assert.match((await rejectionOf(backups.remove(full, true))).message, 'it is missing');
  stand.target.fails = () => null;
  assert.equal(await idsOf(stand), { sound: [full], damaged: [] });
  rmSync(store);
  assert.equal(await backups.remove(full, true), [full]);
});

test('what one leads on from that was found damaged stays until that is gone, for it may be sound', async (t) => {
  const stand = await standing(t, KEEPING);
  const { backups } = stand;
  const first = await madeId(stand, 'full');
  const second = await madeId(stand, 'full');
  const between = (await idsOf(stand)).sound[1] ?? 'none';
  flip(join(placeOf(stand, between), 'entries.gz'));
  const inside = (await backups.list()).backups.at(-1)?.end.seq ?? 0;
  assert.is((await backups.drill({ ...NEWEST, seq: inside + 1 })).ok, false);
  assert.equal(await idsOf(stand), { sound: [second, first], damaged: [between] });
  const refused = await rejectionOf(backups.remove(first, false));
  assert.equal(refused.details, { backup: first, reason: 'increments', needed_by: [between] });
  assert.equal(await backups.remove(between, false), [between]);
  assert.equal(await backups.remove(first, false), [first]);
  assert.equal(await idsOf(stand), { sound: [second], damaged: [] });
});

test.run();

/** A folder as backup target: what a kill, a full disk, links and other users of the folder do to it. */

import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { openFolderTarget } from '../../src/backup/folder-target.js';
import { type BackupTarget, mayPass } from '../../src/backup/target.js';
import { systemClock } from '../../src/model/clock.js';
import { SkeinError } from '../../src/model/errors.js';
import { bodyOf, collected, keysOf } from '../support/backup-targets.js';
import { mountPrivateDisk } from '../support/private-disk.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('backup/folder-target');
const CHILD = fileURLToPath(new URL('../support/putting-child.js', import.meta.url));
const HELLO = Buffer.from('hello');

const openAt = (folder: string, writer: string | null = 'node-1'): Promise<BackupTarget> =>
  openFolderTarget({ folder, writer, stallMs: 10_000, clock: systemClock });

async function reasonOf(call: Promise<unknown>): Promise<unknown> {
  const error = await call.catch((thrown: unknown) => thrown);
  assert.instance(error, SkeinError, String(error));
  assert.is((error as SkeinError).type, 'BackupTargetFailed');
  const { reason } = (error as SkeinError).details as { reason: string };
  assert.is(mayPass(error), reason === 'unreachable' || reason === 'timeout');
  return reason;
}

test('what a killed process was putting is not there, and its leftovers go when the same writer opens the folder', async (t) => {
  const folder = t.folder();
  const child = spawn(process.execPath, [CHILD, folder, '0'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const partial = join(folder, '.partial', 'node-1.1');
  await waitUntil(() => existsSync(partial) && statSync(partial).size > 1_000_000, { what: 'the child to put' });
  const dead = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await dead;
  assert.equal(await keysOf(await openAt(folder, 'node-2')), []);
  assert.ok(existsSync(partial), 'another writer cannot know that it is dead');
  const target = await openAt(folder);
  assert.equal(readdirSync(join(folder, '.partial')), []);
  await target.put('objects/one', bodyOf(HELLO));
  assert.equal(await keysOf(target), ['objects/one']);
});

test('leftovers of other writers go after a day', async (t) => {
  const folder = t.folder();
  await openAt(folder);
  const old = join(folder, '.partial', 'node-9.1');
  const young = join(folder, '.partial', 'node-9.2');
  for (const path of [old, young]) writeFileSync(path, 'part');
  const twoDaysAgo = Date.now() / 1_000 - 2 * 86_400;
  utimesSync(old, twoDaysAgo, twoDaysAgo);
  await openAt(folder);
  assert.equal(readdirSync(join(folder, '.partial')), ['node-9.2']);
});

test('a full disk is told as full, leaves nothing, and heals when there is room', async (t) => {
  const disk = await mountPrivateDisk(t, 4 * 1024 * 1024);
  const putInside = (bytes: number): { details?: { reason: string }; keys: string[] } => {
    const [program = '', ...prefix] = disk.prefix;
    const { stdout, stderr } = spawnSync(program, [...prefix, process.execPath, CHILD, disk.path, String(bytes)], {
      encoding: 'utf8',
    });
    assert.ok(stdout.startsWith('{'), stderr);
    return JSON.parse(stdout);
  };
  const full = putInside(16_000_000);
  assert.is(full.details?.reason, 'full');
  assert.equal(full.keys, []);
  assert.equal(readdirSync(join(disk.seen, '.partial')), []);
  assert.ok(disk.freeBytes() > 3_000_000, 'the room is free again');
  assert.equal(putInside(1_000_000).keys, ['objects/one']);
});

test('a link that leads out of the folder is neither followed nor listed', async (t) => {
  const folder = t.folder();
  const outside = t.folder();
  writeFileSync(join(outside, 'secret'), 'not yours');
  const target = await openAt(folder);
  symlinkSync(outside, join(folder, 'out'));
  symlinkSync(join(outside, 'secret'), join(folder, 'file'));
  assert.equal(await keysOf(target), []);
  assert.is(await reasonOf(collected(target.get('out/secret'))), 'refused');
  assert.is(await reasonOf(collected(target.get('file'))), 'refused');
  assert.is(await reasonOf(target.put('out/new', bodyOf(HELLO))), 'refused');
  assert.is(await reasonOf(target.remove('out/secret')), 'refused');
  assert.equal(readdirSync(outside), ['secret']);
  await target.put('file', bodyOf(HELLO));
  assert.is((await collected(target.get('file'))).toString(), 'hello', 'a link is replaced, not written through');
  assert.is(statSync(join(outside, 'secret')).size, 'not yours'.length);
});

test('files of somebody else are no objects', async (t) => {
  const folder = t.folder();
  const target = await openAt(folder);
  await target.put('one', bodyOf(HELLO));
  for (const name of ['.hidden', 'two words', 'ünïcode', 'line\nbreak']) writeFileSync(join(folder, name), '');
  assert.equal(await keysOf(target), ['one']);
});

test('a volume that is gone is unreachable, not empty', async (t) => {
  const parent = t.folder();
  const folder = join(parent, 'backups');
  const target = await openAt(folder);
  await target.put('one', bodyOf(HELLO));
  renameSync(folder, join(parent, 'away'));
  for (const empty of [false, true]) {
    if (empty) mkdirSync(folder);
    assert.is(await reasonOf(keysOf(target)), 'unreachable');
    assert.is(await reasonOf(collected(target.get('one'))), 'unreachable');
    assert.is(await reasonOf(target.put('two', bodyOf(HELLO))), 'unreachable');
  }
  assert.is(await reasonOf(openAt(join(parent, 'missing', 'backups'))), 'unreachable');
  const failure = await openAt(join(parent, 'missing', 'backups')).then(
    () => '',
    (error: unknown) => String(error),
  );
  assert.match(failure, `there is no folder ${join(parent, 'missing')} to make it in`);
});

test('opened for reading only it changes nothing', async (t) => {
  const folder = t.folder();
  await (await openAt(folder)).put('one', bodyOf(HELLO));
  writeFileSync(join(folder, '.partial', 'node-1.7'), 'part');
  const target = await openAt(folder, null);
  assert.equal(await keysOf(target), ['one']);
  assert.is((await collected(target.get('one'))).toString(), 'hello');
  assert.is(await reasonOf(target.put('two', bodyOf(HELLO))), 'refused');
  assert.equal(readdirSync(join(folder, '.partial')), ['node-1.7']);
  assert.is(await reasonOf(openAt(join(folder, 'missing'), null)), 'unreachable');
});

test('removing takes empty folders with it, and no others', async (t) => {
  const folder = t.folder();
  const target = await openAt(folder);
  for (const key of ['a/b/one', 'a/two']) await target.put(key, bodyOf(HELLO));
  await target.remove('a/b/one');
  assert.equal(readdirSync(join(folder, 'a')), ['two']);
  await target.remove('a/two');
  assert.equal(readdirSync(folder), ['.partial']);
});

test('files and folders are for their owner alone', async (t) => {
  const folder = join(t.folder(), 'backups');
  const target = await openAt(folder);
  await target.put('a/one', bodyOf(HELLO));
  assert.equal(
    ['', 'a', 'a/one'].map((path) => statSync(join(folder, path)).mode & 0o077),
    [0, 0, 0],
  );
});

test('a file that shrinks while it is read is an error, not a short object', async (t) => {
  const folder = t.folder();
  const target = await openAt(folder);
  await target.put('one', bodyOf(Buffer.alloc(1_000_000, 1)));
  const pieces = target.get('one')[Symbol.asyncIterator]();
  await pieces.next();
  chmodSync(join(folder, 'one'), 0o600);
  writeFileSync(join(folder, 'one'), 'short');
  assert.is(await reasonOf(pieces.next()), 'refused');
});

test('a file system that hangs is given up after the stall limit', async (t) => {
  const folder = t.folder();
  const target = await openFolderTarget({ folder, writer: 'node-1', stallMs: 50, clock: systemClock });
  // Opening a pipe without a writer waits for ever, as a dead network file system does.
  spawnSync('mkfifo', [join(folder, 'one')]);
  const reading = collected(target.get('one'));
  t.after(() => writeFileSync(join(folder, 'one'), ''));
  assert.is(await reasonOf(reading), 'timeout');
});

test.run();

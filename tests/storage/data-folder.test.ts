/** The data folder: fresh, half made, with data or refused, and never empty over a folder that had data. */

import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { createDataFolder, type FolderState, inspectDataFolder } from '../../src/storage/data-folder.js';
import { lockFolder } from '../../src/storage/folder-lock.js';
import { openManifest, readManifest } from '../../src/storage/manifest.js';
import { openWriter } from '../../src/storage/open-store.js';
import { suite } from '../support/suite.js';
import { IDENTITY, OPTIONS } from './story.js';

const test = suite('storage/data-folder');
const ABOUT = { role: 'master', bootId: 'boot' } as const;

function reason(state: FolderState): string {
  return state.kind === 'refused' ? state.reason : `not refused but ${state.kind}`;
}

test('a missing, an empty and a merely locked folder are fresh; a made one has data', (t) => {
  const folder = t.folder();
  const dataDir = join(folder, 'deep', 'data');
  assert.is(inspectDataFolder(dataDir).kind, 'fresh');
  const lock = lockFolder(dataDir);
  t.after(() => lock.release());
  mkdirSync(join(dataDir, 'lost+found'));
  writeFileSync(join(dataDir, '.gitkeep'), '');
  assert.is(inspectDataFolder(dataDir).kind, 'fresh');
  const made = createDataFolder(dataDir, IDENTITY, ABOUT, OPTIONS);
  const state = inspectDataFolder(dataDir);
  assert.equal(state.kind === 'data' && state.store, made);
  assert.is(made.name, 'store-1');
  assert.is(made.databasePath, join(dataDir, 'store-1', 'skein.db'));
  assert.is(made.checkpointsPath, join(dataDir, 'store-1', 'checkpoints'));
  assert.is(readFileSync(join(dataDir, 'CURRENT'), 'utf8'), 'store-1\n');
  const { record, problems } = readManifest(dataDir);
  assert.equal(problems, []);
  assert.equal(
    [record?.clusterId, record?.lastSeq, record?.role, record?.cleanShutdown],
    [IDENTITY.clusterId, 0, 'master', true],
  );
  openWriter(made.databasePath, OPTIONS).close();
  assert.throws(() => createDataFolder(dataDir, IDENTITY, ABOUT, OPTIONS), /holds a store already/);
});

test('a making that was cut off anywhere is told from data, and made again', (t) => {
  const whole = t.folder();
  createDataFolder(whole, IDENTITY, ABOUT, OPTIONS);
  const cuts: ((folder: string) => void)[] = [
    (folder) => mkdirSync(join(folder, 'making-store-1')),
    (folder) => {
      mkdirSync(join(folder, 'making-store-1'));
      writeFileSync(join(folder, 'making-store-1', 'skein.db'), '');
    },
    (folder) => cpSync(join(whole, 'store-1'), join(folder, 'making-store-1'), { recursive: true }),
    (folder) => {
      cpSync(whole, folder, { recursive: true });
      renameSync(join(folder, 'store-1'), join(folder, 'making-store-1'));
      rmSync(join(folder, 'CURRENT'));
    },
    (folder) => {
      cpSync(whole, folder, { recursive: true });
      renameSync(join(folder, 'store-1'), join(folder, 'making-store-1'));
      writeFileSync(join(folder, 'CURRENT.new'), 'sto');
    },
  ];
  for (const cut of cuts) {
    const folder = t.folder();
    cut(folder);
    assert.is(inspectDataFolder(folder).kind, 'half_made');
    const { databasePath } = createDataFolder(folder, IDENTITY, ABOUT, OPTIONS);
    openWriter(databasePath, OPTIONS).close();
    assert.is(inspectDataFolder(folder).kind, 'data');
  }
});

test('a folder that had data is never taken for a fresh one', (t) => {
  const whole = t.folder();
  createDataFolder(whole, IDENTITY, ABOUT, OPTIONS);
  const manifest = openManifest(whole, 'boot');
  manifest.write({ ...IDENTITY, seq: 5 }, { collections: 1, points: 1 });
  manifest.close({ clean: true });
  const cases: [RegExp, (folder: string) => void][] = [
    [/skein\.db is missing/, (folder) => rmSync(join(folder, 'store-1', 'skein.db'))],
    [/0 bytes/, (folder) => writeFileSync(join(folder, 'store-1', 'skein.db'), '')],
    [/CURRENT is missing or damaged, and there is store-1/, (folder) => rmSync(join(folder, 'CURRENT'))],
    [/CURRENT is missing or damaged/, (folder) => writeFileSync(join(folder, 'CURRENT'), '../elsewhere\n')],
    [/CURRENT is missing or damaged/, (folder) => writeFileSync(join(folder, 'CURRENT'), 'store-1')],
    [/CURRENT names store-2/, (folder) => writeFileSync(join(folder, 'CURRENT'), 'store-2\n')],
    [/seq 5 was stored, but there is no store/, (folder) => rmSync(join(folder, 'store-1'), { recursive: true })],
    [/seq 5 was stored/, (folder) => renameSync(join(folder, 'store-1'), join(folder, 'making-store-1'))],
    [
      /CURRENT but no store/,
      (folder) => {
        rmSync(join(folder, 'store-1'), { recursive: true });
        rmSync(join(folder, 'MANIFEST'));
      },
    ],
  ];
  for (const [expected, damage] of cases) {
    const folder = t.folder();
    cpSync(whole, folder, { recursive: true });
    damage(folder);
    assert.match(reason(inspectDataFolder(folder)), expected);
    assert.throws(() => createDataFolder(folder, IDENTITY, ABOUT, OPTIONS), expected);
  }
});

test('a folder with things that are not ours is refused by their names', (t) => {
  const folder = t.folder();
  writeFileSync(join(folder, 'photo.jpg'), '');
  assert.match(reason(inspectDataFolder(folder)), /not a data folder of Skein \(it holds photo\.jpg\)/);
  const cutOff = t.folder();
  mkdirSync(join(cutOff, `restoring-${'a'.repeat(32)}`));
  for (const name of ['NODE', 'MANIFEST']) writeFileSync(join(cutOff, name), '');
  assert.match(reason(inspectDataFolder(cutOff)), /restoring-a+, which a restore leaves.*run 'skein restore' again/);
  writeFileSync(join(folder, 'file'), '');
  assert.throws(() => inspectDataFolder(join(folder, 'file')), /cannot be read/);
});

test.run();

/** The switch from one store to another, cut off after every step: the next start has the complete old state or the complete new one, whoever the
 *  manifests belonged to, and only what the switch itself left is removed. */

import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { removeSnapshotLeftovers } from '../../src/engine/snapshot.js';
import { armFailpoint, type Failpoint } from '../../src/model/failpoint.js';
import { createDataFolder, inspectDataFolder } from '../../src/storage/data-folder.js';
import { openManifest, readManifest, replaceManifest } from '../../src/storage/manifest.js';
import type { ManifestRecord } from '../../src/storage/manifest-slot.js';
import { openReader } from '../../src/storage/open-store.js';
import { adoptStore, setStoreAside } from '../../src/storage/store-switch.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { blankReplica, currentStore, newMaster, REPLICA_ID } from '../support/snapshots.js';
import { suite, type TestContext } from '../support/suite.js';
import { IDENTITY, OPTIONS } from './story.js';

const test = suite('storage/store-switch');
const STEPS: readonly Failpoint[] = [
  'switch.before_rename',
  'switch.after_rename',
  'switch.after_current',
  'switch.after_manifest',
];

/** A folder to switch to, with the manifest that belongs to it: a master's store of `points` points. */
function made(t: TestContext, into: string, points: number): { path: string; record: ManifestRecord } {
  const master = t.folder();
  const { store, story } = newMaster(master);
  story.commit(story.create('a'));
  for (let id = 0; id < points; id++) story.commit(story.put(1, { id, vector: [id, 1, 2, 3] }));
  const { clusterId, nodeId, historyId, epoch, seq: lastSeq } = store.state();
  store.close();
  const path = join(into, 'incoming', 'store');
  cpSync(currentStore(master).path, path, { recursive: true });
  const identity = { format: 1, clusterId, nodeId, historyId, epoch, role: 'replica' } as const;
  return { path, record: { ...identity, lastSeq, counts: { collections: 1, points }, cleanShutdown: true, bootId: 'b' } };
}

function cutOffAt(step: Failpoint, work: () => unknown): void {
  armFailpoint(step, () => {
    throw new Error(`cut off at ${step}`);
  });
  try {
    assert.throws(work, /cut off at/);
  } finally {
    armFailpoint(step, () => {});
  }
}

function seqOf(dataDir: string): number {
  const reads = openReader(currentStore(dataDir).databasePath, OPTIONS);
  try {
    return reads.state().seq;
  } finally {
    reads.close();
  }
}

/** Old folders whose manifest would make a start with the new store stop, had it to do with it. */
const OLD: Readonly<Record<string, (dataDir: string) => void>> = {
  'a blank one': blankReplica,
  'one of the same history that is farther': (dataDir) => {
    const { store, story } = newMaster(dataDir);
    for (let i = 0; i < 9; i++) story.commit(story.create(`c${i}`));
    const state = store.state();
    store.close();
    const manifest = openManifest(dataDir, 'boot');
    manifest.write(state, { collections: 9, points: 0 });
    manifest.close({ clean: true });
  },
  'one of another cluster in a later epoch': (dataDir) =>
    createDataFolder(dataDir, { ...IDENTITY, clusterId: 'ff'.repeat(16), epoch: 9 }, { role: 'master', bootId: 'b' }, OPTIONS),
};

for (const [name, make] of Object.entries(OLD)) {
  test(`over ${name}: cut off anywhere, the folder is the old one or the new one`, async (t) => {
    for (const step of STEPS) {
      const dataDir = t.folder();
      make(dataDir);
      const old = { seq: seqOf(dataDir), record: readManifest(dataDir).record };
      const { path, record } = made(t, dataDir, 3);
      cutOffAt(step, () => adoptStore(dataDir, path, record));
      const switched = step === 'switch.after_current' || step === 'switch.after_manifest';
      // Even before it is tidied up, nothing is found wrong with it.
      assert.equal(verifyStore(dataDir, 'full').findings, [], step);
      await removeSnapshotLeftovers(dataDir);
      assert.equal(verifyStore(dataDir, 'full').findings, [], step);
      assert.is(seqOf(dataDir), switched ? record.lastSeq : old.seq, step);
      assert.equal(readManifest(dataDir).record, switched ? record : old.record, step);
      const stores = readdirSync(dataDir).filter((entry) => entry.includes('store-'));
      assert.equal(stores, [switched ? 'store-2' : 'store-1'], step);
      if (switched) continue;
      const again = made(t, dataDir, 3);
      assert.is(adoptStore(dataDir, again.path, again.record).name, 'store-2');
      assert.equal(verifyStore(dataDir, 'full').findings, []);
    }
  });
}

test('what a switch replaced is removed also when it was replaced before last; what it does not know stays', async (t) => {
  const dataDir = t.folder();
  blankReplica(dataDir);
  mkdirSync(join(dataDir, 'store-8'));
  writeFileSync(join(dataDir, 'store-8', 'skein.db'), 'a copy that somebody keeps here');
  const first = made(t, dataDir, 1);
  assert.is(adoptStore(dataDir, first.path, first.record).name, 'store-9');
  const second = made(t, dataDir, 2);
  assert.is(adoptStore(dataDir, second.path, second.record).name, 'store-10');
  await removeSnapshotLeftovers(dataDir);
  assert.equal(
    readdirSync(dataDir).filter((name) => name.includes('store-')),
    ['store-10', 'store-8'],
  );
});

test('a removal that was cut off is ended at the next start, and never leaves half a store under its name', async (t) => {
  const dataDir = t.folder();
  blankReplica(dataDir);
  const { path, record } = made(t, dataDir, 1);
  adoptStore(dataDir, path, record);
  const aside = setStoreAside(dataDir, 'store-1');
  assert.not(existsSync(join(dataDir, 'store-1')));
  assert.ok(existsSync(aside));
  await removeSnapshotLeftovers(dataDir);
  assert.not(existsSync(aside));
});

test('a CURRENT that names the wrong one of two stores costs neither of them', async (t) => {
  const dataDir = t.folder();
  blankReplica(dataDir);
  const { path, record } = made(t, dataDir, 4);
  adoptStore(dataDir, path, record);
  writeFileSync(join(dataDir, 'CURRENT'), 'store-1\n');
  await removeSnapshotLeftovers(dataDir);
  assert.ok(existsSync(join(dataDir, 'store-2', 'skein.db')));
  writeFileSync(join(dataDir, 'CURRENT'), 'damaged');
  await removeSnapshotLeftovers(dataDir);
  assert.is(inspectDataFolder(dataDir).kind, 'refused');
  writeFileSync(join(dataDir, 'CURRENT'), 'store-2\n');
  replaceManifest(dataDir, record);
  assert.equal(verifyStore(dataDir, 'full').findings, []);
});

test('notes of the node, and what comes and goes beside stores, do not change what a folder is', (t) => {
  const dataDir = t.folder();
  writeFileSync(join(dataDir, 'NODE'), '{}');
  assert.is(inspectDataFolder(dataDir).kind, 'fresh');
  blankReplica(dataDir);
  assert.ok(existsSync(join(dataDir, 'NODE')));
  for (const name of ['incoming-1', 'outgoing-1', 'removed-store-3', 'rollback', 'quarantine']) mkdirSync(join(dataDir, name));
  assert.is(inspectDataFolder(dataDir).kind, 'data');
  assert.is(readManifest(dataDir).record?.nodeId, REPLICA_ID);
});

test.run();

/** Snapshots from a store to another folder: what arrives is what was there, whatever was cut off or damaged on the way is told, and a folder is
 *  always the old state or the new one. */

import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
  openIncoming,
  removeSnapshotLeftovers,
  removeStore,
  resumableSnapshot,
  SnapshotDamaged,
  type SnapshotFile,
  type SnapshotHead,
} from '../../src/engine/snapshot.js';
import type { PointId } from '../../src/model/point.js';
import { inspectDataFolder } from '../../src/storage/data-folder.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import { StorageFull } from '../../src/storage/storage.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { OPTIONS, Story } from '../storage/story.js';
import {
  allBytes,
  blankReplica,
  build,
  chunkOf,
  currentStore,
  databaseIn,
  HOW,
  inChunksOf,
  liveContent,
  newMaster,
  REPLICA_ID,
  receive,
  rowCounts,
} from '../support/snapshots.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/snapshot', { deadlineMs: 120_000 });

interface Change {
  readonly kind: 'put' | 'delete' | 'recreate' | 'remember';
  readonly id: PointId;
  readonly vector: number;
  readonly payload: string;
  readonly expiresAtMs: number | null;
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('put', 'put', 'put', 'put', 'delete', 'recreate', 'remember'),
  id: fc.constantFrom<PointId>(0, 1, 2, 3, 2 ** 32, 'a', 'b', 'é'),
  vector: fc.nat(3),
  payload: fc.constantFrom('', '{"a":1}', JSON.stringify({ text: 'long '.repeat(2_000) })),
  expiresAtMs: fc.constantFrom(null, 5_000),
});

function tell(story: Story, changes: readonly Change[]): void {
  let uid = story.store.collections()[0]?.uid ?? null;
  for (const { kind, id, vector, payload, expiresAtMs } of changes) {
    if (uid === null || kind === 'recreate') {
      if (uid !== null) story.commit(story.drop(uid));
      story.commit(story.create('c'));
      uid = story.store.collections()[0]?.uid as number;
    }
    if (kind === 'remember') story.commit(story.remember(Buffer.from(`key ${id}`)));
    else if (kind === 'put') story.commit(story.put(uid, { id, vector: [vector, 1, 0, 0], payload, expiresAtMs }));
    else if (kind === 'delete' && story.store.pointById(uid, id) !== undefined) story.commit(story.delete(uid, id));
  }
}

/** A master with some of everything, its snapshot in chunks of `chunkBytes`, and a blank replica. */
async function prepared(t: TestContext, chunkBytes = 2 ** 20): Promise<{ head: SnapshotHead; bytes: Buffer; replica: string }> {
  const master = t.folder();
  const { store, story } = newMaster(master);
  story.commit(story.create('a'));
  for (let id = 0; id < 60; id++)
    story.commit(story.put(1, { id, vector: [id, 1, 2, 3], payload: `{"text":"${'t'.repeat(500)}"}` }));
  const built = await build(master);
  const bytes = await allBytes(built);
  await built.remove();
  store.close();
  const replica = t.folder();
  blankReplica(replica);
  return { head: inChunksOf(built.head, chunkBytes), bytes, replica };
}

test('what arrives has the rows, labels and sums of the master, no dead rows and no log, and takes the next unit', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 40 }),
      fc.array(change, { minLength: 1, maxLength: 8 }),
      async (before, after) => {
        const [master, replica] = [t.folder(), t.folder()];
        const { store, story } = newMaster(master);
        tell(story, before);
        const built = await build(master);
        blankReplica(replica);
        const installed = await receive(replica, built.head, await allBytes(built));
        await built.remove();
        const source = currentStore(master).databasePath;
        assert.equal(liveContent(installed.databasePath), liveContent(source));
        const { points, collections, log } = rowCounts(installed.databasePath);
        const live = store.collections();
        assert.equal([collections, log, points], [live.length, 0, live.reduce((sum, { pointsCount }) => sum + pointsCount, 0)]);
        const copy = openWriter(installed.databasePath, OPTIONS);
        const { seq, nodeId, logMinSeq, logBytes, reapedSeq, chainHash } = copy.state();
        assert.equal([nodeId, logMinSeq, logBytes, reapedSeq], [REPLICA_ID, seq + 1, 0, seq]);
        assert.equal(Buffer.from(copy.logBaseHash()), Buffer.from(chainHash));
        tell(story, after);
        tell(new Story(copy), after);
        assert.equal(Buffer.from(copy.state().digest), Buffer.from(store.state().digest));
        assert.equal(Buffer.from(copy.state().chainHash), Buffer.from(store.state().chainHash));
        copy.close();
        store.close();
        assert.equal(verifyStore(replica, 'full').findings, []);
        assert.equal(readdirSync(master).sort(), ['CURRENT', 'MANIFEST', 'store-1']);
      },
    ),
    { numRuns: 12, seed: t.seed() },
  );
});

test('a download that was cut off in any chunk goes on at that chunk, and is the same at the end', async (t) => {
  const { head, bytes, replica } = await prepared(t, 8_192);
  assert.ok(head.chunks > 10);
  for (let chunk = 0; chunk < head.chunks; chunk++) {
    const incoming = await openIncoming(replica, head);
    assert.is(incoming.nextChunk, chunk);
    assert.is(incoming.bytes, chunk * head.chunkBytes);
    const resumable = await resumableSnapshot(replica);
    assert.equal(resumable, chunk === 0 ? null : { id: head.id, nextChunk: chunk });
    await assertRejects(incoming.install(HOW), /chunks are there/);
    await assertRejects(incoming.write(chunk + 1, chunkOf(bytes, head, chunk + 1)), /is the next one/);
    await assertRejects(incoming.write(chunk, chunkOf(bytes, head, chunk).subarray(1)), /bytes and not/);
    await incoming.write(chunk, chunkOf(bytes, head, chunk));
    // As a kill in the middle of the next one leaves it.
    const path = join(replica, `incoming-${head.id}`, 'store', 'skein.db');
    const begun = Math.min(head.bytes, (chunk + 1) * head.chunkBytes + 100);
    if (begun < head.bytes) writeFileSync(path, bytes.subarray(0, begun));
  }
  assert.equal(await resumableSnapshot(replica), { id: head.id, nextChunk: head.chunks });
  await removeSnapshotLeftovers(replica);
  const store = await receive(replica, head, bytes);
  assert.is(store.name, 'store-2');
  assert.is(await resumableSnapshot(replica), null);
  assert.ok(verifyStore(replica, 'full').ok);
});

test('the download of another snapshot, or of another head with the same id, begins anew', async (t) => {
  const { head, bytes, replica } = await prepared(t, 8_192);
  const first = await openIncoming(replica, head);
  await first.write(0, chunkOf(bytes, head, 0));
  const changed = { ...head, points: head.points + 1 };
  assert.is((await openIncoming(replica, changed)).nextChunk, 0);
  assert.is(await resumableSnapshot(replica), null);
  const other = { ...head, id: 'ef'.repeat(16) };
  const second = await openIncoming(replica, other);
  assert.equal(incomingIn(replica), [`incoming-${other.id}`]);
  await second.write(0, chunkOf(bytes, other, 0));
  await second.discard();
  assert.equal(incomingIn(replica), []);
});

test('a byte that is not what it was is told wherever it is, and nothing changes but that the download is gone', async (t) => {
  const { head, bytes, replica } = await prepared(t);
  const before = readFileSync(join(replica, 'MANIFEST'));
  const places = [0, 16, 100, 4_096, Math.floor(bytes.length / 2), bytes.length - 1];
  for (const place of places) {
    const damaged = Buffer.from(bytes);
    damaged[place] = (damaged[place] as number) ^ 1;
    await assertRejects(receive(replica, head, damaged), /SHA-256/, SnapshotDamaged);
    assert.equal(incomingIn(replica), []);
  }
  assert.is(currentStore(replica).name, 'store-1');
  assert.equal(readFileSync(join(replica, 'MANIFEST')), before);
  assert.ok(verifyStore(replica, 'full').ok);
});

test('a head that says anything else of the store than is in it is refused', async (t) => {
  const { head, bytes, replica } = await prepared(t);
  const lies: Partial<SnapshotHead>[] = [
    { clusterId: 'ff'.repeat(16) },
    { historyId: 'ff'.repeat(16) },
    { epoch: 2 },
    { baseSeq: head.baseSeq - 1 },
    { baseHash: 'ff'.repeat(32) },
    { digest: 'ff'.repeat(16) },
    { collections: 2 },
    { points: 59 },
  ];
  for (const lie of lies) {
    await assertRejects(receive(replica, { ...head, ...lie }, bytes), /the head says/, SnapshotDamaged);
    assert.equal(readdirSync(replica).sort(), ['CURRENT', 'MANIFEST', 'store-1']);
  }
});

test('a file that was cut off after it had come is downloaded again from there, or refused at the end', async (t) => {
  const { head, bytes, replica } = await prepared(t, 8_192);
  const incoming = await openIncoming(replica, head);
  for (let chunk = 0; chunk < head.chunks; chunk++) await incoming.write(chunk, chunkOf(bytes, head, chunk));
  truncateSync(join(replica, `incoming-${head.id}`, 'store', 'skein.db'), 20_000);
  assert.equal(await resumableSnapshot(replica), { id: head.id, nextChunk: 2 });
  await assertRejects(incoming.install(HOW), /has 20000 bytes/, SnapshotDamaged);
});

test('a store that is not sound is refused although all sums are those of its head', async (t) => {
  const { head, bytes, replica } = await prepared(t);
  const at = bytes.indexOf('ttttt', Math.floor(bytes.length / 2));
  const damaged = Buffer.from(bytes);
  damaged[at] = 0x75;
  const { createHash } = await import('node:crypto');
  const [database, ...rest] = head.files;
  assert.equal([database?.name, rest], ['skein.db', []]);
  const sha256 = createHash('sha256').update(damaged).digest('hex');
  const files: SnapshotFile[] = [{ name: 'skein.db', bytes: damaged.length, sha256 }];
  await assertRejects(receive(replica, { ...head, files }, damaged), /not sound: The point row/, SnapshotDamaged);
  assert.is(currentStore(replica).name, 'store-1');
});

test('a snapshot that does not fit on the disk is refused before it is begun', async (t) => {
  const { head, replica } = await prepared(t);
  const [file] = head.files;
  const bytes = 2 ** 52;
  const huge = inChunksOf({ ...head, bytes, files: [{ name: 'skein.db', bytes, sha256: file?.sha256 ?? '' }] }, 2 ** 20);
  await assertRejects(openIncoming(replica, huge), /needs 4503599627370496 bytes more/, StorageFull);
  assert.equal(readdirSync(replica).sort(), ['CURRENT', 'MANIFEST', 'store-1']);
});

test('two snapshots of one store share nothing, and one that is stopped or fails leaves nothing', async (t) => {
  const master = t.folder();
  const { store, story } = newMaster(master);
  t.after(() => store.close());
  story.commit(story.create('a'));
  for (let id = 0; id < 20; id++) story.commit(story.put(1, { id, vector: [id, 1, 2, 3] }));
  const [one, two] = await Promise.all([build(master), build(master)]);
  assert.is.not(one.head.id, two.head.id);
  await one.remove();
  await assertRejects(one.read(0), /ENOENT/);
  assert.is((await allBytes(two)).length, two.head.bytes);
  await assertRejects(two.read(two.head.chunks), /chunk is/);
  await two.remove();
  const stopped = new AbortController();
  const building = build(master, stopped.signal);
  stopped.abort(new Error('no longer wanted'));
  await assertRejects(building, /no longer wanted/);
  await assertRejects(build(master, stopped.signal), /no longer wanted/);
  const { databasePath } = currentStore(master);
  const { loadDriver } = await import('../../src/storage/driver.js');
  const db = new (loadDriver())(databasePath);
  db.exec('DELETE FROM vectors WHERE key IN (SELECT key FROM points LIMIT 1)');
  db.close();
  await assertRejects(build(master), /has 19 rows of vectors and notes 20 points/);
  assert.equal(readdirSync(master).sort(), ['CURRENT', 'MANIFEST', 'store-1']);
});

test('a snapshot is of one moment, whatever is written while it is made', async (t) => {
  const [master, replica] = [t.folder(), t.folder()];
  const { store, story } = newMaster(master);
  t.after(() => store.close());
  story.commit(story.create('a'));
  for (let id = 0; id < 200; id++) story.commit(story.put(1, { id, vector: [id, 1, 2, 3] }));
  let ended = false;
  const building = build(master).finally(() => (ended = true));
  let written = 0;
  while (!ended) {
    story.commit(story.put(1, { id: written % 300, vector: [written, 2, 2, 2] }));
    written += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const built = await building;
  blankReplica(replica);
  const installed = await receive(replica, built.head, await allBytes(built));
  const reads = openReader(installed.databasePath, OPTIONS);
  t.after(() => reads.close());
  assert.is(reads.state().seq, built.head.baseSeq);
  assert.ok(written > 0 && built.head.baseSeq <= store.state().seq);
  const [row] = store.logFrom(built.head.baseSeq, 1, 1);
  assert.is(Buffer.from(row?.chainHash ?? []).toString('hex'), built.head.baseHash);
});

test('at a start what nobody needs goes, and what a person put beside it stays', async (t) => {
  const { head, bytes, replica } = await prepared(t);
  await receive(replica, head, bytes);
  const again = { ...head, id: 'cd'.repeat(16) };
  const installed = await receive(replica, again, bytes);
  assert.is(installed.name, 'store-3');
  await assertRejects(removeStore(replica, 'store-3'), /the store that counts/);
  await assertRejects(removeStore(replica, '../store-1'), /not the name of a store/);
  await removeStore(replica, 'store-1');
  assert.not(existsSync(join(replica, 'store-1')));
  const own = ['store-7', 'rollback', 'quarantine', 'notes'];
  for (const name of own) mkdirSync(join(replica, name));
  writeFileSync(join(replica, 'NODE'), '{}');
  for (const name of [`outgoing-${head.id}`, `incoming-${head.id}`, 'removed-store-2']) mkdirSync(join(replica, name));
  await removeSnapshotLeftovers(replica);
  assert.equal(readdirSync(replica).sort(), ['CURRENT', 'MANIFEST', 'NODE', 'store-3', ...own].sort());
  assert.is(inspectDataFolder(replica).kind, 'data');
  assert.ok(verifyStore(replica, 'full').ok);
  await removeSnapshotLeftovers(t.folder());
});

test('a reader of the old store goes on reading over the switch', async (t) => {
  const { head, bytes, replica } = await prepared(t);
  const old = openReader(currentStore(replica).databasePath, OPTIONS);
  const installed = await receive(replica, head, bytes);
  assert.is(old.state().seq, 0);
  old.close();
  await removeStore(replica, 'store-1');
  const reads = openReader(databaseIn(installed.path), OPTIONS);
  assert.is(reads.state().seq, head.baseSeq);
  reads.close();
});

function incomingIn(dataDir: string): string[] {
  return readdirSync(dataDir).filter((name) => name.startsWith('incoming-'));
}

async function assertRejects(
  work: Promise<unknown>,
  pattern: RegExp,
  kind: new (message: string) => Error = Error,
): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, kind);
    assert.match((error as Error).message, pattern);
    return;
  }
  throw new Error(`it was not refused (${pattern})`);
}

test.run();

/** One snapshot for all that join: never two builds at once, the log kept behind it, each reader undisturbed, nothing left at the end. */

import * as assert from 'uvu/assert';
import type { BuiltSnapshot, SnapshotHead } from '../../src/engine/snapshot.js';
import { SharedSnapshot, type SnapshotLease } from '../../src/replication/shared-snapshot.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('replication/shared-snapshot');

const LONG_MS = 60_000;

/** Builds that end when the test says so. */
class Builder {
  readonly asked: { finish: (baseSeq: number) => void; fail: (error: Error) => void; signal: AbortSignal }[] = [];
  readonly removed: number[] = [];
  readonly kept: (number | null)[] = [];
  logMinSeq = 1;
  tailSeq = 5;
  readonly shared: SharedSnapshot;
  removalFails = false;

  constructor(idleMs = LONG_MS, heedsAbort = true) {
    const build = (signal: AbortSignal): Promise<BuiltSnapshot> =>
      new Promise<BuiltSnapshot>((resolve, reject) => {
        if (heedsAbort) signal.addEventListener('abort', () => reject(new Error('aborted')));
        this.asked.push({ finish: (baseSeq) => resolve(this.#built(baseSeq)), fail: reject, signal });
      });
    const parts = {
      tailSeq: () => this.tailSeq,
      build,
      continues: (baseSeq: number) => baseSeq + 1 >= this.logMinSeq,
      keepLogAfter: (baseSeq: number | null) => this.kept.push(baseSeq),
    };
    this.shared = new SharedSnapshot(parts, idleMs);
  }

  #built(baseSeq: number): BuiltSnapshot {
    return {
      head: { id: `s${baseSeq}`, baseSeq } as unknown as SnapshotHead,
      folder: '',
      unindexed: [],
      read: async () => Buffer.alloc(0),
      remove: async () => {
        this.removed.push(baseSeq);
        if (this.removalFails) throw new Error('no such right');
      },
    };
  }

  /** A lease of one that is built now. */
  async built(baseSeq: number): Promise<SnapshotLease> {
    const builds = this.asked.length;
    const lease = this.shared.acquire();
    while (this.asked.length === builds) await Promise.resolve();
    this.asked[builds]?.finish(baseSeq);
    return lease;
  }
}

test('all that ask during a build, and later, get the same one', async () => {
  const builder = new Builder();
  const asked = [builder.shared.acquire(), builder.shared.acquire()];
  builder.asked[0]?.finish(7);
  const [first, second] = await Promise.all(asked);
  assert.is(first?.snapshot, second?.snapshot);
  assert.is((await builder.shared.acquire()).snapshot, first?.snapshot);
  assert.is(builder.asked.length, 1);
  await builder.shared.close();
});

test('the log is kept from the moment a build begins, behind the snapshot while there is one, and then no more', async () => {
  const builder = new Builder();
  builder.tailSeq = 6;
  const asked = builder.shared.acquire();
  assert.equal(builder.kept, [6], 'what comes during the build belongs to who takes it');
  builder.asked[0]?.finish(7);
  await asked;
  assert.equal(builder.kept, [6, 7]);
  await builder.shared.close();
  assert.equal(builder.kept, [6, 7, null]);
  assert.equal(builder.removed, [7]);
});

test('one that the log does not go on from any more is built anew', async () => {
  const builder = new Builder();
  (await builder.built(7)).release();
  builder.logMinSeq = 8;
  (await builder.shared.acquire()).release();
  assert.is(builder.asked.length, 1, 'the boundary: seq 8 follows base 7');
  builder.logMinSeq = 9;
  assert.is((await builder.built(20)).snapshot.head.baseSeq, 20);
  assert.equal(builder.removed, [7]);
  await builder.shared.close();
});

test('nobody is given one that is older than what it has: it is built anew', async () => {
  const builder = new Builder();
  (await builder.built(7)).release();
  (await builder.shared.acquire(7)).release();
  assert.is(builder.asked.length, 1, 'the boundary: nothing is lost at the base itself');
  const anew = builder.shared.acquire(8);
  while (builder.asked.length === 1) await Promise.resolve();
  builder.asked[1]?.finish(9);
  assert.is((await anew).snapshot.head.baseSeq, 9);
  assert.equal(builder.removed, [7]);
  await builder.shared.close();
});

test('who has more than a build that is under way gets the next one; the others get what they asked for', async () => {
  const builder = new Builder();
  builder.tailSeq = 5;
  const joins = builder.shared.acquire();
  builder.tailSeq = 20;
  const [first, second] = [builder.shared.acquire(20), builder.shared.acquire(12)];
  builder.asked[0]?.finish(6);
  const joined = await joins;
  assert.is(joined.snapshot.head.baseSeq, 6);
  while (builder.asked.length === 1) await Promise.resolve();
  assert.equal(builder.removed, [], 'it is still read');
  builder.asked[1]?.finish(21);
  assert.equal([(await first).snapshot.head.baseSeq, (await second).snapshot.head.baseSeq], [21, 21]);
  assert.is(builder.asked.length, 2);
  joined.release();
  assert.equal(builder.removed, [6]);
  await builder.shared.close();
});

test('one that was replaced stays until its last reader has ended', async () => {
  const builder = new Builder();
  const [first, second] = [await builder.built(7), await builder.shared.acquire()];
  builder.logMinSeq = 9;
  const anew = await builder.built(20);
  assert.equal(builder.removed, [], 'two still read it');
  first.release();
  first.release();
  assert.equal(builder.removed, [], 'one still reads it, and nobody ends twice');
  second.release();
  assert.equal(builder.removed, [7]);
  anew.release();
  assert.equal(builder.removed, [7], 'the one that counts stays for the next');
  await builder.shared.close();
});

test('one that nobody reads goes after the idle time; whoever asks before begins the time anew', async () => {
  const builder = new Builder(30);
  const first = await builder.built(7);
  first.release();
  const second = await builder.shared.acquire();
  assert.is(second.snapshot, first.snapshot);
  second.release();
  await waitUntil(() => builder.removed.length > 0, { what: 'the removal' });
  assert.equal(builder.removed, [7]);
  assert.is(builder.kept.at(-1), null);
  assert.is((await builder.built(9)).snapshot.head.baseSeq, 9);
  await builder.shared.close();
});

test('a build that fails fails all that wait for it, keeps no log, and the next asks again', async () => {
  const builder = new Builder();
  const asked = [builder.shared.acquire(), builder.shared.acquire()].map((one) => one.catch((error: Error) => error.message));
  builder.asked[0]?.fail(new Error('no room'));
  assert.equal(await Promise.all(asked), ['no room', 'no room']);
  assert.is(builder.kept.at(-1), null);
  assert.is((await builder.built(3)).snapshot.head.baseSeq, 3);
  assert.is(builder.asked.length, 2);
  await builder.shared.close();
});

test('closing ends a build that runs', async () => {
  const builder = new Builder();
  const asked = builder.shared.acquire().catch((error: Error) => error.message);
  await builder.shared.close();
  assert.is(await asked, 'aborted');
  assert.ok(builder.asked[0]?.signal.aborted);
  assert.equal(builder.removed, []);
});

test('a build that ends well although it was to stop is removed, and given to nobody; nor is one begun afterwards', async () => {
  const builder = new Builder(LONG_MS, false);
  const asked = builder.shared.acquire().catch((error: Error) => error.message);
  const closed = builder.shared.close();
  builder.asked[0]?.finish(7);
  await closed;
  assert.is(await asked, 'no snapshot is given any more');
  assert.equal(builder.removed, [7]);
  assert.is(builder.kept.at(-1), null);
  assert.is(await builder.shared.acquire().catch((error: Error) => error.message), 'no snapshot is given any more');
  assert.is(builder.asked.length, 1);
});

test('closing removes what is still read', async () => {
  const builder = new Builder();
  const lease = await builder.built(7);
  await builder.shared.close();
  assert.equal(builder.removed, [7]);
  lease.release();
});

test('files that cannot be removed end nothing', async () => {
  const builder = new Builder(1);
  builder.removalFails = true;
  const idle = await builder.built(7);
  idle.release();
  await waitUntil(() => builder.removed.length === 1, { what: 'the removal after a while' });
  builder.logMinSeq = 100;
  const outdated = await builder.built(8);
  const newer = await builder.built(120);
  outdated.release();
  await builder.shared.close();
  assert.equal(builder.removed, [7, 8, 120]);
  newer.release();
});

test.run();

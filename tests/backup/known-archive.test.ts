/** What is known of an archive while it is read and changed at the same time. */

import * as assert from 'uvu/assert';
import { KnownArchive } from '../../src/backup/known-archive.js';
import { systemClock } from '../../src/model/clock.js';
import { backedUp } from '../support/backups.js';
import { BreakableTarget } from '../support/broken-target.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('backup/known-archive', { deadlineMs: 60_000 });

/** A target whose listings are held back at their end until they are let go. */
class SlowTarget extends BreakableTarget {
  readonly #held: (() => void)[] = [];
  slow = false;

  override async *list(prefix: string) {
    const found = [];
    for await (const object of super.list(prefix)) found.push(object);
    if (this.slow) await new Promise<void>((resolve) => this.#held.push(resolve));
    yield* found;
  }

  get holds(): number {
    return this.#held.length;
  }

  letGo(): void {
    this.#held.shift()?.();
  }
}

async function known(t: TestContext) {
  const made = await backedUp(t);
  await made.create('c', 2);
  await made.put('c', [{ id: 1, vector: [1, 0] }]);
  const target = new SlowTarget(made.target);
  const archive = new KnownArchive({ target, clock: systemClock });
  const { log } = made.engine;
  const shown = (): string[] => (archive.shown?.backups ?? []).map(({ id }) => id);
  /** A listing that has seen all there is, and is not told yet. */
  const beginRead = async () => {
    target.slow = true;
    const reading = archive.read(log);
    while (target.holds === 0) await new Promise((resolve) => setImmediate(resolve));
    target.slow = false;
    return { reading };
  };
  return { made, target, archive, log, shown, beginRead };
}

test('a list that began before a removal does not bring back what is gone', async (t) => {
  const { made, target, archive, log, shown, beginRead } = await known(t);
  const [first, second] = [await made.full(), await made.full()];
  await archive.read(log);
  const { reading } = await beginRead();
  await archive.of(log).remove(first.id);
  archive.lost(first.id);
  target.letGo();
  const told = await reading;
  assert.equal(
    told.backups.map(({ id }) => id),
    [second.id, first.id],
    'it was there when that was asked',
  );
  assert.equal(shown(), [second.id]);
  assert.equal((await archive.known(log)).backups.length, 1);
});

test('a list that began before a backup was stored does not take it away', async (t) => {
  const { made, target, archive, log, shown, beginRead } = await known(t);
  const first = await made.full();
  await archive.read(log);
  const { reading } = await beginRead();
  const second = await made.full();
  archive.took(second);
  target.letGo();
  await reading;
  assert.equal(shown(), [second.id, first.id]);
  await archive.read(log);
  assert.equal(shown(), [second.id, first.id]);
});

test('a list beside which nothing was changed is what is known', async (t) => {
  const { made, target, archive, log, shown, beginRead } = await known(t);
  await archive.read(log);
  const first = await made.full();
  const { reading } = await beginRead();
  target.letGo();
  await reading;
  assert.equal(shown(), [first.id]);
});

test.run();

/** A snapshot on its way in: one step after the other, and what fails in one download is no part of the next. */

import * as assert from 'uvu/assert';
import type { IncomingSnapshot, SnapshotHead } from '../../src/engine/snapshot.js';
import { SnapshotIntake } from '../../src/replication/snapshot-intake.js';
import { CHUNK_BYTES, headOf } from '../support/snapshots.js';
import { suite } from '../support/suite.js';

const test = suite('replication/snapshot-intake');

/** A disk that notes what happens on it and may be full. */
class Disk {
  readonly done: string[] = [];
  nowMs = 0;
  full = false;
  /** What opening waits for. */
  gate: Promise<void> = Promise.resolve();
  readonly intake = new SnapshotIntake({
    nowMs: () => this.nowMs,
    openIncoming: async (head) => {
      await this.gate;
      this.done.push(`open ${head.id[0]}`);
      return this.#incoming(head);
    },
    discardIncoming: async () => {
      if (this.full) throw new Error('the disk is full');
      this.done.push('discard');
    },
    install: async (_, head) => void this.done.push(`install ${head.id[0]}`),
  });

  #incoming(head: SnapshotHead): IncomingSnapshot {
    let nextChunk = 0;
    const write = async (chunk: number): Promise<void> => {
      if (this.full) throw new Error('the disk is full');
      if (chunk !== nextChunk) throw new RangeError(`chunk ${chunk} is not the next`);
      nextChunk += 1;
      this.done.push(`write ${head.id[0]}${chunk}`);
    };
    return {
      get nextChunk() {
        return nextChunk;
      },
      get bytes() {
        return nextChunk * CHUNK_BYTES;
      },
      write,
    } as unknown as IncomingSnapshot;
  }

  write(number: number): Promise<void> {
    return this.intake.write(number, Buffer.alloc(CHUNK_BYTES));
  }
}

const said = (step: Promise<unknown>): Promise<string> =>
  step.then(
    () => 'done',
    (error: Error) => error.message,
  );

test('chunks are written in order and then installed, however early each is asked for', async () => {
  const disk = new Disk();
  assert.equal(await disk.intake.begin(headOf('a')), { head: headOf('a'), nextChunk: 0 });
  await Promise.all([disk.write(0), disk.write(1), disk.intake.install()]);
  assert.equal(disk.done, ['open a', 'write a0', 'write a1', 'install a']);
});

test('a write that fails is told, installs nothing, and does not spoil the next download', async () => {
  const disk = new Disk();
  await disk.intake.begin(headOf('a'));
  disk.full = true;
  const steps = [disk.write(0), disk.write(1), disk.intake.install()].map(said);
  assert.equal(await Promise.all(steps), [
    'the disk is full',
    'the disk is full',
    'a snapshot that is not whole cannot be installed',
  ]);
  disk.full = false;
  disk.intake.end();
  await disk.intake.begin(headOf('b'));
  await Promise.all([disk.write(0), disk.write(1), disk.intake.install()]);
  assert.equal(disk.done, ['open a', 'open b', 'write b0', 'write b1', 'install b']);
});

test('what was still to be done for a link that ended is not done for the next one', async () => {
  const disk = new Disk();
  await disk.intake.begin(headOf('a'));
  const late = [disk.write(0), disk.write(1), disk.intake.install()];
  disk.intake.end();
  await disk.intake.begin(headOf('b'));
  await Promise.all(late);
  await disk.write(0);
  assert.equal(disk.done, ['open a', 'open b', 'write b0']);
});

test('two links one after the other: the second begins when the steps of the first are over', async () => {
  const disk = new Disk();
  let open = (): void => {};
  disk.gate = new Promise((resolve) => {
    open = resolve;
  });
  const first = disk.intake.begin(headOf('a'));
  disk.intake.end();
  const second = disk.intake.begin(headOf('b'));
  open();
  await Promise.all([first, second]);
  assert.equal(disk.done, ['open a', 'open b']);
  assert.is(disk.intake.head?.id, headOf('b').id);
});

test('a head that cannot be is refused before the disk is touched', async () => {
  const disk = new Disk();
  assert.is.not(await said(disk.intake.begin({ ...headOf('a'), bytes: -1 })), 'done');
  assert.is.not(await said(disk.intake.begin(null)), 'done');
  assert.equal(disk.done, []);
  assert.is(disk.intake.head, null);
});

test('progress is known while it comes, and when it will be there once something came', async () => {
  const disk = new Disk();
  assert.is(disk.intake.progress(), null);
  await disk.intake.begin(headOf('a', 4));
  assert.equal(disk.intake.progress(), { bytes: 0, bytesTotal: 40, etaMs: null });
  await disk.write(0);
  disk.nowMs = 1_000;
  assert.equal(disk.intake.progress(), { bytes: 10, bytesTotal: 40, etaMs: 3_000 });
  disk.intake.end();
  assert.is(disk.intake.progress(), null);
});

test('what is dropped goes when what came before is done, and a disk that fails then is no failure of the link', async () => {
  const disk = new Disk();
  await disk.intake.begin(headOf('a'));
  void disk.write(0);
  assert.is(await said(disk.intake.drop()), 'done');
  assert.equal(disk.done, ['open a', 'write a0', 'discard']);
  disk.full = true;
  assert.is(await said(disk.intake.drop()), 'done');
  disk.full = false;
  await disk.intake.begin(headOf('b'));
  assert.equal(disk.done.at(-1), 'open b');
});

test.run();

/** What a replica checks of a batch before it applies anything: every cut of a sound log gives the same units; anything else is refused
 *  with its reason. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { chainHash } from '../../src/codec/digest.js';
import { encodeEntry } from '../../src/codec/entry.js';
import type { EntryBatch } from '../../src/engine/engine.js';
import { ApplyRefused, EntryIntake } from '../../src/engine/entry-intake.js';
import type { Entry } from '../../src/model/entry.js';
import type { StoreState } from '../../src/storage/storage.js';
import { suite } from '../support/suite.js';

const test = suite('engine/entry-intake');
const DIGEST = new Uint8Array(16);
const START = { seq: 0, epoch: 1, chainHash: new Uint8Array(32) } as StoreState;
const HISTORY = { kind: 'begin_history', historyId: 'ab'.repeat(16), nodeId: 'cd'.repeat(16) } as const;

function entryOf(seq: number, change: Partial<Entry> = {}): Entry {
  const last = change.last ?? true;
  const digest = last ? DIGEST : null;
  return { seq, epoch: 1, firstSeq: seq, last, timeMs: 1, trace: null, digest, effect: { kind: 'noop' }, ...change };
}

/** Units of one to three entries, `sizes` one behind the other. */
function logOf(sizes: readonly number[]): Entry[] {
  const entries: Entry[] = [];
  for (const size of sizes) {
    const firstSeq = entries.length + 1;
    for (let i = 0; i < size; i++) entries.push(entryOf(firstSeq + i, { firstSeq, last: i === size - 1 }));
  }
  return entries;
}

/** The bytes of entries with the hash behind them, which continues `before`. */
function batchOf(entries: readonly Entry[], before: Uint8Array = START.chainHash): EntryBatch {
  const bytes = entries.map(encodeEntry);
  const hash = bytes.reduce<Uint8Array>((so, each) => chainHash(so, each), before);
  return { firstSeq: entries[0]?.seq ?? 1, entries: bytes, chainHash: hash };
}

function refusalOf(...batches: readonly EntryBatch[]): string {
  const intake = new EntryIntake();
  intake.begin(1);
  for (const batch of batches) intake.take(1, batch);
  try {
    intake.group(START);
  } catch (error) {
    if (!(error instanceof ApplyRefused)) throw error;
    return `${error.failure.reason} ${error.failure.seq}`;
  }
  return 'nothing was refused';
}

test('however a log is cut and repeated, whole units come out once each and in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(3), fc.boolean()), { minLength: 1, maxLength: 9 }),
      (sizes, cuts) => {
        const log = logOf(sizes);
        const hashes = [START.chainHash];
        for (const entry of log) hashes.push(chainHash(hashes.at(-1) as Uint8Array, encodeEntry(entry)));
        const intake = new EntryIntake();
        intake.begin(1);
        const seen: number[] = [];
        const drain = (): void => {
          for (let group = intake.group(START); group.length > 0; group = intake.group(START)) {
            assert.ok(group.at(-1)?.entry.last);
            seen.push(...group.map(({ entry }) => entry.seq));
            intake.done();
          }
        };
        for (let at = 0, turn = 0; at < log.length; turn++) {
          const [count, back, look] = cuts[turn % cuts.length] as [number, number, boolean];
          const from = Math.max(0, at - back);
          intake.take(1, batchOf(log.slice(from, at + count), hashes[from]));
          at += count;
          if (look) drain();
        }
        drain();
        assert.equal(
          seen,
          log.map(({ seq }) => seq),
        );
        assert.is(intake.heldBytes, 0);
      },
    ),
  );
});

test('each kind of fault has its reason and its place', () => {
  const two = batchOf(logOf([1, 1]));
  assert.is(refusalOf(batchOf([entryOf(2)])), 'gap 2');
  assert.is(refusalOf(batchOf([entryOf(1), entryOf(3)])), 'gap 2');
  assert.is(refusalOf(batchOf([entryOf(1, { epoch: 0 })])), 'epoch 1');
  assert.is(refusalOf({ ...two, chainHash: new Uint8Array(32) }), 'chain 2');
  assert.is(refusalOf(batchOf([entryOf(1, { epoch: 2 })])), 'effect 1');
  assert.is(refusalOf(batchOf([entryOf(1, { effect: HISTORY })])), 'effect 1');
  assert.is(
    refusalOf(batchOf([entryOf(1, { last: false }), entryOf(2, { firstSeq: 1, epoch: 2, effect: HISTORY })])),
    'effect 2',
  );
  assert.is(refusalOf(batchOf([entryOf(1, { firstSeq: 2 })])), 'format 1');
  assert.is(refusalOf(batchOf([entryOf(1, { digest: null })])), 'format 1');
  assert.is(refusalOf(batchOf([entryOf(1, { last: false }), entryOf(2)])), 'format 2');
  const cut = { ...two, entries: two.entries.map((bytes) => bytes.subarray(0, bytes.length - 1)) };
  assert.is(refusalOf(cut), 'format 1');
  assert.is(
    refusalOf(batchOf([entryOf(1), entryOf(2, { epoch: 3, effect: HISTORY }), entryOf(3, { epoch: 3 })])),
    'nothing was refused',
  );
});

test('a session that failed takes nothing more, and neither does an earlier one', () => {
  const intake = new EntryIntake();
  intake.begin(7);
  intake.take(6, batchOf(logOf([1])));
  assert.not(intake.hasWork);
  intake.take(7, batchOf(logOf([1])));
  assert.ok(intake.hasWork && intake.heldBytes > 0);
  assert.equal(intake.fail(), { session: 7 });
  intake.take(7, batchOf(logOf([1])));
  assert.not(intake.hasWork);
  assert.is(intake.heldBytes, 0);
  intake.begin(8);
  intake.take(8, batchOf(logOf([1])));
  assert.is(intake.group(START).length, 1);
});

test('a unit without its end holds no room, so that its end can come', () => {
  const intake = new EntryIntake();
  intake.begin(1);
  const [first, ...rest] = logOf([3]);
  const head = batchOf([first as Entry]);
  intake.take(1, head);
  assert.ok(intake.heldBytes > 0);
  assert.equal(intake.group(START), []);
  assert.is(intake.heldBytes, 0);
  intake.take(1, batchOf(rest, head.chainHash));
  assert.is(intake.group(START).length, 3);
});

test.run();

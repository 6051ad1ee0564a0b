/** The disk watch: what it refuses and when it heals. A read-only folder is tests/faults/read-only-folder.test.ts. */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { DiskWatch } from '../../src/engine/disk-watch.js';
import type { Log } from '../../src/model/log.js';
import { suite } from '../support/suite.js';

const test = suite('engine/disk-watch');

function listening(): { log: Log; events: string[] } {
  const events: string[] = [];
  const note = (event: string): void => void events.push(event);
  return { log: { debug: note, info: note, warn: note, error: note }, events };
}

test('below the watermark a write is refused with what is free and what is needed', async (t) => {
  const watch = new DiskWatch(t.folder(), Number.MAX_SAFE_INTEGER, listening().log);
  watch.admit(false);
  await watch.look();
  assert.ok(watch.full);
  assert.throws(
    () => watch.admit(false),
    (error: { type: string; details: Record<string, unknown> }) =>
      error.type === 'DiskLimitExceeded' &&
      error.details['free_bytes'] === watch.freeBytes &&
      error.details['needed_bytes'] === Number.MAX_SAFE_INTEGER,
  );
});

test('what only gives space back is taken down to a quarter of the watermark', async (t) => {
  const folder = t.folder();
  const probe = new DiskWatch(folder, 0, listening().log);
  await probe.look();
  for (const [share, frees, refused] of [
    [2, false, true],
    [2, true, false],
    [8, true, true],
  ] as const) {
    const watch = new DiskWatch(folder, probe.freeBytes * share, listening().log);
    await watch.look();
    let failed = false;
    try {
      watch.admit(frees);
    } catch {
      failed = true;
    }
    assert.is(failed, refused, `${share} times what is free, ${frees ? 'a delete' : 'an upsert'}`);
  }
});

test('a disk that a commit found full is full until a commit goes through or the next look finds plenty of room', async (t) => {
  const { log, events } = listening();
  const watch = new DiskWatch(t.folder(), 0, log);
  watch.noteFull(true);
  watch.noteFull(true);
  assert.ok(watch.full);
  watch.admit(false);
  watch.noteFull(false);
  assert.not(watch.full);
  watch.noteFull(true);
  await watch.look();
  assert.not(watch.full);
  assert.equal(events, ['disk_full', 'disk_has_room_again', 'disk_full', 'disk_has_room_again']);
});

test('a look that fails leaves the picture as it was', async (t) => {
  const { log, events } = listening();
  const folder = join(t.folder(), 'data');
  mkdirSync(folder);
  const watch = new DiskWatch(folder, 0, log);
  await watch.look();
  const { freeBytes } = watch;
  rmSync(folder, { recursive: true });
  await watch.look();
  assert.equal([watch.freeBytes, watch.readOnly], [freeBytes, false]);
  watch.admit(false);
  assert.equal(events, ['disk_not_readable']);
});

test.run();

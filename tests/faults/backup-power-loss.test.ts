/** Power loss at every moment while objects are put into a folder, replaced and removed, replayed from a trace: what is there is whole, what
 *  was said to be done is done, and opening the folder clears away the rest. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { openFolderTarget } from '../../src/backup/folder-target.js';
import { systemClock } from '../../src/model/clock.js';
import { collected } from '../support/backup-targets.js';
import { Disk, readTrace, TRACED_CALLS } from '../support/power-loss.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { contentOf, KEPT_KEYS } from './kept-objects.js';

const test = suite('faults/backup-power-loss', { deadlineMs: 300_000 });
const CHILD = fileURLToPath(new URL('./keeping-child.js', import.meta.url));
const ROUNDS = 7;

/** One that was said to be done; round null: removed. */
interface Done {
  readonly key: string;
  readonly round: number | null;
  readonly atMs: number;
}

/** Every version that a key may have: that of the last step that was done, or of any later one. */
async function judge(folder: string, done: readonly Done[], atMs: number): Promise<void> {
  const target = await openFolderTarget({ folder, writer: 'node-1', stallMs: 30_000, clock: systemClock });
  const found = new Map<string, Buffer>();
  for await (const { key, bytes } of target.list('')) {
    found.set(key, await collected(target.get(key)));
    assert.is(bytes, found.get(key)?.length);
  }
  assert.equal(readdirSync(join(folder, '.partial')), []);
  for (const key of found.keys())
    assert.ok(
      KEPT_KEYS.some((known) => known === key),
      key,
    );
  for (const key of KEPT_KEYS) {
    const steps = done.filter((step) => step.key === key);
    const last = steps.findLastIndex((step) => step.atMs < atMs);
    const allowed = [...steps.slice(Math.max(0, last)).map(({ round }) => round), ...(last < 0 ? [null] : [])];
    const content = found.get(key);
    const matches = allowed.some((round) =>
      round === null ? content === undefined : content?.equals(contentOf(key, round)) === true,
    );
    assert.ok(
      matches,
      `${key}: ${content === undefined ? 'nothing' : `${content.length} bytes`}, allowed are the rounds ${allowed.join(', ')}`,
    );
  }
}

test('power loss at any moment leaves whole objects, and what was done', async (t) => {
  const root = t.folder();
  const folder = join(root, 'kept');
  const trace = join(root, 'trace');
  mkdirSync(folder);
  const strace = ['-f', '-ttt', '-y', '-xx', '-s', '300000', '-o', trace, '-e', `trace=${TRACED_CALLS}`, '-e', 'signal=none'];
  const { stdout, stderr, status } = spawnSync('strace', [...strace, process.execPath, CHILD, folder, String(ROUNDS)], {
    encoding: 'utf8',
  });
  assert.is(status, 0, stderr);
  const done = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Done);
  const events = readTrace(readFileSync(trace, 'latin1'), folder);
  const syncs = events.filter(({ call }) => call === 'fsync').length;
  assert.ok(
    done.length > 20 && syncs > 0 && events.length > 100,
    `${done.length} steps, ${syncs} syncs of ${events.length} events`,
  );

  const random = new Random(t.seed());
  const keeps = { 'nothing unsynced': () => false, everything: () => true, 'a random half': () => random.boolean() };
  const disk = new Disk();
  for (let i = 0; i <= events.length; i++) {
    for (const [what, keep] of Object.entries(keeps)) {
      const left = join(root, 'left');
      disk.leave(left, keep);
      try {
        await judge(left, done, events[i]?.atMs ?? Number.POSITIVE_INFINITY);
      } catch (error) {
        throw new Error(`power loss before event ${i} (${events[i]?.call} ${events[i]?.path}), with ${what} kept`, {
          cause: error,
        });
      }
      rmSync(left, { recursive: true });
    }
    const event = events[i];
    if (event !== undefined) disk.apply(event);
  }
});

test.run();

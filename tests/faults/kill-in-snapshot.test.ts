/** SIGKILL at every step of building, receiving and switching to a snapshot: the next start has the complete old store or the complete new one,
 *  the download goes on, and at the end the replica has what the master had. */

import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { removeSnapshotLeftovers, type SnapshotHead } from '../../src/engine/snapshot.js';
import type { Failpoint } from '../../src/model/failpoint.js';
import { openReader } from '../../src/storage/open-store.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { OPTIONS } from '../storage/story.js';
import { allBytes, blankReplica, build, currentStore, inChunksOf, liveContent, newMaster } from '../support/snapshots.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('faults/kill-in-snapshot', { deadlineMs: 600_000 });
const INSTALLING = fileURLToPath(new URL('./installing-child.js', import.meta.url));
const BUILDING = fileURLToPath(new URL('./building-child.js', import.meta.url));
const CALLS_MAX = 400;
const PLACES: readonly Failpoint[] = [
  'snapshot.chunk_written',
  'snapshot.before_verify',
  'snapshot.after_verify',
  'switch.before_rename',
  'switch.after_rename',
  'switch.after_current',
  'switch.after_manifest',
];

interface Source {
  readonly path: string;
  readonly head: SnapshotHead;
  readonly master: string;
}

async function prepared(t: TestContext): Promise<Source> {
  const [master, path] = [t.folder(), t.folder()];
  const { store, story } = newMaster(master);
  story.commit(story.create('a'));
  for (let id = 0; id < 40; id++)
    story.commit(story.put(1, { id, vector: [id, 1, 2, 3], payload: `{"text":"${'t'.repeat(500)}"}` }));
  const built = await build(master);
  const head = inChunksOf(built.head, 2 ** 16);
  writeFileSync(join(path, 'bytes'), await allBytes(built));
  writeFileSync(join(path, 'head.json'), JSON.stringify(head));
  await built.remove();
  store.close();
  return { path, head, master };
}

/** @returns whether it came to its end */
function install(dataDir: string, source: string, failpoint: string, before: readonly string[] = []): boolean {
  const [command, ...rest] = [...before, process.execPath, INSTALLING, dataDir, source, failpoint];
  const { status, signal, stderr, error } = spawnSync(command as string, rest, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${command} cannot be started; install its package (${error.message})`);
  // The kill may hit the process that verifies.
  if (signal === 'SIGKILL' || /ended with signal SIGKILL/.test(stderr)) return false;
  // What was complete but for the switch has the node's id already: that download is told from the master's, and begins anew.
  if (/SnapshotDamaged: skein\.db has another SHA-256/.test(stderr)) return install(dataDir, source, failpoint, before);
  assert.is(status, 0, stderr);
  return true;
}

async function checkFolder(dataDir: string, source: Source): Promise<'old' | 'new'> {
  assert.equal(verifyStore(dataDir, 'full').findings, []);
  await removeSnapshotLeftovers(dataDir);
  assert.equal(verifyStore(dataDir, 'full').findings, []);
  const { databasePath } = currentStore(dataDir);
  const reads = openReader(databasePath, OPTIONS);
  const { seq } = reads.state();
  reads.close();
  if (seq === 0) return 'old';
  assert.equal(liveContent(databasePath), liveContent(currentStore(source.master).databasePath));
  return 'new';
}

test('SIGKILL at each place leaves the old store or the new one, and the next try comes to the end', async (t) => {
  const source = await prepared(t);
  for (const place of PLACES) {
    const dataDir = t.folder();
    blankReplica(dataDir);
    assert.not(install(dataDir, source.path, place), `${place} was not reached`);
    const found = await checkFolder(dataDir, source);
    assert.is(found, place === 'switch.after_current' || place === 'switch.after_manifest' ? 'new' : 'old', place);
    if (found === 'new') continue;
    assert.ok(install(dataDir, source.path, ''));
    assert.is(await checkFolder(dataDir, source), 'new');
  }
});

for (const call of ['rename', 'fsync', 'unlink,rmdir', 'pwrite64']) {
  test(`SIGKILL at each ${call} of the receiver leaves the old store or the new one`, async (t) => {
    const source = await prepared(t);
    const blank = t.folder();
    blankReplica(blank);
    const found = { old: 0, new: 0 };
    for (let when = 1; when <= CALLS_MAX; when++) {
      const dataDir = t.folder();
      cpSync(blank, dataDir, { recursive: true });
      const strace = ['strace', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${when}`];
      if (install(dataDir, source.path, '', ['env', 'UV_THREADPOOL_SIZE=1', ...strace, '-f'])) {
        console.log(`${call}: ${when - 1} kills, ${found.old} times the old store, ${found.new} times the new one`);
        return;
      }
      found[await checkFolder(dataDir, source)] += 1;
    }
    throw new Error(`more than ${CALLS_MAX} calls`);
  });
}

test('a master that is killed while it builds has nothing of it after its next start', async (t) => {
  const { master } = await prepared(t);
  const { signal } = spawnSync(process.execPath, [BUILDING, master]);
  assert.is(signal, 'SIGKILL');
  assert.ok(readdirSync(master).some((name) => name.startsWith('outgoing-')));
  await removeSnapshotLeftovers(master);
  assert.equal(readdirSync(master).sort(), ['CURRENT', 'MANIFEST', 'store-1']);
  assert.ok(verifyStore(master, 'full').ok);
});

test.run();

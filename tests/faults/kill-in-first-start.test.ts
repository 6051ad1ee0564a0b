/** The making of a data folder is cut off at each of its system calls in turn: what is left is either a whole folder or one that may be
 *  made anew, never something that asks for a person. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { createDataFolder, inspectDataFolder } from '../../src/storage/data-folder.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { TEST_CACHE, TEST_STORE } from '../support/open-test-store.js';
import { suite } from '../support/suite.js';

const test = suite('faults/kill-in-first-start', { deadlineMs: 600_000 });
const CHILD = fileURLToPath(new URL('./making-child.js', import.meta.url));
const CALLS_MAX = 200;
const MAKING = 'making-store-1';
const NAMES = ['LOCK', 'MANIFEST', 'MANIFEST.new', 'CURRENT', 'CURRENT.new', 'store-1', MAKING];
const DATABASE = ['', '-wal', '-shm', '-journal'].map((ending) => `${MAKING}/skein.db${ending}`);

/** @returns whether the child came to its end */
function makeUnder(dataDir: string, call: string, when: number): boolean {
  const paths = ['', ...NAMES, ...DATABASE].flatMap((name) => ['-P', join(dataDir, name)]);
  const options = ['-f', '-o', '/dev/null', ...paths, '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${when}`];
  const { status, signal, stderr, error } = spawnSync('strace', [...options, process.execPath, CHILD, dataDir], {
    encoding: 'utf8',
  });
  if (error !== undefined) throw new Error(`strace cannot be started; install the package strace (${error.message})`);
  if (signal === 'SIGKILL') return false;
  assert.is(status, 0, stderr);
  return true;
}

for (const call of ['mkdir', 'openat', 'pwrite64', 'write', 'fsync,fdatasync', 'ftruncate', 'rename', 'unlink']) {
  test(`SIGKILL at each ${call} while a data folder is made leaves it whole or to be made anew`, (t) => {
    const root = t.folder();
    const found = new Map<string, number>();
    for (let when = 1; when <= CALLS_MAX; when++) {
      const dataDir = join(root, String(when));
      if (makeUnder(dataDir, call, when)) {
        console.log(
          `${call}: ${when - 1} kills, folders left: ${[...found].map(([kind, count]) => `${kind} ${count}`).join(', ')}`,
        );
        return;
      }
      const { kind } = inspectDataFolder(dataDir);
      found.set(kind, (found.get(kind) ?? 0) + 1);
      assert.ok(['fresh', 'half_made', 'data'].includes(kind), `after ${call} ${when} the folder is ${kind}`);
      if (kind !== 'data') {
        assert.not(existsSync(join(dataDir, 'store-1')));
        createDataFolder(dataDir, TEST_STORE, { role: 'master', bootId: 'again' }, TEST_CACHE);
      }
      assert.equal(verifyStore(dataDir, 'full').findings, []);
    }
    throw new Error(`more than ${CALLS_MAX} calls`);
  });
}

test.run();

/** Every program of docs/examples runs to its end against running nodes, and says what it is there to show. */

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { startCluster } from '../support/cluster.js';
import { suite } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';

const test = suite('scenarios/examples', { deadlineMs: 90_000 });
const run = promisify(execFile);
const FOLDER = join(projectFolder, 'docs', 'examples');
const EXAMPLE_MS = 30_000;

/** What each says, in its order. */
const SAID: Readonly<Record<string, readonly RegExp[]>> = {
  'quick-start.mjs': [/^apple 0\.9\d+/m, /^cherry /m, /these are the nearest/, /name: 'banana'/],
  'filters.mjs': [/^60 homes match$/m, /plan: \w+/, /by city: \[ \{ value: '(?:Lyon|Porto)', count: 30 \}/, /^60 deleted$/m],
  'hybrid.mjs': [
    /by words \(text\): [12]/,
    /by vector \((?:exact|vector)\): 1 2 3/,
    /by both \(hybrid\): /,
    /by both, weighted \(hybrid\): 1/,
  ],
  'errors.mjs': [
    ...[/the version is \d+, not 0/, /CollectionNotFound 404 may be tried again: false request: true/],
    ...[/no answer: Skein(?:Connection|Timeout)Error/, /given up: the user went away/],
  ],
  'scroll.mjs': [/sum of the even ones: 1561250/, /^3 pages$/m],
  'import.mjs': [/100 %: 4999 imported/, /line 778 was refused: DimensionMismatch/, /^4999 points$/m],
  'changes.mjs': [/^upsert 1 \{ state: 'new' \}$/m, /^upsert 1 \{ state: 'paid' \}$/m, /after a restart/, /^delete 1/m],
  'sessions.mjs': [/^\d+ has written$/m, /^\d+ reads: paid$/m],
  'backups.mjs': [/made: full up to \d+/, /it can be restored: true/, /would give up: [1-9]/, /^true true$/m],
  // Last: another node is the master then.
  'failover.mjs': [/master/, /another node is the master now/, /40 points, none lost, none twice/, /every node has them/],
};

test('every example runs, and every program of the folder is one', async (t) => {
  assert.equal(
    readdirSync(FOLDER)
      .filter((name) => name.endsWith('.mjs'))
      .sort(),
    Object.keys(SAID).sort(),
  );
  const index = readFileSync(join(FOLDER, 'README.md'), 'utf8');
  const flags = ['--backup-folder', join(t.folder(), 'backups'), '--backup-every-operations', '0', '--backup-interval-ms', '0'];
  const { master, replicas } = await startCluster(t, { replicas: 1, flags });
  const replicaUrl = replicas[0]?.url ?? '';
  const env = {
    ...process.env,
    SKEIN_URL: master.url,
    SKEIN_REPLICA_URL: replicaUrl,
    SKEIN_NODES: `${replicaUrl},${master.url}`,
  };
  for (const [name, said] of Object.entries(SAID)) {
    assert.match(index, `(${name})`);
    const { stdout, stderr } = await run(process.execPath, [join(FOLDER, name)], { env, timeout: EXAMPLE_MS });
    assert.is(stderr, '', name);
    let from = 0;
    for (const expected of said) {
      const found = expected.exec(stdout.slice(from));
      assert.ok(found !== null, `${name}: ${expected} in\n${stdout.slice(from)}`);
      from += found?.index ?? 0;
    }
  }
});

test.run();

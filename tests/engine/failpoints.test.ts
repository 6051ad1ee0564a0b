/** An engine that is killed at each of its failpoints: what was acknowledged is there afterwards, whole units only, and it goes on. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { armTestHooks, dropsNextChange } from '../../src/model/test-hooks.js';
import { openReader } from '../../src/storage/open-store.js';
import { assertSameContent, batchOf, follow, logOf, refusal } from '../support/follow-log.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { checkDigests, TEST_CACHE } from '../support/open-test-store.js';
import { suite } from '../support/suite.js';

const test = suite('engine/failpoints', { deadlineMs: 120_000 });
const CHILD = fileURLToPath(new URL('./killed-child.js', import.meta.url));

function run(failpoint: string, ...words: readonly string[]): { signal: string | null; status: number | null; acked: number[] } {
  const env = { ...process.env, SKEIN_TEST_FAIL: failpoint };
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, [CHILD, ...words], { env, encoding: 'utf8' });
  assert.is(stderr, '');
  return {
    signal,
    status,
    acked: stdout
      .split('\n')
      .filter((line) => line !== '')
      .map(Number),
  };
}

for (const name of ['commit.before_begin', 'commit.before_commit', 'commit.after_commit', 'commit.after_manifest']) {
  test(`a master killed at ${name} has every write that it acknowledged, and goes on`, (t) => {
    const folder = t.folder();
    const killed = run(`${name}:4`, folder, 'master');
    assert.is(killed.signal, 'SIGKILL');
    const reads = openReader(`${folder}/store-1/skein.db`, TEST_CACHE);
    for (const id of killed.acked) assert.ok(reads.pointById(1, id), `point ${id}`);
    const units = reads.aliases().map((alias) => alias.name);
    assert.equal(
      units,
      reads.headsAfter(1, null, 9).map(({ id }) => `of-${id}`),
      'a unit is there as a whole',
    );
    assert.ok(units.length - killed.acked.length <= 1, 'at most one unit that nobody was told of');
    checkDigests(reads);
    reads.close();
    assert.equal(run('', folder, 'master'), { signal: null, status: 0, acked: [0, 1, 2, 3, 4] });
  });
}

for (const name of ['apply.before_commit', 'apply.after_commit', 'commit.after_manifest']) {
  test(`a replica killed at ${name} stands between two units, and goes on to the same content`, async (t) => {
    const master = t.folder();
    run('', master, 'master');
    const source = `${master}/store-1/skein.db`;
    const folder = t.folder();
    for (const count of [1, 2, 3]) assert.is(run(`${name}:${count}`, folder, 'replica', source).signal, 'SIGKILL');
    assert.is(run('', folder, 'replica', source).status, 0);
    assertSameContent(source, `${folder}/store-1/skein.db`);
  });
}

test('a change that is silently dropped is found by the next comparison of digests, in a later transaction', async (t) => {
  const master = await openTestEngine(t.folder());
  await master.create('a', 2);
  for (const id of [1, 2, 3]) await master.put('a', [{ id, vector: [id, 0] }]);
  await master.engine.stop();
  const rows = logOf(master.storePath);
  process.env['SKEIN_TEST_DROP'] = '2';
  t.after(() => Reflect.deleteProperty(process.env, 'SKEIN_TEST_DROP'));
  const { engine } = await openTestEngine(t.folder(), {}, 'replica');
  t.after(() => engine.stop());
  for (const row of rows.slice(0, 3)) await follow(engine, [row], [1]);
  assert.is((await engine.count('a')).count, 1);
  const failure = await refusal(engine, batchOf(rows.slice(3)));
  assert.equal([failure.reason, failure.seq, engine.log.state().seq], ['digest', 4, 3]);
});

test('a variable that names nothing is refused, so that no sweep passes over a misspelt name', () => {
  const end = (): void => assert.unreachable();
  assert.throws(() => armTestHooks({ SKEIN_TEST_FAIL: 'commit.nowhere:1' }, end), /no failpoint 'commit.nowhere'/);
  assert.throws(() => armTestHooks({ SKEIN_TEST_FAIL: 'commit.before_begin:x' }, end), /'x' is not a count/);
  assert.throws(() => armTestHooks({ SKEIN_TEST_DROP: '0' }, end), /'0' is not a count/);
  armTestHooks({ SKEIN_TEST_DROP: '2' }, end);
  assert.equal([dropsNextChange(), dropsNextChange(), dropsNextChange()], [false, true, false]);
  armTestHooks({}, end);
});

test.run();

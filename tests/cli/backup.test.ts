/** `skein backup` while the place is out of reach: each command has the reason at once, and works as soon as the place is there; then one backup
 *  that goes, and one that stays. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { runSkein } from './run-skein.js';

const test = suite('cli/backup', { deadlineMs: 60_000 });

test('a place that is gone says so at once to each command, and is used by the first one after it is back', async (t) => {
  const parent = join(t.folder(), 'volume');
  const flags = ['--backup-folder', join(parent, 'backups'), '--backup-every-operations', '0', '--backup-interval-ms', '0'];
  const server = await startServer(t, join(t.folder(), 'data'), [...flags, '--dependency-retry-delay-ms', '1']);
  const at = ['--url', server.url];
  await server.request('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  const startMs = performance.now();
  for (let round = 0; round < 2; round++)
    for (const words of [['create'], ['list'], ['verify']]) {
      const { exitCode, output, errors } = await runSkein(['backup', ...words, ...at]);
      assert.is(exitCode, 1, `${words.join(' ')} ${output}`);
      assert.match(`${output}${errors}`, `there is no folder ${parent}`);
    }
  const listed = await runSkein(['backup', 'list', ...at]);
  assert.match(listed.output, 'is not known');
  const told = JSON.parse((await runSkein(['backup', 'list', '--json', ...at])).output);
  assert.equal([told.kind, told.read_at], ['not_read', null]);
  assert.ok(performance.now() - startMs < 20_000, 'nobody waited for the breaker');
  mkdirSync(parent);
  const made = await runSkein(['backup', ...at]);
  assert.is(made.exitCode, 0, made.errors);
  assert.match((await runSkein(['backup', 'list', ...at])).output, '1 backup in folder');
  const [{ id = '' } = {}] = JSON.parse(`[${(await runSkein(['backup', 'list', '--json', ...at])).output.split('\n', 1)[0]}]`);
  const kept = await runSkein(['backup', 'remove', id, ...at]);
  assert.equal([kept.exitCode, kept.errors.includes('the only good full one')], [1, true], kept.errors);
  await runSkein(['backup', 'create', '--full', ...at]);
  const gone = await runSkein(['backup', 'remove', id, '--increments', ...at]);
  assert.equal([gone.exitCode, gone.output], [0, `${id}: removed\n`], gone.errors);
  assert.is((await runSkein(['backup', 'remove', ...at])).exitCode, 2);
  assert.is(await server.stop(), 0);
});

test.run();

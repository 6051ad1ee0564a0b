/** `skein keys …` over the real routes: what it prints, and that a key that it made works until it is revoked. */

import * as assert from 'uvu/assert';
import { tableLines } from '../../src/cli/table.js';
import { startHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';
import { type Ran, runSkein } from './run-skein.js';

const test = suite('cli/keys');

test('keys are made, listed, rotated and revoked, and a secret is printed once', async (t) => {
  const { url } = await startHttp(t);
  const run = (key: string | null, ...argv: string[]): Promise<Ran> =>
    runSkein(['keys', ...argv], { environment: { SKEIN_URL: url, ...(key === null ? {} : { SKEIN_API_KEY: key }) } });
  const first = await run(null, 'create', 'ops', '--role', 'admin', '--json');
  assert.is(first.exitCode, 0, first.errors);
  const admin = JSON.parse(first.output) as { key: string; id: string };
  const made = await run(admin.key, 'create', 'loader', '--role=write', '--collections=films, mine-*', '--life-ms=30d');
  assert.is(made.exitCode, 0, made.errors);
  const [line, key = ''] = made.output.trim().split('\n');
  const id = key.slice(4, 20);
  assert.is(line, `made key ${id} (write); this is the only time that it is shown:`);
  const list = await run(admin.key, 'list');
  assert.match(list.output, new RegExp(`${id} +loader +write +films,mine-\\* +active +20`));
  assert.not(list.output.includes(key.slice(-43)));
  const refused = await run(key, 'list');
  assert.is(refused.exitCode, 1);
  assert.match(refused.errors, 'needs a key with the role admin');
  const turned = await run(admin.key, 'rotate', id, '--grace-ms', '0');
  assert.match(turned.output, `key ${id} has another secret, the one before does not work any more`);
  assert.is((await run(admin.key, 'revoke', id)).output, `key ${id} does not work any more\n`);
  const last = await run(admin.key, 'revoke', admin.id, '--json');
  assert.is(last.exitCode, 1);
  assert.match(last.errors, '(AdminKeyRequired)');
  assert.is((await run(null, 'list')).exitCode, 1);
  assert.is((await run(admin.key, 'create')).exitCode, 2);
});

test('what no server would take is a slip of the command line, and none is asked', async () => {
  const slips = [
    ['create', 'a\nb'],
    ['create', 'a', '--collections', 'films,,b'],
    ['create', 'a', '--collections', 'a*b'],
    ['rotate', 'x', '--grace-ms', '31d'],
    ['rotate', 'x', '--grace-ms', 'soon'],
  ];
  for (const argv of slips) {
    const { exitCode, errors } = await runSkein(['keys', ...argv, '--url', 'http://127.0.0.1:9']);
    assert.is(exitCode, 2, errors);
  }
});

test('a name that was stored with control characters is shown with them written out', () => {
  assert.equal(tableLines([{ title: 'name' }], [['a\n\u001b[2J']]), ['name', 'a\\u000a\\u001b[2J']);
});

test.run();

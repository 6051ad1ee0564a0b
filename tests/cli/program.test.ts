/** The command line without a server: help, mistakes, exit codes, and what a person is told. */

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { apiError, stubServer } from '../sdk/stub-server.js';
import { suite } from '../support/suite.js';
import { runSkein } from './run-skein.js';

const test = suite('cli/program');

test('help and version are answers; no command, and an unknown one, are mistakes', async () => {
  const help = await runSkein(['--help']);
  assert.is(help.exitCode, 0);
  for (const command of ['serve', 'import', 'export', 'status', 'verify', 'promote', 'follow', 'resync'])
    assert.match(help.output, command);
  assert.match((await runSkein(['--version'])).output, /^\d+\.\d+\.\d+/);
  assert.is((await runSkein([])).exitCode, 2);
  const unknown = await runSkein(['stauts']);
  assert.is(unknown.exitCode, 2);
  assert.match(unknown.errors, 'Did you mean status?');
});

test('every setting is in the help of its command, with its variable', async () => {
  const { output } = await runSkein(['serve', '--help']);
  for (const text of ['--data-dir', 'SKEIN_BODY_BYTES_MAX', '--no-docs', '--insecure-no-auth', '--print-config', 'Limits:'])
    assert.match(output, text);
  assert.match((await runSkein(['import', '--help'])).output, 'SKEIN_ID_OFFSET');
});

test('an unknown flag is refused with the one that was meant', async () => {
  const slip = await runSkein(['serve', '--prot', '1']);
  assert.is(slip.exitCode, 2);
  assert.match(slip.errors, 'Did you mean --port?');
});

test('a switch may be written with its value; anything else with a value stays what it is', async () => {
  const shown = async (...words: string[]): Promise<Record<string, { value: unknown }>> => {
    const { exitCode, output, errors } = await runSkein(['serve', '--print-config', ...words]);
    assert.is(exitCode, 0, errors);
    return JSON.parse(output) as Record<string, { value: unknown }>;
  };
  assert.is((await shown())['voter']?.value, true);
  assert.is((await shown('--voter=false'))['voter']?.value, false);
  assert.is((await shown('--no-voter'))['voter']?.value, false);
  assert.is((await shown('--docs=true', '--voter=true'))['voter']?.value, true);
  assert.is((await shown('--cluster-key=true-or-false-key'))['cluster_key']?.value, '********');
  assert.is((await runSkein(['serve', '--print-config', '--voter=maybe'])).exitCode, 2);
  assert.is((await runSkein(['serve', '--print-config', '--port=true'])).exitCode, 2);
});

test('settings that cannot be used end a command with code 2, each named', async () => {
  const { exitCode, errors } = await runSkein(['serve', '--port', 'x'], {
    environment: { SKEIN_DATADIR: 'd', SKEIN_LOG_LEVEL: 'loud' },
  });
  assert.is(exitCode, 2);
  assert.match(errors, 'skein: unknown variable SKEIN_DATADIR (did you mean SKEIN_DATA_DIR?)');
  assert.match(
    (await runSkein(['serve', '--port', 'x'])).errors,
    'skein: --port must be a whole number from 0 to 65535, not "x"',
  );
  assert.is((await runSkein(['import', 'c', 'f.ndjson', '--distance', 'manhattan'])).exitCode, 2);
  assert.is((await runSkein(['import', 'c'])).exitCode, 2);
  assert.is((await runSkein(['status', 'extra'])).exitCode, 2);
});

test('print-config shows every setting with its source and starts nothing', async (t) => {
  const folder = t.folder();
  writeFileSync(join(folder, 'skein.json'), '{"port": 1, "docs": false}');
  const { exitCode, output } = await runSkein(['serve', '--print-config', '--config', 'skein.json', '--port', '0', '--no-docs'], {
    workingDir: folder,
    environment: { SKEIN_LOG_LEVEL: 'warn' },
  });
  assert.is(exitCode, 0);
  const shown = JSON.parse(output) as Record<string, unknown>;
  assert.equal(shown['port'], { value: 0, source: 'flag' });
  assert.equal(shown['docs'], { value: false, source: 'flag' });
  assert.equal(shown['log_level'], { value: 'warn', source: 'environment' });
  assert.equal(shown['data_dir'], { value: join(folder, 'data'), source: 'default' });
  const other = await runSkein(['serve', '--print-config', '--docs'], {
    environment: { SKEIN_CONFIG: join(folder, 'skein.json') },
  });
  assert.equal((JSON.parse(other.output) as Record<string, unknown>)['docs'], { value: true, source: 'flag' });
});

test('a server that is not there, refuses the key, lacks the collection or is none is told apart', async (t) => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const gone = `http://127.0.0.1:${(free.address() as AddressInfo).port}`;
  await new Promise((resolve) => free.close(resolve));
  const refused = await runSkein(['status', '--url', gone]);
  assert.is(refused.exitCode, 1);
  assert.match(refused.errors, `no server answers at ${gone}`);
  assert.match(refused.errors, 'start one with "skein serve"');

  const stub = await stubServer(t, ({ path, headers }) => {
    if (headers['authorization'] !== 'Bearer the-key-of-the-test') return apiError(401, 'Unauthorized');
    return path.includes('films')
      ? apiError(404, 'CollectionNotFound', { details: { available_collections: ['books', 'plays'] } })
      : { body: '<html>' };
  });
  const unauthorized = await runSkein(['status'], { environment: { SKEIN_URL: stub.url } });
  assert.is(unauthorized.exitCode, 1);
  assert.match(unauthorized.errors, '--api-key-file FILE');
  const environment = { SKEIN_URL: stub.url, SKEIN_API_KEY: 'the-key-of-the-test' };
  const missing = await runSkein(['export', 'films', '-'], { environment });
  assert.match(missing.errors, 'there are: books, plays');
  assert.is(missing.output, '');
  const strange = await runSkein(['status'], { environment });
  assert.match(strange.errors, 'is there a Skein server at that address?');
});

test('import says what it lacks before it asks a server', async (t) => {
  const folder = t.folder();
  writeFileSync(join(folder, 'points.dat'), '');
  const noFormat = await runSkein(['import', 'c', 'points.dat'], { workingDir: folder });
  assert.is(noFormat.exitCode, 2);
  assert.match(noFormat.errors, 'does not tell the format: give --format');
  const noFile = await runSkein(['import', 'c', 'none.ndjson'], { workingDir: folder });
  assert.is(noFile.exitCode, 1);
  assert.match(noFile.errors, /none\.ndjson: it cannot be read: ENOENT/);
});

test('verify of a folder that is not there or holds nothing is a failure', async (t) => {
  const folder = t.folder();
  assert.is((await runSkein(['verify', join(folder, 'none')])).exitCode, 1);
  const empty = await runSkein(['verify', folder, '--json']);
  assert.is(empty.exitCode, 1);
  const lines = empty.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; ok?: boolean; finding?: string });
  assert.is(lines.at(-1)?.ok, false);
  assert.is(lines[0]?.finding, 'unusable');
});

test.run();

/** docs/deploy/systemd: a unit whose settings exist and whose times agree. */

import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { deployFolder, deployText, mustBeSettings, mustStopGently } from '../support/deploy-files.js';
import { suite } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';
import { mustKnowEveryPath, mustLieIn, pathsWritten } from './deploy-writes.js';

const test = suite('house/deploy-systemd');
const text = deployText('systemd/skein.service');
/** With the lines that an operator switches on. */
const switchedOn = text.replaceAll(/^#([A-Z][A-Za-z]+=)/gm, '$1');
const entriesOf = (unit: string): { key: string; value: string }[] =>
  unit
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('['))
    .map((line) => ({ key: line.slice(0, line.indexOf('=')), value: line.slice(line.indexOf('=') + 1) }));
const entries = entriesOf(text);
const valuesOf = (wanted: string, among = entries): string[] =>
  among.filter(({ key }) => key === wanted).map(({ value }) => value);

test('has the three sections, and lines of a key and a value', () => {
  const sections = text.split('\n').filter((line) => line.startsWith('['));
  assert.equal(sections, ['[Unit]', '[Service]', '[Install]']);
  for (const { key } of entries) assert.match(key, /^[A-Z][A-Za-z]+$/);
});

test('sets what is a setting, and hands over the keys that it loads', () => {
  const variables = valuesOf('Environment', entriesOf(switchedOn)).map((value) => value.split('=')[0] ?? '');
  mustBeSettings(variables, 'skein.service');
  const loaded = valuesOf('LoadCredential').map((value) => value.split(':')[0]);
  assert.equal(loaded, ['api-key', 'cluster-key']);
  for (const name of loaded) assert.ok(valuesOf('Environment').some((value) => value.endsWith(`=%d/${name}`)));
});

test('its header makes a folder that the server can enter, and keys that root alone can read', (t) => {
  const etc = join(t.folder(), 'etc-skein');
  const [line = ''] = text.split('\n').filter((one) => one.includes('install -d'));
  const command = line.slice(1).replaceAll('/etc/skein', etc).replaceAll('openssl rand -hex 24', 'echo key');
  const { status } = spawnSync('sh', ['-c', `umask 077; ${command}`], { encoding: 'utf8' });
  assert.is(status, 0);
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  assert.is(modeOf(etc), '755');
  for (const key of valuesOf('LoadCredential').map((value) => value.split(':')[1]?.replace('/etc/skein', etc) ?? ''))
    assert.is(modeOf(key), '600', key);
  const config = /install -m (0\d+) skein\.json/.exec(text)?.[1];
  assert.is(config, '0644', 'the server reads it as its own user');
});

test('starts the server of the project with a configuration that loads, and waits longer for its end than it takes', () => {
  assert.equal(valuesOf('ExecStart'), ['/opt/skein/dist/bundle/server/main.js serve --config /etc/skein/skein.json']);
  const { config } = loadConfig({
    flags: { config: join(deployFolder, 'systemd', 'skein.json') },
    environment: {},
    workingDir: '/',
  });
  mustStopGently(config, Number(valuesOf('TimeoutStopSec')[0]) * 1_000);
});

/** A value of a unit, as the service manager of the machine fills it in. */
const filledIn = (value: string): string => value.replaceAll('%S', '/var/lib').replaceAll('%L', '/var/log');

test('can write what it is told to write, also where its optional lines are switched on, and what the pages tell', () => {
  mustKnowEveryPath();
  assert.equal(valuesOf('ProtectSystem'), ['strict']);
  for (const unit of [text, switchedOn]) {
    const of = entriesOf(unit);
    const variables = valuesOf('Environment', of).map((value) => value.split('=') as [string, string]);
    const environment = Object.fromEntries(
      variables.filter(([, value]) => !value.startsWith('%d/')).map(([name, value]) => [name, filledIn(value)]),
    );
    const { config } = loadConfig({ flags: {}, environment, workingDir: '/' });
    assert.is(config.backup.place === null, unit === text);
    const folders = [
      ...valuesOf('StateDirectory', of).map((name) => `/var/lib/${name}`),
      ...valuesOf('LogsDirectory', of).map((name) => `/var/log/${name}`),
      ...valuesOf('ReadWritePaths', of),
    ];
    const operations = readFileSync(join(projectFolder, 'docs', 'OPERATIONS.md'), 'utf8');
    const told = [...operations.matchAll(/--(?:audit-)?log-file (\/[^\s`]+)/g)].map(([, path = '']) => path);
    assert.ok(told.length > 0);
    mustLieIn(folders, [...pathsWritten(config), ...told], 'skein.service');
  }
});

test('with backups on a disk of another machine, it waits for that disk', () => {
  const [unit = ''] = switchedOn.split('[Service]');
  const needed = valuesOf('RequiresMountsFor', entriesOf(unit));
  const folder = valuesOf('Environment', entriesOf(switchedOn))
    .find((value) => value.startsWith('SKEIN_BACKUP_FOLDER='))
    ?.split('=')[1];
  assert.equal(needed, [folder]);
  assert.equal(
    valuesOf('ReadWritePaths', entriesOf(switchedOn)),
    [folder],
    'without a minus: a folder that is missing is an error',
  );
  assert.match(text, `install -d -m 0700 -o skein -g skein ${folder}`);
});

test.run();

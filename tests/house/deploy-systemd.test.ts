/** docs/deploy/systemd: a unit whose settings exist and whose times agree. */

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { deployFolder, deployText, mustBeSettings, mustStopGently } from '../support/deploy-files.js';
import { suite } from '../support/suite.js';

const test = suite('house/deploy-systemd');
const text = deployText('systemd/skein.service');
const entries = text
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('['))
  .map((line) => ({ key: line.slice(0, line.indexOf('=')), value: line.slice(line.indexOf('=') + 1) }));
const valuesOf = (wanted: string): string[] => entries.filter(({ key }) => key === wanted).map(({ value }) => value);

test('has the three sections, and lines of a key and a value', () => {
  const sections = text.split('\n').filter((line) => line.startsWith('['));
  assert.equal(sections, ['[Unit]', '[Service]', '[Install]']);
  for (const { key } of entries) assert.match(key, /^[A-Z][A-Za-z]+$/);
});

test('sets what is a setting, and hands over the keys that it loads', () => {
  const variables = valuesOf('Environment').map((value) => value.split('=')[0] ?? '');
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

test.run();

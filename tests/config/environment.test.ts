/** The environment: settings, other people's variables and mistakes are told apart. */
import * as assert from 'uvu/assert';
import { settingVariables } from '../../src/config/config.js';
import { readEnvironment } from '../../src/config/environment.js';
import { suite } from '../support/suite.js';

const test = suite('config/environment');

test('settings are taken, empty ones count as not set, and variables of others are left alone', () => {
  const reading = readEnvironment(
    {
      SKEIN_PORT: '7272',
      SKEIN_HOST: '',
      PATH: '/bin',
      SKEINX: '1',
      SKEIN_TEST_SEED: '3',
      SKEIN_BENCH_DATA: 'x',
      SKEIN_NATIVE_BUILD: 'plain',
    },
    settingVariables(),
  );
  assert.equal([...reading.values], [['SKEIN_PORT', '7272']]);
  assert.equal(reading.warnings, []);
  assert.equal(reading.problems, []);
});

test('a mistyped variable is refused with the name that was meant', () => {
  const reading = readEnvironment({ SKEIN_DATADIR: '/data', SKEIN_QUUX: '1', skein_port: '1' }, settingVariables());
  assert.equal(reading.problems, [
    'unknown variable SKEIN_DATADIR (did you mean SKEIN_DATA_DIR?)',
    'unknown variable SKEIN_QUUX',
  ]);
});

test('what Kubernetes injects for Services named skein or skein-something is passed over with a warning', () => {
  const injected = {
    SKEIN_PORT: 'tcp://10.0.0.1:7171',
    SKEIN_PORT_7171_TCP: 'tcp://10.0.0.1:7171',
    SKEIN_PORT_7171_TCP_ADDR: '10.0.0.1',
    SKEIN_PORT_7171_TCP_PORT: '7171',
    SKEIN_SERVICE_HOST: '10.0.0.1',
    SKEIN_SERVICE_PORT: '7171',
    SKEIN_SERVICE_PORT_HTTP: '7171',
    SKEIN_MASTER_SERVICE_HOST: '10.0.0.2',
    SKEIN_MASTER_PORT: 'tcp://10.0.0.2:7171',
    SKEIN_MASTER_PORT_7171_TCP: 'tcp://10.0.0.2:7171',
    SKEIN_MASTER_PORT_7171_TCP_PROTO: 'tcp',
  };
  const reading = readEnvironment(injected, settingVariables());
  assert.equal([...reading.values], []);
  assert.equal(reading.problems, []);
  assert.is(reading.warnings.length, Object.keys(injected).length);
  for (const name of Object.keys(injected))
    assert.ok(
      reading.warnings.some((warning) => warning.startsWith(`${name} `)),
      name,
    );
});

test('a port that is not an address of a Service stays a setting, and a strange one a mistake', () => {
  assert.is(readEnvironment({ SKEIN_PORT: 'nonsense' }, settingVariables()).values.get('SKEIN_PORT'), 'nonsense');
  assert.is(readEnvironment({ SKEIN_MASTER_PORT: '7171' }, settingVariables()).problems.length, 1);
});

test.run();

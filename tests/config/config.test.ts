/** The configuration of a server: precedence, refusals, checks across settings, and what is shown of it. */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { openFileWarnings } from '../../src/config/api-key.js';
import { BACKUP_FIELDS } from '../../src/config/backup-fields.js';
import { IMPORT_FIELDS, STATUS_FIELDS } from '../../src/config/command-fields.js';
import { type ConfigSources, clientKey, loadCommandFields, loadConfig } from '../../src/config/config.js';
import { DEPENDENCY_FIELDS } from '../../src/config/dependency-fields.js';
import { describeConfig } from '../../src/config/describe.js';
import { environmentNameOf, fileKeyOf, flagOf } from '../../src/config/field.js';
import { GUARD_FIELDS } from '../../src/config/guard-fields.js';
import { HEALTH_FIELDS } from '../../src/config/health-fields.js';
import { LIMIT_FIELDS } from '../../src/config/limit-fields.js';
import { isLoopback } from '../../src/config/loopback.js';
import { OBSERVING_FIELDS } from '../../src/config/observing-fields.js';
import { QDRANT_FIELDS } from '../../src/config/qdrant-fields.js';
import { RECOVERY_FIELDS } from '../../src/config/recovery-fields.js';
import { REPLICATION_FIELDS } from '../../src/config/replication-fields.js';
import { ConfigError } from '../../src/config/resolve.js';
import { SECURITY_FIELDS } from '../../src/config/security-fields.js';
import { SERVER_FIELDS } from '../../src/config/server-fields.js';
import { TOKEN_FIELDS } from '../../src/config/token-fields.js';
import { TRACING_FIELDS } from '../../src/config/tracing-fields.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { suite } from '../support/suite.js';

const KEY = 'k'.repeat(40);
const nothing: ConfigSources = { flags: {}, environment: {}, workingDir: '/srv' };

function load(given: Partial<ConfigSources>) {
  return loadConfig({ ...nothing, ...given });
}

function problemsOf(given: Partial<ConfigSources>): readonly string[] {
  try {
    load(given);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function fileWith(folder: string, content: unknown): string {
  const path = join(folder, 'skein.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const test = suite('config/config');

test('with nothing given, every value is its default, frozen, and safe to start', () => {
  const { config, sources, warnings } = load({});
  assert.is(config.host, '127.0.0.1');
  assert.is(config.port, 7171);
  assert.is(config.dataDir, resolve('/srv', 'data'));
  assert.is(config.apiKey, null);
  assert.equal({ ...config.limits }, { ...DEFAULT_LIMITS });
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.limits));
  assert.ok(Object.values(sources).every((source) => source === 'default'));
  assert.equal(warnings, []);
});

test('a flag wins over the environment, that over the file, that over the default, for every setting alike', (t) => {
  const folder = t.folder();
  const ports = fc.record({
    flag: fc.option(fc.nat(65_535)),
    environment: fc.option(fc.nat(65_535)),
    file: fc.option(fc.nat(65_535)),
  });
  fc.assert(
    fc.property(ports, ({ flag, environment, file }) => {
      const path = fileWith(folder, file === null ? {} : { port: file });
      const { config, sources } = load({
        flags: { config: path, ...(flag === null ? {} : { port: String(flag) }) },
        environment: environment === null ? {} : { SKEIN_PORT: String(environment) },
      });
      assert.is(config.port, flag ?? environment ?? file ?? 7171);
      assert.is(
        sources['port'],
        flag !== null ? 'flag' : environment !== null ? 'environment' : file !== null ? 'file' : 'default',
      );
    }),
    { numRuns: 40 },
  );
});

test('limits are settings like any other, with units, under all of their names', (t) => {
  const path = fileWith(t.folder(), { search_limit_max: 50, body_bytes_max: '16MiB', idempotency_ms: '2h', docs: false });
  const { config } = load({ flags: { config: path, scrollLimitMax: '7' }, environment: { SKEIN_PAYLOAD_BYTES_MAX: '2MiB' } });
  assert.is(config.limits.searchLimitMax, 50);
  assert.is(config.limits.bodyBytesMax, 16 * 2 ** 20);
  assert.is(config.limits.idempotencyMs, 7_200_000);
  assert.is(config.limits.scrollLimitMax, 7);
  assert.is(config.limits.payloadBytesMax, 2 * 2 ** 20);
  assert.is(config.docs, false);
});

test('unknown keys and variables are refused, all at once, with the names that were meant', (t) => {
  const path = fileWith(t.folder(), { prot: 1, data_dir: 'd', 'data-dir': 'd' });
  const problems = problemsOf({
    flags: { config: path, logLevel: 'loud' },
    environment: { SKEIN_INDEX_WORKER: '2', SKEIN_PORT: 'x' },
  });
  assert.is(problems.length, 5, problems.join('\n'));
  assert.ok(problems.includes('unknown variable SKEIN_INDEX_WORKER (did you mean SKEIN_INDEX_WORKERS?)'));
  assert.ok(problems.includes(`unknown key "prot" in ${path} (did you mean port?)`));
  assert.ok(problems.includes(`unknown key "data-dir" in ${path} (did you mean data_dir?)`));
  assert.ok(problems.includes('SKEIN_PORT must be a whole number from 0 to 65535, not "x"'));
  assert.ok(problems.includes('--log-level must be one of debug, info, warn, error, silent, not "loud"'));
});

test('the name of the file may come from the environment, and its paths are relative to it', (t) => {
  const folder = t.folder();
  const path = fileWith(folder, '\uFEFF{"data_dir": "here"}');
  assert.is(load({ environment: { SKEIN_CONFIG: path } }).config.dataDir, join(folder, 'here'));
  assert.is(load({ environment: { SKEIN_DATA_DIR: 'there' } }).config.dataDir, resolve('/srv', 'there'));
});

test('a file that is missing, not JSON or not an object is refused with its path and place', (t) => {
  const folder = t.folder();
  assert.match(problemsOf({ flags: { config: join(folder, 'none.json') } })[0] ?? '', 'cannot be read');
  assert.match(
    problemsOf({ flags: { config: fileWith(folder, '{\n  "port": 1,\n}') } })[0] ?? '',
    /is not JSON: .*line 3 column 1/s,
  );
  assert.match(problemsOf({ flags: { config: fileWith(folder, '[]') } })[0] ?? '', 'one JSON object');
});

test('null in the file is a mistake, not a default', (t) => {
  assert.is(problemsOf({ flags: { config: fileWith(t.folder(), { port: null }) } }).length, 1);
});

test('limits that contradict each other are refused by name', () => {
  assert.match(problemsOf({ flags: { bodyBytesMax: '512KiB' } })[0] ?? '', 'payload_bytes_max < body_bytes_max');
});

test('an address beyond this machine needs a key, or the word of the operator', (t) => {
  const keyFile = join(t.folder(), 'key');
  writeFileSync(keyFile, `${KEY}\nthe key of the test\n`, { mode: 0o600 });
  assert.match(problemsOf({ flags: { host: '0.0.0.0' } })[0] ?? '', /--api-key-file FILE, or --insecure-no-auth/);
  const open = load({ flags: { host: '0.0.0.0', insecureNoAuth: true } });
  assert.match(open.warnings[0] ?? '', 'without a key');
  const keyed = load({ flags: { host: '::', apiKeyFile: keyFile } });
  assert.is(keyed.config.apiKey?.reveal(), KEY);
  assert.is(keyed.warnings.length, 1);
  assert.match(keyed.warnings[0] ?? '', 'replicas are refused');
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1']) assert.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'my-host', '127.0.0.1.example.test', ''])
    assert.not.ok(isLoopback(host), host);
});

test('a key file that is short, missing, not sendable or open to all is named', (t) => {
  const folder = t.folder();
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, 'short\n');
  assert.match(problemsOf({ flags: { apiKeyFile: keyFile } })[0] ?? '', 'has 5 characters');
  writeFileSync(keyFile, 'ünsendable-key-with-length');
  const problem = problemsOf({ flags: { apiKeyFile: keyFile } })[0] ?? '';
  assert.match(problem, 'printable ASCII');
  assert.not.match(problem, 'sendable-key');
  assert.match(problemsOf({ flags: { apiKeyFile: join(folder, 'none') } })[0] ?? '', 'cannot be read');
  writeFileSync(keyFile, `\uFEFF  ${KEY}\r\nsecond line`);
  chmodSync(keyFile, 0o644);
  const loaded = load({ flags: { apiKeyFile: keyFile } });
  assert.is(loaded.config.apiKey?.reveal(), KEY);
  assert.match(loaded.warnings[0] ?? '', 'chmod 600');
});

test('the key never shows in JSON, in text, or when a Config is inspected', (t) => {
  const keyFile = join(t.folder(), 'key');
  writeFileSync(keyFile, KEY, { mode: 0o600 });
  const { config } = load({ flags: { apiKeyFile: keyFile } });
  for (const text of [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true }), `${String(config.apiKey)}`]) {
    assert.not.match(text, KEY);
  }
});

test('a key meant for commands does not pass for the server’s', () => {
  const { config, warnings } = load({ environment: { SKEIN_API_KEY: KEY } });
  assert.is(config.apiKey, null);
  assert.match(warnings[0] ?? '', 'protects nothing');
});

test('the description names every setting once, with its source', () => {
  const loaded = load({ flags: { port: '0' }, environment: { SKEIN_LOG_LEVEL: 'warn' } });
  const shown = describeConfig(loaded.config, loaded.sources);
  assert.equal(
    Object.keys(shown),
    [
      SERVER_FIELDS,
      REPLICATION_FIELDS,
      BACKUP_FIELDS,
      DEPENDENCY_FIELDS,
      HEALTH_FIELDS,
      SECURITY_FIELDS,
      TOKEN_FIELDS,
      OBSERVING_FIELDS,
      GUARD_FIELDS,
      TRACING_FIELDS,
      RECOVERY_FIELDS,
      QDRANT_FIELDS,
      LIMIT_FIELDS,
    ]
      .flatMap((fields) => Object.keys(fields))
      .map(fileKeyOf),
  );
  assert.equal(shown['port'], { value: 0, source: 'flag' });
  assert.equal(shown['log_level'], { value: 'warn', source: 'environment' });
  assert.equal(shown['api_key_file'], { value: null, source: 'default' });
});

test('every setting is read by something: none is there for show', () => {
  const source = fileURLToPath(new URL('../../../src', import.meta.url));
  // The client and the commands have words of their own that may look alike.
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (path) =>
      path.endsWith('.ts') &&
      !/^(?:sdk|cli\/import|cli\/export|config\/\w+-fields|model\/limits)/.test(path.replaceAll('\\', '/')),
  );
  const text = files.map((path) => readFileSync(join(source, path), 'utf8')).join('\n');
  const unread = [
    SERVER_FIELDS,
    REPLICATION_FIELDS,
    BACKUP_FIELDS,
    DEPENDENCY_FIELDS,
    HEALTH_FIELDS,
    OBSERVING_FIELDS,
    GUARD_FIELDS,
    RECOVERY_FIELDS,
    LIMIT_FIELDS,
  ]
    .flatMap((fields) => Object.keys(fields))
    .filter((key) => !new RegExp(`\\b${key}\\b`).test(text));
  assert.equal(unread, []);
});

test('the names of a setting follow from its key, and no two settings share one', () => {
  assert.is(fileKeyOf('bodyBytesMax'), 'body_bytes_max');
  assert.is(flagOf('bodyBytesMax'), '--body-bytes-max');
  assert.is(environmentNameOf('bodyBytesMax'), 'SKEIN_BODY_BYTES_MAX');
  assert.equal(
    Object.keys(SERVER_FIELDS).filter((key) => key in LIMIT_FIELDS),
    [],
  );
});

test('commands take flags over the environment over defaults, and refuse unknown variables too', () => {
  const { values } = loadCommandFields(IMPORT_FIELDS, {
    ...nothing,
    flags: { batch: '10' },
    environment: { SKEIN_BATCH: '5', SKEIN_URL: 'http://h:1/' },
  });
  assert.is(values.batch, 10);
  assert.is(values.url, 'http://h:1');
  assert.is(values.format, null);
  assert.is(values.idColumn, 'id');
  assert.throws(
    () => loadCommandFields(IMPORT_FIELDS, { ...nothing, environment: { SKEIN_BACTH: '5' } }),
    /did you mean SKEIN_BATCH/,
  );
});

test('a key file that everybody can read is told, unless it is a secret of a container', () => {
  assert.match(openFileWarnings('/etc/skein/key', 0o100644).join(), 'chmod 600');
  for (const path of ['/run/secrets/api-key', '/var/run/secrets/skein/api-key'])
    assert.equal(openFileWarnings(path, 0o100644), [], path);
  assert.equal(openFileWarnings('/etc/skein/key', 0o100640), []);
});

test('a command sends the key it is given, else the one in the file, else none', (t) => {
  const keyFile = join(t.folder(), 'key');
  writeFileSync(keyFile, KEY, { mode: 0o600 });
  assert.is(clientKey({ apiKey: 'given', apiKeyFile: keyFile }), 'given');
  assert.is(clientKey({ apiKey: null, apiKeyFile: keyFile }), KEY);
  assert.is(clientKey({ apiKey: null, apiKeyFile: null }), null);
  assert.throws(() => clientKey({ apiKey: null, apiKeyFile: `${keyFile}x` }), /cannot be read/);
});

test('a flag for the key or its file stands over both variables of the environment', (t) => {
  const keyFile = join(t.folder(), 'key');
  writeFileSync(keyFile, KEY, { mode: 0o600 });
  const sent = (flags: Record<string, string>, environment: Record<string, string>): string | null =>
    clientKey(loadCommandFields(STATUS_FIELDS, { flags, environment, workingDir: '/' }).values);
  assert.is(sent({ apiKeyFile: keyFile }, { SKEIN_API_KEY: 'another' }), KEY);
  assert.is(sent({ apiKey: 'given' }, { SKEIN_API_KEY_FILE: keyFile, SKEIN_API_KEY: 'another' }), 'given');
  assert.is(sent({}, { SKEIN_API_KEY_FILE: keyFile, SKEIN_API_KEY: 'another' }), 'another');
});

test.run();

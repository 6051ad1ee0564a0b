/** The settings of replication: keys, certificates, addresses, and what contradicts itself. */

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as assert from 'uvu/assert';
import { type ConfigSources, type LoadedConfig, loadConfig } from '../../src/config/config.js';
import { describeConfig } from '../../src/config/describe.js';
import { ConfigError } from '../../src/config/resolve.js';
import { suite } from '../support/suite.js';

const test = suite('config/replication-settings');
const KEY = 'first-cluster-key';
const OTHER = 'second-cluster-key';

function load(flags: ConfigSources['flags'], environment: ConfigSources['environment'] = {}): LoadedConfig {
  return loadConfig({ flags, environment, workingDir: '/srv' });
}

function problemsOf(flags: ConfigSources['flags']): readonly string[] {
  try {
    load(flags);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function fileWith(folder: string, text: string, name = 'cluster-key'): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

test('with nothing given a node follows nobody, votes, and takes links of its own machine', () => {
  const { replication } = load({}).config;
  assert.equal([replication.master, replication.clusterKeys, replication.advertise, replication.voter], [null, [], null, true]);
  assert.equal([replication.heartbeatMs, replication.replicaTimeoutMs, replication.replicaLagMs], [1_000, 10_000, 1_000]);
  assert.equal([replication.minReplicas, replication.streamWindowBytes], [0, 8 * 2 ** 20]);
  assert.equal(replication.tls, { ca: null, cert: null, key: null });
  assert.is(replication.streamAllowed, true);
  assert.ok(Object.isFrozen(replication));
});

test('addresses of nodes have one form inside, whatever scheme they were written with', () => {
  for (const [given, kept] of [
    ['ws://127.0.0.1:7171', 'http://127.0.0.1:7171'],
    ['http://localhost:7171/', 'http://localhost:7171'],
    ['wss://[::1]:9', 'https://[::1]:9'],
  ]) {
    assert.is(load({ master: given }).config.replication.master, kept);
    assert.is(load({ advertise: given }).config.replication.advertise, kept);
  }
  for (const bad of ['127.0.0.1:7171', 'ws://h:1/path', 'tcp://h:1', 'ws://u:p@h:1', ''])
    assert.match(problemsOf({ master: bad })[0] ?? '', '--master must be the address of a node such as ws://127.0.0.1:7171');
});

test('a file has one key, or two while one is replaced: the first is used', (t) => {
  const folder = t.folder();
  const keysOf = (text: string): string[] => {
    const { config } = load({ clusterKeyFile: fileWith(folder, text) });
    return config.replication.clusterKeys.map((key) => key.reveal());
  };
  assert.equal(keysOf(`${KEY}\n`), [KEY]);
  assert.equal(keysOf(`\uFEFF ${KEY} \r\n${OTHER}\r\n\r\n`), [KEY, OTHER]);
  const problem = (text: string): string => problemsOf({ clusterKeyFile: fileWith(folder, text) })[0] ?? '';
  assert.match(problem('\n\n'), 'has 0 lines');
  assert.match(problem(`${KEY}\n${OTHER}\n${KEY}x`), 'has 3 lines');
  assert.match(problem(`${KEY}\nshort`), /line 2 of the cluster key file .* has 5 characters; a key has at least 16/);
  assert.match(problemsOf({ clusterKeyFile: join(folder, 'none') })[0] ?? '', 'cannot be read');
  const open = fileWith(folder, KEY, 'open');
  chmodSync(open, 0o644);
  assert.match(load({ clusterKeyFile: open }).warnings[0] ?? '', 'chmod 600');
});

test('the key itself is a setting too, with a warning unless it comes from the environment', () => {
  const flag = load({ clusterKey: KEY });
  assert.match(flag.warnings[0] ?? '', '--cluster-key-file or SKEIN_CLUSTER_KEY');
  const variable = load({}, { SKEIN_CLUSTER_KEY: KEY });
  assert.equal(variable.warnings, []);
  for (const { config } of [flag, variable]) assert.is(config.replication.clusterKeys[0]?.reveal(), KEY);
  assert.match(problemsOf({ clusterKey: 'short' })[0] ?? '', 'cluster_key has 5 characters');
});

test('no key shows in JSON, in text, in a description, or in what is refused', (t) => {
  const { config, sources } = load({ clusterKey: KEY });
  const shown = describeConfig(config, sources);
  assert.equal(shown['cluster_key'], { value: '********', source: 'flag' });
  for (const text of [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true }), JSON.stringify(shown)])
    assert.not.match(text, KEY);
  const both = problemsOf({ clusterKey: KEY, clusterKeyFile: fileWith(t.folder(), `${OTHER}\nx`) }).join('\n');
  assert.not.match(both, KEY);
  assert.not.match(both, OTHER);
});

test('what contradicts itself is refused by name', (t) => {
  const file = fileWith(t.folder(), KEY);
  assert.match(problemsOf({ clusterKey: KEY, clusterKeyFile: file })[0] ?? '', 'both given');
  assert.match(problemsOf({ master: 'ws://10.0.0.1:7171' })[0] ?? '', /another machine.*--cluster-key-file FILE/);
  assert.equal(problemsOf({ master: 'ws://10.0.0.1:7171', clusterKeyFile: file }), []);
  assert.equal(problemsOf({ master: 'ws://127.0.0.1:7171' }), []);
  assert.match(problemsOf({ heartbeatMs: '1s', replicaTimeoutMs: '1999ms' })[0] ?? '', 'at least two must fit in');
  assert.equal(problemsOf({ heartbeatMs: '1s', replicaTimeoutMs: '2s' }), []);
});

test('beyond this machine without a cluster key the node starts, says so, and lets no replica in', (t) => {
  const apiKeyFile = fileWith(t.folder(), 'k'.repeat(20), 'api-key');
  const reachable = { host: '0.0.0.0', apiKeyFile };
  const open = load(reachable);
  assert.is(open.config.replication.streamAllowed, false);
  assert.match(open.warnings[0] ?? '', 'replicas are refused until --cluster-key-file FILE is given');
  const keyed = load({ ...reachable, clusterKeyFile: fileWith(t.folder(), KEY) });
  assert.is(keyed.config.replication.streamAllowed, true);
  assert.equal(keyed.warnings, []);
});

test('a node that asks for keys lets no replica in without a cluster key, and what needs one is refused', (t) => {
  const folder = t.folder();
  const apiKeyFile = fileWith(folder, 'k'.repeat(20), 'api-key');
  const clusterKeyFile = fileWith(folder, KEY);
  assert.is(load({ apiKeyFile }).config.replication.streamAllowed, false);
  assert.is(load({ apiKeyFile, clusterKeyFile }).config.replication.streamAllowed, true);
  const master = 'ws://127.0.0.1:7171';
  assert.match(problemsOf({ apiKeyFile, master })[0] ?? '', /master .* asks for keys .*--cluster-key-file FILE/);
  assert.match(problemsOf({ apiKeyFile, minReplicas: '1' })[0] ?? '', /min_replicas is 1.*--cluster-key-file FILE/);
  assert.equal(problemsOf({ apiKeyFile, master, clusterKeyFile }), []);
  assert.equal(problemsOf({ minReplicas: '1' }), []);
});

test('certificates are read at the start, and belong together', (t) => {
  const folder = t.folder();
  const pem = (name: string): string => fileWith(folder, `-----BEGIN ${name}-----\nx\n-----END ${name}-----\n`, name);
  const files = { tlsCaFile: pem('CA'), tlsCertFile: pem('CERT'), tlsKeyFile: pem('KEY') };
  const { tls } = load(files).config.replication;
  assert.match(tls.ca ?? '', 'BEGIN CA');
  assert.match(tls.cert ?? '', 'BEGIN CERT');
  assert.match(tls.key?.reveal() ?? '', 'BEGIN KEY');
  assert.not.match(JSON.stringify(load(files).config), 'BEGIN KEY');
  assert.match(problemsOf({ tlsCertFile: files.tlsCertFile })[0] ?? '', 'tls_key_file belong together');
  assert.match(problemsOf({ tlsCaFile: join(folder, 'none') })[0] ?? '', 'cannot be read');
  assert.match(problemsOf({ tlsCaFile: fileWith(folder, 'der') })[0] ?? '', 'is not PEM');
});

test.run();

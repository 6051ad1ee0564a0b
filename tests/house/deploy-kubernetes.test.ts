/** docs/deploy/kubernetes: as the types of the API have it, and as the product needs it. What a pod runs is run here against real nodes. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import ts from 'typescript';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/config/config.js';
import {
  deployDocuments,
  deployFolder,
  deployText,
  mustBeSettings,
  mustStopGently,
  projectVersion,
} from '../support/deploy-files.js';
import { suite, type TestContext } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';
import { mustLieIn, pathsWritten } from './deploy-writes.js';

const test = suite('house/deploy-kubernetes');

interface Labels {
  readonly [name: string]: string;
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}
interface Container {
  readonly image: string;
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly resources: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string>>>>;
  readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas?: number;
    readonly serviceName?: string;
    readonly podManagementPolicy?: string;
    readonly selector?: Labels & { readonly matchLabels?: Labels };
    readonly podSelector?: { readonly matchLabels: Labels };
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly egress?: readonly unknown[];
    readonly template?: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly enableServiceLinks: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly volumes: readonly {
          readonly name: string;
          readonly projected?: {
            readonly sources: readonly { readonly secret: { readonly name: string; readonly optional?: boolean } }[];
          };
        }[];
        readonly containers: readonly Container[];
      };
    };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

const FILE = 'kubernetes/skein.yaml';
const TYPES: Readonly<Record<string, string>> = { v1: 'core/v1', 'apps/v1': 'apps/v1', 'policy/v1': 'policy/v1' };
const manifests = deployDocuments(FILE) as Manifest[];
/** With the lines that an operator switches on: comments that are an item of a list. */
const optionalLine = /^( +)# (- \{.*\})$/gm;
const switchedOn = parseAllDocuments(deployText(FILE).replaceAll(optionalLine, '$1$2'), { strict: true }).map(
  (document) => document.toJS() as Manifest,
);
function named(kind: string, name = 'skein', among = manifests): Manifest {
  const found = among.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}
const set = named('StatefulSet').spec;
const pod = set.template?.spec;
const container = pod?.containers[0];

test('has no field that the API does not know, and none of another type', () => {
  const lines = [...manifests, ...switchedOn].map((manifest, i) => {
    const from = TYPES[manifest.apiVersion] ?? manifest.apiVersion.replace('.k8s.io', '');
    const type = `import('kubernetes-types/${from}').${manifest.kind}`;
    return `export const manifest${i}: ${type} = ${JSON.stringify(manifest, null, 1)};`;
  });
  // In the project's folder, so that the types are found; it is never written there.
  const path = join(projectFolder, 'kubernetes-manifests.ts');
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const complaints = (text: string): string[] => {
    const host = ts.createCompilerHost({ ...options, module: ts.ModuleKind.ESNext });
    const { getSourceFile } = host;
    host.getSourceFile = (name, version, ...rest) =>
      name === path ? ts.createSourceFile(path, text, version) : getSourceFile.call(host, name, version, ...rest);
    const program = ts.createProgram([path], { ...options, module: ts.ModuleKind.ESNext }, host);
    return ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
      .filter((text) => !text.includes('Cannot find global type'));
  };
  assert.equal(complaints(lines.join('\n')), []);
  const misspelt = lines.join('\n').replace('"periodSeconds"', '"periodSecond"');
  assert.match(complaints(misspelt).join(), 'periodSecond');
});

test('selects its own pods everywhere, by ports that they have', () => {
  const labels = set.template?.metadata.labels ?? {};
  const selects = (selector: Labels | undefined): void => {
    for (const [name, value] of Object.entries(selector ?? { none: 'none' })) assert.is(labels[name], value);
  };
  for (const { spec } of manifests.filter(({ kind }) => kind === 'Service')) {
    selects(spec.selector);
    for (const { port, targetPort } of spec.ports ?? [])
      assert.ok(container?.ports.some((one) => one.name === targetPort && one.containerPort === port));
  }
  selects(set.selector?.matchLabels);
  selects(named('PodDisruptionBudget').spec.selector?.matchLabels);
  selects(named('NetworkPolicy').spec.podSelector?.matchLabels);
  assert.is(set.serviceName, named('Service', 'skein-nodes').metadata.name);
  // One after the other, the first node would wait for nodes that wait for it.
  assert.is(set.podManagementPolicy, 'Parallel');
});

test('probes the paths of health with the delays that were asked for, and asks for the resources', () => {
  const { livenessProbe: live, readinessProbe: ready, resources } = container as Container;
  assert.equal([live.httpGet.path, live.initialDelaySeconds, live.periodSeconds], ['/health/live', 30, 10]);
  assert.equal([ready.httpGet.path, ready.initialDelaySeconds, ready.periodSeconds], ['/health/ready', 5, 5]);
  for (const { httpGet } of [live, ready]) assert.ok(container?.ports.some(({ name }) => name === httpGet.port));
  assert.equal(resources, { requests: { cpu: '1', memory: '2Gi' }, limits: { cpu: '2', memory: '4Gi' } });
  assert.is(set.replicas, 3);
  assert.is(String(set.replicas), container?.env.find(({ name }) => name === 'NODES')?.value);
  assert.is(pod?.enableServiceLinks, false);
  assert.is(container?.image, `skein:${projectVersion}`);
});

test('mounts what it declares, and sets what is a setting', () => {
  const volumes = [...(pod?.volumes ?? []), ...(set.volumeClaimTemplates ?? []).map(({ metadata }) => metadata)];
  for (const { name } of container?.volumeMounts ?? [])
    assert.ok(
      volumes.some((volume) => volume.name === name),
      name,
    );
  mustBeSettings(
    (container?.env ?? []).map(({ name }) => name),
    FILE,
  );
  const config = join(deployFolder, 'kubernetes', 'skein.json');
  const loaded = loadConfig({ flags: { config }, environment: {}, workingDir: '/' }).config;
  mustStopGently(loaded, 1_000 * (pod?.terminationGracePeriodSeconds ?? 0));
  // Whoever balances has noticed by then.
  const { periodSeconds = 0, failureThreshold = 0 } = container?.readinessProbe ?? {};
  assert.ok(periodSeconds > 0 && loaded.guards.drainDelayMs >= 1_000 * periodSeconds * failureThreshold);
});

/** What the environment of the container sets. */
function settingsOf(of: Container | undefined): Record<string, string> {
  const given = (of?.env ?? []).filter(({ name }) => name.startsWith('SKEIN_') && !/_KEY_FILE$|_CONFIG$/.test(name));
  return Object.fromEntries(given.map(({ name, value = '' }) => [name, value]));
}

test('writes to volumes alone, and with its optional lines keeps backups in a bucket that it may reach', (t) => {
  assert.is(container?.securityContext.readOnlyRootFilesystem, true);
  const flags = { config: join(deployFolder, 'kubernetes', 'skein.json'), dataDir: '/data' };
  assert.match(deployText('kubernetes/start.sh'), '--data-dir /data ');
  const plain = loadConfig({ flags, environment: settingsOf(container), workingDir: '/' }).config;
  assert.is(plain.backup.place, null, 'which the header says');
  assert.match(deployText(FILE), '# BACKUPS: there are none until');

  const other = named('StatefulSet', 'skein', switchedOn).spec.template?.spec.containers[0];
  const environment = settingsOf(other);
  mustBeSettings(Object.keys(environment), FILE);
  const credentials = environment['SKEIN_BACKUP_S3_CREDENTIALS_FILE'] ?? '';
  const keys = pod?.volumes.find(({ name }) => name === 'keys')?.projected?.sources.map(({ secret }) => secret);
  assert.ok(keys?.some(({ name, optional }) => name === 'skein-backups' && optional === true));
  const mounted = container?.volumeMounts.find(({ name }) => name === 'keys')?.mountPath;
  assert.is(credentials, `${mounted}/${/generic skein-backups --from-file=(\S+)/.exec(deployText(FILE))?.[1]}`);
  environment['SKEIN_BACKUP_S3_CREDENTIALS_FILE'] = join(t.folder(), 'credentials');
  writeFileSync(environment['SKEIN_BACKUP_S3_CREDENTIALS_FILE'], 'id\nsecret\n');
  const { config } = loadConfig({ flags, environment, workingDir: '/' });
  assert.is(config.backup.place?.kind, 's3');

  const folders = container?.volumeMounts.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath) ?? [];
  for (const one of [plain, config]) mustLieIn(folders, pathsWritten(one), FILE);
  const rules = (among: Manifest[]): number => named('NetworkPolicy', 'skein', among).spec.egress?.length ?? 0;
  assert.is(rules(switchedOn), rules(manifests) + 1, 'the bucket');
});

/** Runs start.sh as a pod does, with a server and a find-master that say what they were given. */
function startPod(
  t: TestContext,
  pod: {
    readonly name: string;
    readonly known: boolean;
    readonly answer: string;
    readonly environment?: Readonly<Record<string, string>>;
  },
): { readonly status: number | null; readonly asked: string; readonly served: string } {
  const folder = t.folder();
  const tools = join(folder, 'tools');
  for (const path of [tools, join(folder, 'data')]) mkdirSync(path);
  if (pod.known) writeFileSync(join(folder, 'data', 'NODE'), '');
  writeFileSync(join(tools, 'node'), `#!/bin/sh\necho "$@" > ${folder}/asked\n${pod.answer}\n`, { mode: 0o755 });
  writeFileSync(join(tools, 'server'), `#!/bin/sh\necho "$@"\n`, { mode: 0o755 });
  const script = deployText('kubernetes/start.sh')
    .replaceAll('/data/NODE', `${folder}/data/NODE`)
    .replaceAll('/skein/dist/bundle/server/main.js', join(tools, 'server'));
  const { status, stdout } = spawnSync('sh', ['-c', script], {
    env: { PATH: `${tools}:${process.env['PATH']}`, POD_NAME: pod.name, POD_NAMESPACE: 'here', NODES: '3', ...pod.environment },
    encoding: 'utf8',
  });
  const asked = spawnSync('cat', [join(folder, 'asked')], { encoding: 'utf8' }).stdout.trim();
  return { status, asked, served: stdout.trim() };
}

const nodeAt = (name: string): string => `http://${name}.skein-nodes.here.svc:7171`;
const SERVES = 'serve --host 0.0.0.0 --data-dir /data --advertise';

test('a node with a role of its own is started by it, and asks nobody', (t) => {
  const { asked, served } = startPod(t, { name: 'skein-1', known: true, answer: 'exit 1' });
  assert.equal([asked, served], ['', `${SERVES} ${nodeAt('skein-1')}`]);
});

test('the first node begins a cluster only where that is safe, and follows a master that is named', (t) => {
  const alone = startPod(t, { name: 'skein-0', known: false, answer: 'exit 0' });
  assert.is(alone.served, `${SERVES} ${nodeAt('skein-0')}`);
  assert.match(alone.asked, `--wait ${nodeAt('skein-0')} ${nodeAt('skein-1')} ${nodeAt('skein-2')}`);
  const joining = startPod(t, { name: 'skein-0', known: false, answer: `echo ${nodeAt('skein-2')}` });
  assert.is(joining.served, `${SERVES} ${nodeAt('skein-0')} --master ${nodeAt('skein-2')}`);
  const unclear = startPod(t, { name: 'skein-0', known: false, answer: 'exit 1' });
  assert.equal([unclear.status, unclear.served], [1, '']);
});

test('another node follows the master that is named, or waits for the first node', (t) => {
  for (const answer of ['exit 0', 'exit 1']) {
    const first = startPod(t, { name: 'skein-2', known: false, answer });
    assert.is(first.served, `${SERVES} ${nodeAt('skein-2')} --master ${nodeAt('skein-0')}`);
    assert.not.match(first.asked, '--wait');
  }
  const other = startPod(t, { name: 'skein-2', known: false, answer: `echo ${nodeAt('skein-1')}` });
  assert.is(other.served, `${SERVES} ${nodeAt('skein-2')} --master ${nodeAt('skein-1')}`);
});

test('pods that have certificates are known by https', (t) => {
  const { served } = startPod(t, { name: 'skein-1', known: true, answer: '', environment: { NODE_SCHEME: 'https' } });
  assert.match(served, '--advertise https://skein-1.skein-nodes.here.svc:7171');
});

/** A node that answers what it is asked with this. @returns its address */
async function stubNode(t: TestContext, status: number, body: object | (() => object | undefined)): Promise<string> {
  const server = createServer((request, reply) => {
    reply.statusCode = request.url === '/replication/status' && request.headers['api-key'] === KEY ? status : 401;
    reply.end(JSON.stringify(typeof body === 'function' ? body() : body));
  });
  t.after(() => new Promise((resolve) => server.close(resolve)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const KEY = 'a-key-of-this-test';
const OWN = 'http://skein-0.here:7171';
const UNKNOWN = 'http://nobody.invalid:7171';

function findMaster(
  t: TestContext,
  nodes: readonly string[],
  flags: readonly string[] = [],
): Promise<{ code: number | null; printed: string; errors: string }> {
  const keyFile = join(t.folder(), 'key');
  writeFileSync(keyFile, `${KEY}\n`);
  const child = spawn(process.execPath, [join(deployFolder, 'kubernetes', 'find-master.mjs'), ...flags, OWN, ...nodes], {
    env: { ...process.env, SKEIN_API_KEY_FILE: keyFile },
  });
  let [printed, errors] = ['', ''];
  child.stdout.on('data', (data) => {
    printed += data;
  });
  child.stderr.on('data', (data) => {
    errors += data;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, printed: printed.trim(), errors })));
}

/** A replica with nothing in it that waits for the first node. */
const EMPTY = { role: 'replica', master_url: OWN, stats: { position: null, history_id: null } };

test('the master is named by itself, else by a replica, whatever the others do not know', async (t) => {
  const master = await stubNode(t, 200, { role: 'master', stats: null });
  const replica = await stubNode(t, 200, { role: 'replica', master_url: 'http://the-master:7171', stats: null });
  const starting = await stubNode(t, 503, { error: { type: 'Starting' } });
  assert.is((await findMaster(t, [UNKNOWN, replica, master])).printed, master);
  assert.is((await findMaster(t, [starting, replica])).printed, 'http://the-master:7171');
});

test('a cluster begins when every other node says that it has no data, and never beside one that may have some', async (t) => {
  const empty = await stubNode(t, 200, EMPTY);
  const nothing = { code: 0, printed: '', errors: '' };
  assert.equal(await findMaster(t, [empty, empty]), nothing);
  assert.equal(await findMaster(t, []), nothing, 'a single node');
  const starting = await stubNode(t, 200, { role: 'replica', master_url: null, stats: null });
  const orphan = await stubNode(t, 200, { ...EMPTY, stats: { position: 'p', history_id: 'h' } });
  const refusing = await stubNode(t, 401, { error: { type: 'Unauthorized' } });
  const broken = await stubNode(t, 200, []);
  // EAI_AGAIN or ENOTFOUND, a closed port, a start, data: whatever it is, that node may have data.
  const { code, printed, errors } = await findMaster(t, [
    empty,
    UNKNOWN,
    'http://127.0.0.1:2',
    starting,
    orphan,
    refusing,
    broken,
  ]);
  assert.equal([code, printed, errors.trim().split('\n').length], [1, '', 6], errors);
  for (const part of ['does not answer', 'ECONNREFUSED', 'is starting', 'promote it', '401 Unauthorized'])
    assert.match(errors, part);
});

test('the first node waits for the others to come', async (t) => {
  const bodies = [{ role: 'replica', master_url: null, stats: null }, EMPTY];
  const late = await stubNode(t, 200, () => (bodies.length > 1 ? bodies.shift() : bodies[0]));
  assert.equal(await findMaster(t, [late], ['--wait']), { code: 0, printed: '', errors: '' });
});

test.run();

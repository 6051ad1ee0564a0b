/** Certificates that are exchanged while a node serves: no request is dropped, a broken pair is refused, and an end that is near is told. */

import { copyFileSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { readLinkTls } from '../../src/config/replication-settings.js';
import { type LogFields, type ProcessLog, silentProcessLog } from '../../src/model/log.js';
import { Certificates } from '../../src/node/certificates.js';
import { startNode } from '../../src/node/node.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('node/certificates', { deadlineMs: 60_000 });
const source = (name: string): string => fileURLToPath(new URL(`../../../tests/support/certificates/${name}`, import.meta.url));

interface Files {
  readonly paths: { readonly tlsCaFile: string; readonly tlsCertFile: string; readonly tlsKeyFile: string };
  put(cert: 'node' | 'stranger', key?: 'node' | 'stranger'): void;
}

function files(t: TestContext): Files {
  const folder = t.folder();
  const paths = { tlsCaFile: source('ca.pem'), tlsCertFile: join(folder, 'c.pem'), tlsKeyFile: join(folder, 'k.pem') };
  const put: Files['put'] = (cert, key = cert) => {
    copyFileSync(source(`${cert}.pem`), paths.tlsCertFile);
    copyFileSync(source(`${key}.key`), paths.tlsKeyFile);
  };
  put('node');
  return { paths, put };
}

interface Seen {
  readonly event: string;
  readonly fields: LogFields;
}

function noting(): { readonly log: ProcessLog; readonly seen: Seen[]; count(event: string): number } {
  const seen: Seen[] = [];
  const note = (event: string, fields: LogFields = {}): void => void seen.push({ event, fields });
  const log = { ...silentProcessLog, debug: note, info: note, warn: note, error: note };
  return { log, seen, count: (event) => seen.filter((each) => each.event === event).length };
}

/** @returns the fingerprint of the certificate that answered */
function ask(url: string, agent: Agent | false): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/health/live`, { agent, rejectUnauthorized: false }, (answer) => {
      const { fingerprint256 } = (answer.socket as TLSSocket).getPeerCertificate();
      answer.resume().on('end', () => (answer.statusCode === 200 ? resolve(fingerprint256) : reject(new Error('status'))));
    });
    asked.on('error', reject).end();
  });
}

test('another certificate comes into use without a dropped request, and a broken pair leaves what there is', async (t) => {
  const { paths, put } = files(t);
  const { log, count } = noting();
  const dataDir = join(t.folder(), 'data');
  const flags = { dataDir, port: '0', docs: 'false', ...paths };
  const { config } = loadConfig({ flags, environment: {}, workingDir: dataDir });
  const node = await startNode({ config, shownConfig: {}, log, onFatal: () => undefined });
  t.after(() => node.stop());
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => kept.destroy());
  const first = await ask(node.url, kept);
  let running = true;
  let answered = 0;
  const load = [kept, false as const].map(async (agent) => {
    while (running) {
      await ask(node.url, agent);
      answered += 1;
    }
  });
  await waitUntil(() => answered > 10, { what: 'requests to run' });
  put('stranger');
  await node.reload?.();
  const second = await ask(node.url, false);
  assert.is.not(second, first);
  const before = answered;
  await waitUntil(() => answered > before + 10, { what: 'requests to go on' });
  assert.is(await ask(node.url, kept), first, 'a connection keeps what it has');
  put('node', 'stranger');
  await node.reload?.();
  assert.equal([count('certificates_reloaded'), count('certificates_refused')], [1, 1]);
  assert.is(await ask(node.url, false), second);
  put('node');
  await node.reload?.();
  assert.is(await ask(node.url, false), first);
  running = false;
  await Promise.all(load);
  assert.match((await node.metrics?.text()) ?? '', /skein_tls_certificate_expiry_timestamp_seconds [1-9]\d{9}\n/);
});

test('a certificate before its time is refused, and files that do not fit are named before anything listens', async (t) => {
  const { paths, put } = files(t);
  const { log, seen } = noting();
  const clock = { wallMs: () => 0, monotonicMs: () => 0 };
  const meter = createMetrics().meter;
  const listen = (): void => undefined;
  const early = new Certificates({ paths, tls: readLinkTls(paths), log, clock, meter, listen });
  assert.equal(early.concerns(), ['the certificate of this node is not valid yet']);
  put('stranger');
  await early.reload();
  assert.match(String(seen.at(-1)?.fields['reason']), 'not valid before');
  put('node', 'stranger');
  const mixed = new Certificates({ paths, tls: readLinkTls(paths), log, clock, meter: createMetrics().meter, listen });
  assert.throws(() => mixed.start(), `${paths.tlsCertFile} and ${paths.tlsKeyFile} cannot be used: `);
  mixed.stop();
});

test('files that change are seen by themselves, links get what is in them, and a near end is a concern', async (t) => {
  const { paths, put } = files(t);
  const { log, count, seen } = noting();
  const tls = readLinkTls(paths);
  let nowMs = Date.now();
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  const used: string[] = [];
  const certificates = new Certificates({
    ...{ paths, tls, log, clock, meter: createMetrics().meter, lookMs: 10 },
    listen: ({ cert }) => used.push(cert),
  });
  t.after(() => certificates.stop());
  certificates.start();
  assert.equal([certificates.forLinks.cert, certificates.concerns()], [tls.cert, []]);
  await certificates.reload();
  assert.is(count('certificates_reloaded'), 0, 'nothing has changed');
  put('stranger');
  await waitUntil(() => count('certificates_reloaded') > 0, { what: 'the change to be seen' });
  const stranger = readFileSync(source('stranger.pem'), 'utf8');
  await waitUntil(() => certificates.forLinks.cert === stranger, { what: 'links to have it' });
  assert.is(used.at(-1), stranger);
  nowMs += 200 * 366 * 86_400_000;
  assert.equal(certificates.concerns(), ['the certificate of this node has expired']);
  put('node');
  await waitUntil(() => seen.some(({ fields }) => String(fields['reason']).includes('expired')), { what: 'the refusal' });
  assert.is(certificates.forLinks.cert, stranger);
  assert.not(JSON.stringify(seen).includes('PRIVATE KEY'));
});

test.run();

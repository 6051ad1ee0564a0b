/** Nodes that speak https and wss: a replica checks its master, a master may check its replicas, and a stranger gets nothing. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { type LogFields, type ProcessLog, silentProcessLog } from '../../src/model/log.js';
import { type Node, startNode } from '../../src/node/node.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('node/tls', { deadlineMs: 60_000 });
const file = (name: string): string => fileURLToPath(new URL(`../../../tests/support/certificates/${name}`, import.meta.url));
const CA = readFileSync(file('ca.pem'), 'utf8');
const OWN = { tlsCertFile: file('node.pem'), tlsKeyFile: file('node.key'), tlsCaFile: file('ca.pem') };
const STRANGER = { tlsCertFile: file('stranger.pem'), tlsKeyFile: file('stranger.key'), tlsCaFile: file('ca.pem') };

interface Started {
  readonly node: Node;
  readonly events: { readonly event: string; readonly fields: LogFields }[];
}

async function started(t: TestContext, flags: Readonly<Record<string, string>>): Promise<Started> {
  const dataDir = join(t.folder(), 'data');
  const events: Started['events'] = [];
  const note = (event: string, fields: LogFields = {}): void => void events.push({ event, fields });
  const log: ProcessLog = { ...silentProcessLog, debug: note, info: note, warn: note, error: note };
  const { config } = loadConfig({ flags: { dataDir, port: '0', docs: 'false', ...flags }, environment: {}, workingDir: dataDir });
  const node = await startNode({ config, shownConfig: {}, log, onFatal: (reason) => note('fatal', { reason }) });
  t.after(() => node.stop());
  return { node, events };
}

function stats(node: Node): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const asked = request(`${node.url}/replication/stats`, { ca: CA, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () => resolve(JSON.parse(text) as Record<string, unknown>));
    });
    asked.on('error', reject).end();
  });
}

const follows = async ({ node }: Started): Promise<boolean> => (await stats(node))['link'] === 'following';

test('a replica follows over wss, both ends checked, and callers of the API need no certificate', async (t) => {
  const { node: master } = await started(t, { ...OWN, tlsPeers: 'verified' });
  assert.match(master.url, /^https:/);
  const replica = await started(t, { ...OWN, master: master.url.replace('https', 'wss') });
  await waitUntil(() => follows(replica), { what: 'the replica to follow' });
  assert.is((await stats(replica.node))['cluster_id'], (await stats(master))['cluster_id']);
});

test('a master that checks its replicas refuses one with another authority and one without a certificate', async (t) => {
  const { node: master } = await started(t, { ...OWN, tlsPeers: 'verified' });
  const address = master.url.replace('https', 'wss');
  const refused = async (flags: Readonly<Record<string, string>>): Promise<void> => {
    const { events } = await started(t, { master: address, heartbeatMs: '50', replicaTimeoutMs: '200', ...flags });
    // A try may also end because the machine is slow.
    const refusals = (): number =>
      events.filter(({ event, fields }) => event === 'link_lost' && String(fields['reason']).includes('401')).length;
    await waitUntil(() => refusals() >= 2, { what: 'two tries to be refused' });
  };
  await refused(STRANGER);
  await refused({ tlsCaFile: file('ca.pem') });
  assert.is((await stats(master))['connected_replicas'], 0);
});

test('a stop does not wait for connections that are kept open', async (t) => {
  const { node, events } = await started(t, OWN);
  const agent = new Agent({ keepAlive: true, ca: CA });
  t.after(() => agent.destroy());
  const ask = async (): Promise<void> => {
    const [answer] = await once(request(`${node.url}/health/live`, { agent }).end(), 'response');
    await once(answer.resume(), 'end');
  };
  await Promise.all([ask(), ask(), ask()]);
  assert.is(Object.values(agent.freeSockets).flat().length, 3);
  await node.stop();
  const problems = events.filter(({ event }) => event === 'stop_step_failed' || event === 'requests_cut');
  assert.equal(problems, []);
  // Far from the time for requests, which is when what does not end is cut.
  const requests = events.find(({ event, fields }) => event === 'stop_step' && fields['step'] === 'requests');
  assert.ok(Number(requests?.fields['took_ms']) < 10_000, JSON.stringify(requests));
});

test('a replica does not follow a master whose certificate is of another authority', async (t) => {
  const { node: master } = await started(t, STRANGER);
  const { events } = await started(t, { ...OWN, master: master.url.replace('https', 'wss') });
  const lost = (): boolean =>
    events.some(({ event, fields }) => event === 'link_lost' && /self.signed/.test(String(fields['reason'])));
  await waitUntil(lost, { what: 'the link to be given up' });
});

test.run();

/** The webhook against real receivers that are slow, broken, gone or somewhere else. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/model/clock.js';
import type { HealthStatus } from '../../src/model/health.js';
import type { LogFields } from '../../src/model/log.js';
import type { HealthChange } from '../../src/observability/health-monitor.js';
import { HealthWebhook, mayPass, type WebhookParts } from '../../src/observability/health-webhook.js';
import { Dependencies } from '../../src/resilience/dependencies.js';
import type { RetrySettings } from '../../src/resilience/retry.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('observability/health-webhook');

interface Message {
  readonly status: string;
  readonly node: string;
  readonly left_out: number;
  readonly transitions: readonly { readonly component: string; readonly to: string; readonly at: string }[];
}

interface Receiver {
  readonly url: string;
  readonly bodies: Message[];
  readonly headers: IncomingHttpHeaders[];
  answer: (response: ServerResponse) => void;
}

async function receiver(t: TestContext): Promise<Receiver> {
  const kept: Receiver = { url: '', bodies: [], headers: [], answer: (response) => void response.writeHead(204).end() };
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (more: string) => (text += more));
    request.on('end', () => {
      kept.bodies.push(JSON.parse(text) as Message);
      kept.headers.push(request.headers);
      kept.answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(kept, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/t0ken` });
}

const QUICK: Partial<RetrySettings> = { attemptsMax: 3, baseDelayMs: 1, jitter: false };

function webhookTo(t: TestContext, url: string, parts: Partial<WebhookParts> = {}, tries = QUICK) {
  const lines: { event: string; fields: LogFields }[] = [];
  const keep = (event: string, fields: LogFields = {}): void => void lines.push({ event, fields });
  const log = { debug: keep, info: keep, warn: keep, error: keep };
  const dependencies = new Dependencies({ log, wallMs: () => 0 });
  const told = {
    url,
    secret: 'a-secret',
    // No machine is that slow; who waits for the end of it says so.
    timeoutMs: 60_000,
    dependency: dependencies.add({ name: 'webhook', isFailure: mayPass, retry: tries }),
    clock: systemClock,
    log,
    about: () => ({ node: 'n1' }),
    ...parts,
  };
  const webhook = new HealthWebhook(told);
  t.after(() => webhook.stop());
  return { webhook, lines, told };
}

function change(to: HealthStatus, component = 'disk'): HealthChange {
  const report = { status: to, reasons: ['r'], components: [], atMs: 0, tookMs: 1 };
  return { report, transitions: [{ atMs: 0, component, from: 'healthy', to, message: 'r' }] };
}

const finding = (webhook: HealthWebhook) => webhook.check(100).check(new AbortController().signal);

test('a change arrives as JSON, with the secret in a header', async (t) => {
  const there = await receiver(t);
  const { webhook } = webhookTo(t, there.url);
  webhook.notify(change('degraded'));
  await waitUntil(() => webhook.counts.delivered === 1, { what: 'the delivery' });
  assert.equal(there.bodies, [
    {
      event: 'health_changed',
      node: 'n1',
      status: 'degraded',
      reasons: ['r'],
      at: '1970-01-01T00:00:00.000Z',
      transitions: [{ component: 'disk', from: 'healthy', to: 'degraded', message: 'r', at: '1970-01-01T00:00:00.000Z' }],
      left_out: 0,
    } as unknown as Message,
  ]);
  assert.is(there.headers[0]?.authorization, 'Bearer a-secret');
});

test('a receiver that fails for a while gets it in the end; what changed meanwhile comes along', async (t) => {
  const there = await receiver(t);
  const { webhook } = webhookTo(t, there.url, {}, { ...QUICK, attemptsMax: 4, baseDelayMs: 20 });
  there.answer = (response) => {
    if (there.bodies.length === 1) webhook.notify(change('unhealthy', 'vector'));
    response.writeHead(there.bodies.length < 3 ? 503 : 200).end();
  };
  webhook.notify(change('degraded'));
  await waitUntil(() => webhook.counts.delivered === 2, { what: 'the delivery' });
  assert.equal(
    there.bodies.map(({ transitions }) => transitions.map(({ component }) => component)),
    [['disk'], ['disk', 'vector'], ['disk', 'vector']],
  );
  assert.is(there.bodies.at(-1)?.status, 'unhealthy');
});

test('one that never answers is given up after its tries, and delays nobody', async (t) => {
  const there = await receiver(t);
  there.answer = () => {};
  let tries = 0;
  const about = () => ({ node: `n${++tries}` });
  const { webhook, lines, told } = webhookTo(t, there.url, { timeoutMs: 20, about });
  webhook.notify(change('degraded'));
  assert.is(webhook.counts.failed, 0, 'nobody waits');
  await waitUntil(() => lines.some(({ event }) => event === 'health_webhook_failed'), { what: 'the end of the tries' });
  assert.is(tries, 3);
  assert.equal(
    lines.filter(({ event }) => event === 'health_webhook_failed').map(({ fields }) => fields),
    [{ reason: 'no answer in 20 ms' }],
  );
  const { status, message } = await finding(webhook);
  assert.equal([status, message], ['degraded', 'the webhook did not take the last change (no answer in 20 ms)']);
  assert.not.match(JSON.stringify([lines, message]), /t0ken|a-secret/);
  there.answer = (response) => void response.writeHead(200).end();
  told.timeoutMs = 60_000;
  webhook.nudge(change('degraded').report);
  await waitUntil(() => webhook.counts.delivered === 1, { what: 'the next delivery' });
  assert.equal(
    there.bodies.at(-1)?.transitions.map(({ component }) => component),
    ['disk'],
    'it was kept',
  );
  assert.equal(webhook.counts, { delivered: 1, failed: 0 }, 'nothing was given up');
  assert.is((await finding(webhook)).status, 'healthy');
});

test('a refusal and a redirection are not tried again', async (t) => {
  const there = await receiver(t);
  const elsewhere = await receiver(t);
  const { webhook, lines } = webhookTo(t, there.url);
  there.answer = (response) => void response.writeHead(400).end('no');
  webhook.notify(change('degraded'));
  await waitUntil(() => webhook.counts.failed === 1, { what: 'the refusal' });
  there.answer = (response) => void response.writeHead(307, { location: elsewhere.url }).end();
  webhook.notify(change('degraded'));
  await waitUntil(() => webhook.counts.failed === 2, { what: 'the redirection' });
  assert.equal([there.bodies.length, elsewhere.bodies.length], [2, 0], 'the secret goes nowhere else');
  assert.equal(
    lines.map(({ event, fields }) => [event, fields['reason']]),
    [['health_webhook_failed', 'status 400']],
    'said once until one is taken',
  );
});

test('a receiver that refused and was mended is told how the node is, with what it missed counted', async (t) => {
  const there = await receiver(t);
  const { webhook } = webhookTo(t, there.url);
  there.answer = (response) => void response.writeHead(404).end();
  webhook.notify({
    ...change('degraded'),
    transitions: [...change('degraded').transitions, ...change('degraded', 'cpu').transitions],
  });
  await waitUntil(() => webhook.counts.failed === 2, { what: 'the refusal' });
  assert.is((await finding(webhook)).status, 'degraded');
  there.answer = (response) => void response.writeHead(204).end();
  webhook.nudge(change('healthy').report);
  await waitUntil(async () => (await finding(webhook)).status === 'healthy', { what: 'the state to be taken' });
  const { status, transitions, left_out } = there.bodies.at(-1) as Message;
  assert.equal([status, transitions, left_out], ['healthy', [], 2]);
  webhook.nudge(change('healthy').report);
  assert.equal([webhook.counts, there.bodies.length], [{ delivered: 0, failed: 2 }, 2], 'it is told once');
  webhook.notify(change('degraded'));
  await waitUntil(() => webhook.counts.delivered === 1, { what: 'the next change' });
  assert.is(there.bodies.at(-1)?.left_out, 0);
});

test('a receiver that is gone is said by its code', async (t) => {
  const { webhook, lines } = webhookTo(t, 'http://127.0.0.1:1/');
  webhook.notify(change('degraded'));
  await waitUntil(() => lines.some(({ event }) => event === 'health_webhook_failed'), { what: 'the end of the tries' });
  assert.match(String(lines.at(-1)?.fields['reason']), /^(ECONNREFUSED|no answer)$/);
});

test('what waits is bounded, and the message says how much was left out', async (t) => {
  const there = await receiver(t);
  let open: () => void = () => {};
  const first = new Promise<void>((resolve) => (open = resolve));
  there.answer = (response) => void first.then(() => response.writeHead(200).end());
  const { webhook } = webhookTo(t, there.url);
  for (let i = 0; i < 250; i++) webhook.notify(change('degraded', `c${i}`));
  await waitUntil(() => there.bodies.length === 1, { what: 'the first try' });
  open();
  await waitUntil(() => there.bodies.length === 2 && webhook.counts.delivered > 100, { what: 'the rest' });
  const [, rest] = there.bodies;
  assert.equal([rest?.transitions.length, rest?.transitions.at(-1)?.component], [100, 'c249']);
  assert.ok((rest?.left_out ?? 0) >= 149, `${rest?.left_out}`);
});

test('a stop breaks off what is under way', async (t) => {
  const there = await receiver(t);
  there.answer = () => {};
  const { webhook, lines } = webhookTo(t, there.url);
  webhook.notify(change('degraded'));
  await waitUntil(() => there.bodies.length === 1, { what: 'the first try' });
  webhook.stop();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal([webhook.counts, lines], [{ delivered: 0, failed: 0 }, []]);
});

test.run();

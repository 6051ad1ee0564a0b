/** `skein wait` against servers that start, serve, fail and are not there: scripted ones, and a real one. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { namedServers } from '../../src/cli/named-servers.js';
import { startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';
import { runSkein } from './run-skein.js';

const test = suite('cli/wait');

interface Scripted {
  readonly url: string;
  asked: number;
  /** Called with how often it was asked, before it answers. */
  onAsked(times: number): void;
}

/** What is asked for now was given its time before. */
function anHourPasses(t: TestContext): void {
  const { now } = performance;
  performance.now = () => now.call(performance) + HOUR_MS;
  t.after(() => {
    performance.now = now;
  });
}

const HOUR_MS = 3_600_000;
const STARTING = { status: 'unhealthy', state: 'starting', step: 'indexes', progress: 0.5, eta_ms: 10, message: 'loading' };
const READY = { ...STARTING, status: 'healthy', state: 'ready', step: 'ready', progress: 1, message: 'ready' };

/** Says it starts until it was asked so often, then how it is. */
async function scripted(
  t: TestContext,
  startsFor: number,
  status = 'healthy',
  reasons: readonly string[] = [],
): Promise<Scripted> {
  const script: Scripted = { url: '', asked: 0, onAsked: () => undefined };
  const server = createServer((request, response) => {
    if (request.url === '/health/ready') script.onAsked(++script.asked);
    const ready = script.asked > startsFor;
    const body = request.url === '/health/ready' ? (ready ? READY : STARTING) : { status, reasons };
    const code = !ready || (body.status === 'unhealthy' && request.url === '/health') ? 503 : 200;
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  return Object.assign(script, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const QUICK = ['--interval', '10ms'];

test('states are printed once when they change, and it ends at once when all can serve', async (t) => {
  const [quick, slow] = [await scripted(t, 0), await scripted(t, 3)];
  const { exitCode, output } = await runSkein(['wait', `one=${quick.url}`, `two=${slow.url}`, ...QUICK]);
  assert.is(exitCode, 0, output);
  const lines = output.trim().split('\n').sort();
  assert.equal(lines, ['one: healthy', 'two: starting (indexes: loading)', 'two: starting → healthy']);
  assert.is(slow.asked, 4);
});

test('after the limit it fails, and says who is not there and why', async (t) => {
  const [well, never] = [await scripted(t, 0), await scripted(t, Number.POSITIVE_INFINITY)];
  never.onAsked = (times) => {
    if (times === 3) anHourPasses(t);
  };
  const argv = ['wait', `a=${well.url}`, `b=${never.url}`, 'c=http://127.0.0.1:1', '--timeout', '1h', ...QUICK];
  const { exitCode, output } = await runSkein(argv);
  assert.is(exitCode, 1);
  assert.match(output, 'c: unreachable (ECONNREFUSED)');
  const last = output.trim().split('\n').at(-1) ?? '';
  assert.match(
    last,
    /^not there after 3600 s: b \(http.*\) is starting: indexes: loading, c \(http.*\) is unreachable: ECONNREFUSED$/,
  );
});

test('a degraded server serves, unless health was asked for; an unhealthy one never does', async (t) => {
  const degraded = await scripted(t, 0, 'degraded', ['the disk is 95 % full']);
  const served = await runSkein(['wait', '--url', degraded.url, ...QUICK]);
  assert.is(served.exitCode, 0, served.output);
  assert.match(served.output, /degraded \(the disk is 95 % full\)/);
  degraded.onAsked = () => anHourPasses(t);
  const strict = await runSkein(['wait', '--url', degraded.url, '--healthy', '--timeout', '1h', ...QUICK]);
  assert.is(strict.exitCode, 1);
  assert.match(strict.output, /is degraded: the disk is 95 % full/);
  const broken = await scripted(t, 0, 'unhealthy', ['no search']);
  broken.onAsked = () => anHourPasses(t);
  const refused = await runSkein(['wait', broken.url, '--timeout', '1h', ...QUICK]);
  assert.is(refused.exitCode, 1);
  assert.match(refused.output, /is unhealthy: no search/);
});

test('for programs there is one object a line, and the result at last', async (t) => {
  const server = await scripted(t, 1);
  const { exitCode, output } = await runSkein(['wait', `n=${server.url}`, '--json', ...QUICK]);
  const objects = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(
    [exitCode, objects.map(({ kind, from, to }) => [kind, from, to])],
    [
      0,
      [
        ['state', null, 'starting'],
        ['state', 'starting', 'healthy'],
        ['result', undefined, undefined],
      ],
    ],
  );
  const { waited_ms: waitedMs, ...result } = objects.at(-1) ?? {};
  assert.equal(result, { kind: 'result', ready: true, servers: [{ name: 'n', url: server.url, state: 'healthy', message: '' }] });
  assert.type(waitedMs, 'number');
});

test('names and addresses are read, and bad ones are mistakes of use', async () => {
  assert.equal(namedServers('wait', ['http://a:7171/', 'm=https://b']), [
    { name: 'a:7171', url: 'http://a:7171' },
    { name: 'm', url: 'https://b' },
  ]);
  for (const bad of [['ftp://a'], ['nonsense'], ['m=http://a', 'm=http://b']]) assert.throws(() => namedServers('wait', bad));
  assert.is((await runSkein(['wait', 'nonsense'])).exitCode, 2);
});

test('a Ctrl-C ends it', async (t) => {
  const never = await scripted(t, Number.POSITIVE_INFINITY);
  const stopping = AbortSignal.timeout(30);
  const { exitCode, errors } = await runSkein(['wait', never.url, ...QUICK], { stopping });
  assert.is(exitCode, 1);
  assert.match(errors, 'interrupted');
});

test('a real server is waited for', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'));
  const { exitCode, output } = await runSkein(['wait', '--url', server.url]);
  assert.equal([exitCode, output], [0, `${new URL(server.url).host}: healthy\n`]);
});

test.run();

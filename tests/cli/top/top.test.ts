/** `skein top` over a real server, one that is down, and a terminal that must be as it was before. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { top } from '../../../src/cli/top/top.js';
import { TOP_FIELDS } from '../../../src/config/command-fields.js';
import { loadCommandFields } from '../../../src/config/config.js';
import { SkeinClient } from '../../../src/sdk/index.js';
import { startServer } from '../../support/server-process.js';
import { suite, type TestContext } from '../../support/suite.js';
import { waitUntil } from '../../support/wait-until.js';
import { runSkein } from '../run-skein.js';

const test = suite('cli/top/top', { deadlineMs: 60_000 });
const NOBODY = 'http://127.0.0.1:1';

/** A server that answers as the one at `url` does, each time when `wait` has ended. @returns its address */
async function before(t: TestContext, url: string, wait: (path: string) => Promise<void>): Promise<string> {
  const pass = async ({ url: path = '' }: IncomingMessage, response: ServerResponse): Promise<void> => {
    await wait(path);
    const answer = await fetch(`${url}${path}`);
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(await answer.text());
  };
  const server = createServer((request, response) => {
    pass(request, response).catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('figures of a node that works stand beside a node that is down, and a terminal is left as it was', async (t) => {
  const { url } = await startServer(t, join(t.folder(), 'data'));
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  await client.createCollection('c', { dimension: 2, distance: 'dot' });
  await client.upsert('c', [{ id: 1, vector: [1, 2] }]);

  // Between the two looks there is a search, however fast or slow the machine is.
  let looks = 0;
  const searched = await before(t, url, async (path) => {
    if (path === '/metrics' && ++looks === 2)
      for (let i = 0; i < 2; i++) await client.search('c', { vector: [1, 2], cache: false });
  });
  const once = await runSkein(['top', searched, `gone=${NOBODY}`, '--once', '--json', '--interval', '100']);
  assert.is(once.exitCode, 1);
  const [here, gone] = once.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal([here?.['kind'], here?.['role'], here?.['points']], ['node', 'master', 1]);
  assert.ok(Number(here?.['seq']) >= 2);
  assert.ok(Number(here?.['searches_per_second']) > 0, once.output);
  assert.ok(Number(here?.['search_p99_ms']) > 0 && Number(here?.['memory_bytes']) > 1e6, once.output);
  assert.equal([gone?.['name'], gone?.['state'], gone?.['role'], gone?.['searches_per_second']], ['gone', 'down', null, null]);
  const text = await runSkein(['top', '--url', url, '--once', '--interval', '100ms']);
  assert.is(text.exitCode, 0, text.errors);
  assert.match(text.output, /1 of 1 nodes answer\n\nnode +state +role +seq/);

  let drawn = '';
  const stop = new AbortController();
  const write = (more: string): boolean => {
    drawn += more;
    return true;
  };
  const output = { write, isTTY: true, columns: 40, rows: 6, once: () => undefined };
  const { values } = loadCommandFields(TOP_FIELDS, { flags: { interval: '100ms' }, environment: {}, workingDir: '.' });
  const watching = top([url, `gone=${NOBODY}`], values, {
    ...{ environment: {}, workingDir: '.', output, errors: output, stopping: stop.signal },
    protocolStreams: () => {
      throw new Error('top reads nothing');
    },
  });
  await waitUntil(() => drawn.split('\u001b[H').length > 3, { what: 'three drawings' });
  stop.abort(new Error('Ctrl-C'));
  assert.is(await watching, 0);
  assert.ok(drawn.startsWith('\u001b[?1049h\u001b[?25l'));
  assert.ok(drawn.endsWith('\u001b[?25h\u001b[?1049l'));
  const frame = drawn.split('\u001b[H')[2] ?? '';
  assert.ok(frame.split('\r\n').length <= 5, frame);
  assert.match(frame, /… \d more lines/);
  for (const line of frame.replaceAll('\u001b[K', '').replaceAll('\u001b[J', '').split('\r\n'))
    assert.ok(Array.from(line).length <= 40, line);
});

test.run();

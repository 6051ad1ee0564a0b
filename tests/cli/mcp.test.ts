/** `skein mcp` as a command: where it listens, whose keys count, how it ends. */
import { PassThrough, Readable } from 'node:stream';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { runSkein } from './run-skein.js';

const test = suite('cli/mcp');
const url = 'http://127.0.0.1:9';

test('over HTTP it says where it is, and ends when it is told to', async () => {
  const stop = new AbortController();
  const running = runSkein(['mcp', '--http', '--port', '0', '--url', url], { stopping: stop.signal });
  stop.abort();
  const { exitCode, output, errors } = await running;
  assert.is(exitCode, 0);
  assert.match(errors, /offered at http:\/\/127\.0\.0\.1:\d+\/mcp/);
  assert.is(output, '');
});

test('over HTTP it takes no key of its own, which every caller would borrow', async () => {
  const { exitCode, errors } = await runSkein(['mcp', '--http', '--url', url], {
    environment: { SKEIN_API_KEY: 'x'.repeat(20) },
  });
  assert.is(exitCode, 2);
  assert.match(errors, 'brings its own key');
});

test('over standard input it answers what it was asked before the input ended, and nothing else', async () => {
  const messages = [
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'health_check' } },
  ];
  const output = new PassThrough({ encoding: 'utf8' });
  const lines = ['this is no message\n', ...messages.map((message) => `${JSON.stringify(message)}\n`)];
  const ran = await runSkein(['mcp', '--url', url], {
    protocolStreams: { input: Readable.from(lines.map(Buffer.from)), output },
  });
  const answers = String(output.read())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: number });
  assert.equal([ran.exitCode, ran.output, answers.map(({ id }) => id)], [0, '', [1, 2]]);
  assert.match(ran.errors, 'a message was not understood');
  assert.match(JSON.stringify(answers[1]), 'UNHEALTHY');
});

test.run();

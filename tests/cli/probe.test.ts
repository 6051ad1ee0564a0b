/** `skein probe`: finds the server from its own settings, over TLS too, and says nothing but yes where it is well. */

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createPlain, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite, type TestContext } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';
import { runSkein } from './run-skein.js';

const test = suite('cli/probe');
const certificates = join(projectFolder, 'tests', 'support', 'certificates');
const cert = join(certificates, 'node.pem');

/** Lives and is not ready. @returns its port */
async function server(t: TestContext, secure: boolean): Promise<string> {
  const answer: RequestListener = ({ url }, reply) => {
    reply.statusCode = url === '/health/live' ? 200 : 503;
    reply.end(`{"step":"index\u001bes"}`);
  };
  const pem = { cert: readFileSync(cert), key: readFileSync(join(certificates, 'node.key')) };
  const listener = secure ? createSecure(pem, answer) : createPlain(answer);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => listener.close(resolve)));
  return String((listener.address() as AddressInfo).port);
}

test('asks where the environment or the file of the server says, over TLS where it has a certificate', async (t) => {
  const [plain, secure] = [await server(t, false), await server(t, true)];
  const file = join(t.folder(), 'skein.json');
  writeFileSync(
    file,
    JSON.stringify({ port: Number(secure), host: '0.0.0.0', tls_cert_file: cert, log_format: 'json', nonsense: 1 }),
  );
  const environments: Record<string, string>[] = [
    { SKEIN_PORT: plain },
    { SKEIN_PORT: secure, SKEIN_TLS_CERT_FILE: cert },
    { SKEIN_CONFIG: file },
  ];
  for (const environment of environments) {
    assert.equal(await runSkein(['probe', 'live'], { environment }), { exitCode: 0, output: '', errors: '' });
    const { exitCode, errors } = await runSkein(['probe'], { environment });
    assert.is(exitCode, 1);
    assert.match(errors, '/health/ready answers 503: {"step":"index\\u001bes"}');
  }
  assert.is((await runSkein(['probe', 'live', '--port', secure])).exitCode, 1, 'http is not what it speaks');
});

test('nobody there, no answer in time and a slip of the command line are told apart', async (t) => {
  const silent = createPlain(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => silent.close(resolve)));
  const port = String((silent.address() as AddressInfo).port);
  const late = await runSkein(['probe', 'live', '--port', port, '--timeout-ms', '20']);
  assert.is(late.exitCode, 1);
  assert.match(late.errors, 'does not answer');
  assert.match((await runSkein(['probe', '--port', '2'])).errors, 'ECONNREFUSED');
  assert.is((await runSkein(['probe', 'well'])).exitCode, 2);
  assert.is((await runSkein(['probe', '--config', join(t.folder(), 'none')])).exitCode, 2);
});

test.run();

/** What the terminal says of a server that cannot be spoken to: the scheme is named where it is the likely slip. */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { apiError, stubServer } from '../sdk/stub-server.js';
import { suite, type TestContext } from '../support/suite.js';
import { runSkein } from './run-skein.js';

const test = suite('cli/failure');
const pem = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../../tests/support/certificates/${name}`, import.meta.url)));

async function portOf(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

test('http asked of a port that speaks TLS names https, and the other way round', async (t) => {
  const secure = await portOf(t, createTlsServer({ cert: pem('node.pem'), key: pem('node.key') }));
  const plain = await portOf(t, createServer());
  for (const [url, right] of [
    [`http://127.0.0.1:${secure}`, `https://127.0.0.1:${secure}`],
    [`https://127.0.0.1:${plain}`, `http://127.0.0.1:${plain}`],
  ] as const) {
    const { exitCode, errors } = await runSkein(['status', '--url', url]);
    assert.is(exitCode, 1);
    assert.match(errors, `it is ${right}`);
  }
});

test('an error of the server comes with what to do about it', async (t) => {
  for (const [type, status, said] of [
    ['Forbidden', 403, '"skein keys create" makes one'],
    ['BackupsOff', 409, 'start the server with --backup-folder'],
    ['DiskLimitExceeded', 507, 'free space on the disk of the node'],
    ['SomethingNew', 400, 'SomethingNew it is (SomethingNew)'],
  ] as const) {
    const { url } = await stubServer(t, () => apiError(status, type));
    const { exitCode, errors } = await runSkein(['keys', 'list', '--url', url]);
    assert.is(exitCode, 1);
    assert.match(errors, said);
  }
  const error = { type: 'InvalidRequest', message: 'replica_id: which one?', details: {}, retryable: false, request_id: 'r' };
  const { url } = await stubServer(t, () => ({ status: 400, body: { error } }));
  assert.match((await runSkein(['resync', '--url', url])).errors, 'name one of its replicas with --replica ID');
});

test.run();

/** A server is told by SIGHUP that its certificate and the keys of tokens are others: it goes on with them, and with the ones before where the
 *  new ones cannot be used. */

import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { signingKey, tokenOf } from '../support/token-maker.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('scenarios/reload', { deadlineMs: 60_000 });
const source = (name: string): string => fileURLToPath(new URL(`../../../tests/support/certificates/${name}`, import.meta.url));
// The authority of these certificates is known to nobody.
process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';

function fingerprint(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.end();
    });
    socket.on('error', reject);
  });
}

test('SIGHUP exchanges certificate and keys of tokens; what cannot be used is refused and the server goes on', async (t) => {
  const folder = t.folder();
  const [certificate, key, secret] = [join(folder, 'c.pem'), join(folder, 'c.key'), join(folder, 'secret')];
  const [before, after] = [signingKey('HS256'), signingKey('HS256')];
  const put = (name: 'node' | 'stranger', text: string): void => {
    copyFileSync(source(`${name}.pem`), certificate);
    copyFileSync(source(`${name}.key`), key);
    writeFileSync(secret, text, { mode: 0o600 });
  };
  put('node', before.shared);
  const flags = ['--tls-cert-file', certificate, '--tls-key-file', key, '--token-secret-file', secret];
  const server = await startServer(t, join(folder, 'data'), flags);
  const statusOf = async (token: string): Promise<number> =>
    (await server.request('GET', '/v1/collections', undefined, { authorization: `Bearer ${token}` })).status;
  const [old, fresh] = [await tokenOf(before), await tokenOf(after)];
  assert.equal([await statusOf(old), await statusOf(fresh)], [200, 401]);
  const first = await fingerprint(server.url);
  const said = (event: string): number => server.output().split(`"${event}"`).length - 1;

  put('stranger', after.shared);
  server.signal('SIGHUP');
  await waitUntil(() => said('token_keys_reloaded') > 0 && said('certificates_reloaded') > 0, { what: 'both to be read again' });
  assert.equal([await statusOf(old), await statusOf(fresh)], [401, 200]);
  assert.is.not(await fingerprint(server.url), first);

  writeFileSync(secret, 'short');
  writeFileSync(key, 'no key');
  server.signal('SIGHUP');
  await waitUntil(() => said('token_keys_refused') > 0 && said('certificates_refused') > 0, { what: 'both to be refused' });
  assert.equal([await statusOf(old), await statusOf(fresh)], [401, 200]);
  assert.is(await server.stop(), 0);
  for (const text of [before.shared, after.shared, old, fresh]) assert.not(server.output().includes(text));
});

test.run();

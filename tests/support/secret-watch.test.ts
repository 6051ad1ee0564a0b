/** The look for secrets itself: that it goes red where a server writes one, wherever it writes it, and wherever the secret came from. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startHttp } from './http-server.js';
import { mustHaveNoSecret, tellSecretsIn, tellSecretsOfHead, tellSecretsOfStart } from './secret-watch.js';
import { startServer } from './server-process.js';
import { suite } from './suite.js';

const test = suite('support/secret-watch', { deadlineMs: 60_000 });

/** Runs what is registered, as a test would at its end. @returns what went wrong */
async function cleaned(cleanups: readonly (() => unknown)[]): Promise<string> {
  try {
    for (const cleanup of [...cleanups].reverse()) await cleanup();
    return '';
  } catch (error) {
    return String(error);
  }
}

test('secrets of files, settings, answers and heads are known', (t) => {
  const folder = t.folder();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const flags = [
    '--api-key-file',
    file('a', 'admin-key-of-the-file\nnote'),
    `--trace-headers-file=${file('h', 'x-auth: header-of-a-trace')}`,
  ];
  const pem = file('p', '-----BEGIN PRIVATE KEY-----\nTHEBYTESOFAPRIVATEKEY\n-----END PRIVATE KEY-----\n');
  tellSecretsOfStart(flags, { SKEIN_TLS_KEY_FILE: pem, SKEIN_CLUSTER_KEY: 'cluster-key-in-variables' });
  tellSecretsIn(`{"key":"skn_0123456789abcdef_${'k'.repeat(43)}"}`);
  tellSecretsOfHead({ Authorization: 'Bearer token-that-was-shown', 'api-key': 'another-key-that-was-shown' });
  const known = [
    ...['admin-key-of-the-file', 'header-of-a-trace', 'THEBYTESOFAPRIVATEKEY', 'cluster-key-in-variables'],
    ...['k'.repeat(43), 'token-that-was-shown', 'another-key-that-was-shown'],
  ];
  for (const secret of known) assert.throws(() => mustHaveNoSecret(`a line\nand ${secret}.`, 'here'), /in here, behind: and $/);
  mustHaveNoSecret('PRIVATE KEY note', 'here');
});

test('a server that writes a secret, to its output or to its log file, turns its test red', async (t) => {
  const folder = t.folder();
  const key = join(folder, 'key');
  writeFileSync(key, 'a-key-that-is-about-to-leak\n', { mode: 0o600 });
  const log = join(folder, 'server.log');
  const flags = ['--api-key-file', key, '--log-file', log];
  const cleanups: (() => unknown)[] = [];
  const leaking = ['bash', '-c', `cat ${key}; exec "$@"`, 'serve'];
  await startServer({ after: (cleanup) => cleanups.push(cleanup) }, join(folder, 'a'), flags, { prefix: leaking });
  assert.match(await cleaned(cleanups), /a secret of 27 characters stands in the output/);

  const others: (() => unknown)[] = [];
  const server = await startServer({ after: (cleanup) => others.push(cleanup) }, join(folder, 'b'), flags);
  assert.is(await server.stop(), 0);
  writeFileSync(log, `${readFileSync(log, 'utf8')}{"msg":"request","key":"a-key-that-is-about-to-leak"}\n`);
  assert.match(await cleaned(others), /stands in .*server\.log/);
});

test('a server of the HTTP room that logs a secret turns its test red', async () => {
  const cleanups: (() => unknown)[] = [];
  const http = await startHttp({ after: (cleanup) => cleanups.push(cleanup) }, { apiKey: 'the-key-of-a-leaking-room' });
  http.log.push({ level: 'info', event: 'request', fields: { key: 'the-key-of-a-leaking-room' } });
  assert.match(await cleaned(cleanups), /stands in the log/);
});

test.run();

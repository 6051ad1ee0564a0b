/** Parts of a node that say themselves what is wrong with them: each is a component of health under its own name, where it is configured. */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { silentProcessLog } from '../../src/model/log.js';
import { concernedParts } from '../../src/node/concerned-parts.js';
import { startNode } from '../../src/node/node.js';
import { concernCheck } from '../../src/observability/concern-check.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('node/concerned-parts', { deadlineMs: 60_000 });
const CERTIFICATES = fileURLToPath(new URL('../../../tests/support/certificates', import.meta.url));

function configOf(folder: string, flags: Readonly<Record<string, string>> = {}) {
  return loadConfig({ flags: { dataDir: folder, port: '0', ...flags }, environment: {}, workingDir: folder }).config;
}

interface Told {
  readonly status: string;
  readonly message: string;
}

test('guards, backups and certificates are told apart, and what is not configured is not there', async (t) => {
  const folder = t.folder();
  const said = (name: string) => ({ concerns: () => [`${name} fail`], notes: () => [`${name} are near`] });
  const parts = { guards: said('guards'), backups: said('backups'), certificates: said('certificates') };
  const tls = { tlsCertFile: join(CERTIFICATES, 'node.pem'), tlsKeyFile: join(CERTIFICATES, 'node.key') };
  const all = concernedParts(configOf(folder, { backupFolder: `${folder}-backups`, ...tls }), parts);
  const found = await Promise.all(
    all.map(async (part) => [part.name, await concernCheck(part, 1_000).check(new AbortController().signal)] as const),
  );
  const degraded = (message: string) => ({ status: 'degraded', message, latencyMs: null });
  assert.equal(found, [
    ['guards', degraded('guards fail')],
    ['backups', degraded('backups fail; backups are near')],
    ['certificates', degraded('certificates fail; certificates are near')],
  ]);
  const names = concernedParts(configOf(folder), parts).map(({ name }) => name);
  assert.equal(names, ['guards']);
});

test('backups on the disk of the data are a note, failing ones a fault, and both under their own name', async (t) => {
  const folder = t.folder();
  const backups = join(folder, 'backups');
  const often = { backupEveryOperations: '1', backupMinIntervalMs: '0' };
  const config = configOf(join(folder, 'data'), { backupFolder: backups, healthConfirmations: '1', ...often });
  const node = await startNode({ config, shownConfig: {}, log: silentProcessLog, onFatal: () => {} });
  t.after(() => node.stop());
  const told = async (): Promise<Record<string, Told>> => {
    const answer = await fetch(`${node.url}/health/detailed`);
    return ((await answer.json()) as { components: Record<string, Told> }).components;
  };
  await waitUntil(async () => (await told())['backups']?.message === 'the backups lie on the disk of the data', {
    what: 'the note',
  });
  assert.is((await told())['backups']?.status, 'healthy');
  // A file where the folder was: nothing can be put there.
  rmSync(backups, { recursive: true, force: true });
  writeFileSync(backups, '');
  await fetch(`${node.url}/v1/collections/c`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"dimension":2,"distance":"dot"}',
  });
  await waitUntil(async () => (await told())['backups']?.status === 'degraded', { what: 'the failure to be told' });
  const { guards } = await told();
  assert.equal([guards?.status, guards?.message], ['healthy', 'no work is refused']);
});

test.run();

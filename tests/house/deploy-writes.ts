/** What a server writes outside of its process, and whether a hardened deployment lets it.
 *
 *  Every setting that is a path is on one of two lists: a new one is put on one by whoever adds it. Must not know: Compose, Kubernetes, systemd. */

import * as assert from 'uvu/assert';
import type { Config } from '../../src/config/config.js';
import { SERVER_SECTIONS } from '../../src/config/server-fields.js';

const WRITTEN = ['dataDir', 'backupFolder', 'logFile', 'auditLogFile'];
const READ = [
  'apiKeyFile',
  'backupS3CredentialsFile',
  'clusterKeyFile',
  'healthWebhookSecretFile',
  'healthWebhookUrlFile',
  'tlsCaFile',
  'tlsCertFile',
  'tlsKeyFile',
  'tokenJwksFile',
  'tokenPublicKeyFile',
  'tokenSecretFile',
  'traceHeadersFile',
];

/** @throws AssertionError for a path that is on neither list */
export function mustKnowEveryPath(): void {
  const paths = SERVER_SECTIONS.flatMap(({ fields }) => Object.entries(fields)).filter(([, field]) => field.kind === 'path');
  assert.equal(paths.map(([key]) => key).sort(), [...WRITTEN, ...READ].sort());
}

/** The files and folders that a server with these settings writes. */
export function pathsWritten({ dataDir, backup, observing, security }: Config): string[] {
  const folder = backup.place?.kind === 'folder' ? backup.place.folder : null;
  return [dataDir, folder, observing.logFile, security.auditLogFile].filter((path) => path !== null);
}

/** @param folders that can be written to, with all that is in them @throws AssertionError */
export function mustLieIn(folders: readonly string[], paths: readonly string[], where: string): void {
  for (const path of paths)
    assert.ok(
      folders.some((folder) => path === folder || path.startsWith(`${folder}/`)),
      `${where}: ${path} is written, and lies in none of ${folders.join(', ')}`,
    );
}

/** A backup by hand, a look at it, and what a restore would bring back. The server needs a place for backups: `--backup-folder`, or a bucket.
 *  node docs/examples/backups.mjs */

import { errors, SkeinClient } from 'skein/client';

const client = new SkeinClient({ url: process.env.SKEIN_URL ?? 'http://127.0.0.1:7171', timeoutMs: 120_000 });
const ledger = 'example-backups';

try {
  await client.createCollection(ledger, { dimension: 1, distance: 'dot' });
  await client.upsert(ledger, [{ id: 1, vector: [1] }]);
  const backup = await client.backups.create();
  // Null would mean that nothing was written since the newest one.
  if (backup === null) throw new Error('something was written');
  console.log('made:', backup.kind, 'up to', backup.seq);

  // Restored into a scratch folder, opened, looked at.
  const drill = await client.backups.verify(backup.id);
  console.log('it can be restored:', drill.ok);

  await client.upsert(ledger, [{ id: 2, vector: [2] }]);
  const { operationsLost } = await client.backups.restore({ backup: backup.id }, { dryRun: true });
  console.log('operations that a restore of it would give up:', operationsLost);

  const { backups, restorableFrom } = await client.backups.list();
  console.log(backups.length > 0, restorableFrom !== null);
} catch (error) {
  if (!(error instanceof errors.BackupsOff)) throw error;
  console.log('this server has no place for backups: start it with --backup-folder');
} finally {
  await client.deleteCollection(ledger);
  client.close();
}

/** Verifies aliases: every row by its checksum, each for a collection that is there and with a name that no collection has.
 *  Must not know: points, the cluster. */

import { aliasHash } from '../codec/digest.js';
import { ALIAS_COLUMNS, readAlias } from './aliases.js';
import type { Database } from './driver.js';
import { formatOf, hasPart } from './schema.js';
import type { CollectionRow } from './storage.js';
import { rowsOf } from './verify-cluster.js';
import type { FindingList } from './verify-report.js';

/** @param catalogue rows by uid; dropped and damaged ones as 'unsure'
 *  @returns the hashes of the aliases that could be read, which are part of the state digest */
export function verifyAliases(
  db: Database,
  catalogue: ReadonlyMap<number, CollectionRow | 'unsure'>,
  findings: FindingList,
): Uint8Array[] {
  if (!hasPart(formatOf(db), 'aliases')) return [];
  const names = new Set<string>();
  for (const row of catalogue.values()) if (row !== 'unsure') names.add(row.name);
  const aliases = rowsOf(db, 'aliases', ALIAS_COLUMNS, readAlias, findings) ?? [];
  for (const { name, uid } of aliases) {
    const place = { table: 'aliases', collectionUid: uid };
    if (names.has(name)) findings.add('out_of_bounds', `Alias '${name}' has the name of a collection`, place);
    if (!catalogue.has(uid))
      findings.add('row_surplus', `Alias '${name}' stands for collection uid ${uid}, which is not in the catalogue`, place);
  }
  return aliases.map(aliasHash);
}

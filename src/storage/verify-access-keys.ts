/** Verifies access keys: every row by its checksum. Must not know: points, the catalogue. */

import { accessKeyHash } from '../codec/digest.js';
import { ACCESS_KEY_COLUMNS, readAccessKey } from './access-keys.js';
import type { Database } from './driver.js';
import { formatOf, hasPart } from './schema.js';
import { rowsOf } from './verify-cluster.js';
import type { FindingList } from './verify-report.js';

/** @returns the hashes of the keys that could be read, which are part of the state digest */
export function verifyAccessKeys(db: Database, findings: FindingList): Uint8Array[] {
  if (!hasPart(formatOf(db), 'access_keys')) return [];
  return (rowsOf(db, 'access_keys', ACCESS_KEY_COLUMNS, readAccessKey, findings) ?? []).map(accessKeyHash);
}

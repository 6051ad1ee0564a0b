/** Verifies lineage and voters: every row by its checksum, histories in order and ending with the state's, starts against the log.
 *  Must not know: points, the catalogue. */

import { voterHash } from '../codec/digest.js';
import { LINEAGE_COLUMNS, readLineage, readVoter, VOTER_COLUMNS } from './cluster.js';
import { isDamage } from './database-errors.js';
import type { Database } from './driver.js';
import { LOG_HEAD, readLogHead } from './log.js';
import { formatOf, hasPart } from './schema.js';
import type { StateRow } from './state.js';
import type { LineageRow } from './storage.js';
import type { FindingList } from './verify-report.js';

/** @returns the hashes of the voters that could be read, which are part of the state digest */
export function verifyCluster(db: Database, state: StateRow | null, findings: FindingList): Uint8Array[] {
  if (!hasPart(formatOf(db), 'lineage')) return [];
  const lineage = rowsOf(db, 'lineage', LINEAGE_COLUMNS, readLineage, findings);
  if (state !== null && lineage !== null) checkOrder(db, lineage, state, findings);
  const voters = rowsOf(db, 'voters', VOTER_COLUMNS, readVoter, findings);
  return (voters ?? []).map(voterHash);
}

/** All rows of a small table. Null when a row or a page is damaged: then nothing more can be said. */
export function rowsOf<Row>(
  db: Database,
  table: string,
  columns: string,
  read: (cells: readonly unknown[]) => Row | null,
  findings: FindingList,
): Row[] | null {
  const rows: Row[] = [];
  let intact = true;
  const complete = findings.scan(table, {}, isDamage, () => {
    for (const cells of db.prepare(`SELECT ${columns} FROM ${table} ORDER BY 1`).raw().iterate() as Iterable<unknown[]>) {
      const row = read(cells);
      if (row !== null) rows.push(row);
      else findings.add('row_damaged', `The row ${String(cells[0])} of ${table} fails its checksum`, { table });
      intact &&= row !== null;
    }
  });
  return complete && intact ? rows : null;
}

function checkOrder(db: Database, lineage: readonly LineageRow[], state: StateRow, findings: FindingList): void {
  const newest = lineage.at(-1);
  if (newest === undefined || newest.epoch !== state.epoch || newest.historyId !== state.historyId) {
    const message = `The lineage ends with history ${newest?.historyId ?? 'none'} and the state is in history ${state.historyId}`;
    findings.add('identity_mismatch', message, { table: 'lineage' });
  }
  const hashOf = db.prepare(`SELECT ${LOG_HEAD} FROM log WHERE seq = ?`).raw();
  let startBefore = 0;
  for (const { historyId, startSeq, startHash } of lineage) {
    const place = { table: 'lineage', seq: startSeq };
    if (startSeq < startBefore || startSeq > state.seq)
      findings.add('out_of_bounds', `History ${historyId} starts at seq ${startSeq}, out of its order`, place);
    startBefore = startSeq;
    const cells = hashOf.get(startSeq) as unknown[] | undefined;
    const logged = cells === undefined ? null : readLogHead(cells);
    if (logged !== null && Buffer.compare(logged.chainHash, startHash) !== 0)
      findings.add(
        'hash_mismatch',
        `History ${historyId} starts with another chain hash than the log has at seq ${startSeq}`,
        place,
      );
  }
}

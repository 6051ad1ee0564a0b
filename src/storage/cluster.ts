/** The tables of lineage and voters: which histories this data has gone through, and who counts for a majority. A few rows each.
 *
 *  A store of format 1 has neither; a reader of one shows the one history that its state names, and no voters.
 *  Must not know: what begins a history, who votes on what. */

import { CHAIN_HASH_BYTES } from '../codec/digest.js';
import type { Voter } from '../model/replication.js';
import { damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { isBytes, isCount, rowChecksum } from './row-checksum.js';
import { formatOf, hasPart } from './schema.js';
import type { LineageRow, StoreReads, StoreState, StoreWriter } from './storage.js';

export type ClusterReads = Pick<StoreReads, 'lineage' | 'voters'>;
export type ClusterWrites = Pick<StoreWriter, 'insertLineage' | 'putVoter' | 'removeVoter'>;

export const LINEAGE_COLUMNS = 'epoch, crc, start_seq, history_id, start_hash';
export const VOTER_COLUMNS = 'node_id, crc, port, host';

/** The lineage of a store that knows of one history only. */
export function firstLineage({ epoch, historyId }: Pick<StoreState, 'epoch' | 'historyId'>): LineageRow {
  return { epoch, historyId, startSeq: 0, startHash: Buffer.alloc(CHAIN_HASH_BYTES) };
}

export function clusterReads(db: Database, reads: Pick<StoreReads, 'state'>): ClusterReads {
  if (!hasPart(formatOf(db), 'lineage')) return { lineage: () => [firstLineage(reads.state())], voters: () => [] };
  const histories = db.prepare(`SELECT ${LINEAGE_COLUMNS} FROM lineage ORDER BY epoch`).raw();
  const voters = db.prepare(`SELECT ${VOTER_COLUMNS} FROM voters ORDER BY node_id`).raw();
  return {
    lineage: () => (histories.all() as unknown[][]).map((cells) => readLineage(cells) ?? damaged('lineage', { epoch: cells[0] })),
    voters: () => (voters.all() as unknown[][]).map((cells) => readVoter(cells) ?? damaged('voters', { node_id: cells[0] })),
  };
}

export function clusterWrites(db: Database): ClusterWrites {
  const begin = db.prepare(`INSERT INTO lineage (${LINEAGE_COLUMNS}) VALUES (?, ?, ?, ?, ?)`);
  const put = db.prepare(`INSERT OR REPLACE INTO voters (${VOTER_COLUMNS}) VALUES (?, ?, ?, ?)`);
  const remove = db.prepare('DELETE FROM voters WHERE node_id = ?');
  return {
    insertLineage: (row) => begin.run(row.epoch, lineageChecksum(row), row.startSeq, row.historyId, row.startHash),
    putVoter: (voter) => put.run(voter.nodeId, voterChecksum(voter), voter.port, voter.host),
    removeVoter: (nodeId) => remove.run(nodeId),
  };
}

function lineageChecksum({ epoch, startSeq, historyId, startHash }: LineageRow): number {
  return rowChecksum([epoch, startSeq], [Buffer.from(historyId), startHash]);
}

function voterChecksum({ nodeId, port, host }: Voter): number {
  return rowChecksum([port], [Buffer.from(nodeId), Buffer.from(host)]);
}

/** Reads a row from cells in the order of LINEAGE_COLUMNS; null when it is damaged. */
export function readLineage(cells: readonly unknown[]): LineageRow | null {
  const [epoch, crc, startSeq, historyId, startHash] = cells;
  if (!isCount(epoch) || !isCount(startSeq) || typeof historyId !== 'string') return null;
  if (!isBytes(startHash) || startHash.length !== CHAIN_HASH_BYTES) return null;
  const row = { epoch, historyId, startSeq, startHash };
  return lineageChecksum(row) === crc ? row : null;
}

/** Reads a row from cells in the order of VOTER_COLUMNS; null when it is damaged. */
export function readVoter(cells: readonly unknown[]): Voter | null {
  const [nodeId, crc, port, host] = cells;
  if (typeof nodeId !== 'string' || !isCount(port) || typeof host !== 'string') return null;
  const voter = { nodeId, host, port };
  return voterChecksum(voter) === crc ? voter : null;
}

function damaged(table: string, place: Readonly<Record<string, unknown>>): never {
  throw damagedRow(table, place);
}

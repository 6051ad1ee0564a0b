/** The state row: where the store stands. One row, changed in the transaction that changes the data.
 *
 *  Beside what the door shows it keeps log_base_hash, the chain hash in front of the log's first row, so that the chain can be
 *  checked from its start however much of it was pruned. Must not know: what moves the state. */

import { CHAIN_HASH_BYTES, DIGEST_BYTES } from '../codec/digest.js';
import { damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { isBytes, isCount, rowChecksum } from './row-checksum.js';
import { type NewStore, StorageFailure, type StoreReads, type StoreState } from './storage.js';

/** The whole row. */
export interface StateRow extends StoreState {
  readonly logBaseHash: Uint8Array;
}

export type StateReads = Pick<StoreReads, 'state' | 'logBaseHash'> & { stateRow(): StateRow };
export interface StateWrites {
  writeState(state: StoreState): void;
  /** For upkeep: replaces the row as it is given. */
  replaceStateRow(row: StateRow): void;
}

const COLUMNS =
  'crc, cluster_id, node_id, history_id, epoch, seq, next_uid, log_min_seq, log_bytes, reaped_seq, chain_hash, digest, log_base_hash';
const HEX_ID = /^[0-9a-f]{32}$/;

export function stateReads(db: Database): StateReads {
  const select = db.prepare(`SELECT ${COLUMNS} FROM state WHERE one = 1`).raw();
  const stateRow = (): StateRow => {
    const row = readState((select.get() as unknown[] | undefined) ?? []);
    if (row === null) throw damagedRow('state', { row: 1 });
    return row;
  };
  return {
    stateRow,
    state: () => {
      const { logBaseHash: _, ...state } = stateRow();
      return state;
    },
    logBaseHash: () => stateRow().logBaseHash,
  };
}

export function stateWrites(db: Database, reads: StateReads): StateWrites {
  const columns = COLUMNS.split(', ').map((column) => `${column} = ?`);
  const update = db.prepare(`UPDATE state SET ${columns.join(', ')} WHERE one = 1`);
  const replaceStateRow = (row: StateRow): void => {
    if (update.run(...cellsOf(row)).changes !== 1) throw new StorageFailure('the state row is gone');
  };
  return {
    replaceStateRow,
    writeState: (state) => {
      const before = reads.stateRow();
      if (state.logMinSeq < before.logMinSeq || state.reapedSeq < before.reapedSeq) {
        throw new StorageFailure('the state to be written is older than what upkeep has stored');
      }
      const logIsEmpty = state.logMinSeq === state.seq + 1;
      replaceStateRow({ ...state, logBaseHash: logIsEmpty ? state.chainHash : before.logBaseHash });
    },
  };
}

/** Puts the first state row into a new store. @throws RangeError when an id is not 32 lower-case hex digits */
export function insertFirstState(db: Database, store: NewStore): void {
  for (const id of [store.clusterId, store.nodeId, store.historyId]) {
    if (!HEX_ID.test(id)) throw new RangeError(`'${id}' is not an id of 32 lower-case hex digits`);
  }
  const { clusterId, nodeId, historyId, epoch } = store;
  const noHash = new Uint8Array(CHAIN_HASH_BYTES);
  const cells = cellsOf({
    clusterId,
    nodeId,
    historyId,
    epoch,
    seq: 0,
    nextUid: 1,
    logMinSeq: 1,
    logBytes: 0,
    reapedSeq: 0,
    chainHash: noHash,
    digest: new Uint8Array(DIGEST_BYTES),
    logBaseHash: noHash,
  });
  db.prepare(`INSERT INTO state (one, ${COLUMNS}) VALUES (1${', ?'.repeat(cells.length)})`).run(...cells);
}

function cellsOf(row: StateRow): unknown[] {
  const { clusterId, nodeId, historyId, epoch, seq, nextUid, logMinSeq, logBytes, reapedSeq, chainHash, digest, logBaseHash } =
    row;
  const numbers = [epoch, seq, nextUid, logMinSeq, logBytes, reapedSeq];
  const hashes = [chainHash, digest, logBaseHash];
  return [checksum([clusterId, nodeId, historyId], numbers, hashes), clusterId, nodeId, historyId, ...numbers, ...hashes];
}

function checksum(ids: readonly string[], numbers: readonly number[], hashes: readonly Uint8Array[]): number {
  return rowChecksum(numbers, [...ids.map((id) => Buffer.from(id)), ...hashes]);
}

function readState(cells: readonly unknown[]): StateRow | null {
  const [crc, clusterId, nodeId, historyId, ...rest] = cells;
  const [epoch, seq, nextUid, logMinSeq, logBytes, reapedSeq, chainHash, digest, logBaseHash] = rest;
  if (typeof clusterId !== 'string' || typeof nodeId !== 'string' || typeof historyId !== 'string') return null;
  if (!isCount(epoch) || !isCount(seq) || !isCount(nextUid) || !isCount(logMinSeq) || !isCount(logBytes) || !isCount(reapedSeq))
    return null;
  if (!isBytes(chainHash) || !isBytes(digest) || !isBytes(logBaseHash)) return null;
  const numbers = [epoch, seq, nextUid, logMinSeq, logBytes, reapedSeq];
  if (checksum([clusterId, nodeId, historyId], numbers, [chainHash, digest, logBaseHash]) !== crc) return null;
  return { clusterId, nodeId, historyId, epoch, seq, nextUid, logMinSeq, logBytes, reapedSeq, chainHash, digest, logBaseHash };
}

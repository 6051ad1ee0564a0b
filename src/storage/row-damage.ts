/** Looks for rows that fail their checksums, one table at a time and a page at a time, and says what is still known of each.
 *
 *  Reads raw cells: a damaged row is an answer here, no error. A page that SQLite cannot read is an error as everywhere.
 *  Must not know: what is done about damage, who asks. */

import { decodePointId } from '../codec/point-id.js';
import type { PointId } from '../model/point.js';
import type { Database } from './driver.js';
import { readLogRow } from './log.js';
import { POINT_HEAD, readPointHead, readPointRow } from './point-row.js';
import { REMEMBERED_COLUMNS, readRemembered } from './remembered.js';
import { isBytes, isCount } from './row-checksum.js';
import { firstKeyOf, labelOfKey, rowKey } from './row-keys.js';
import type { LabelDamage, StoreReads } from './storage.js';
import { readVectorSet } from './vectors.js';

export type DamageReads = Pick<StoreReads, 'lookAtLabel' | 'lookAtHeads' | 'lookAtLog' | 'lookAtRemembered'>;

const LOG_COLUMNS = 'seq, crc, entry_crc, time_ms, unit_first, unit_last, chain_hash, entry';

export function damageReads(db: Database): DamageReads {
  const pointOf = db.prepare(`SELECT ${POINT_HEAD}, payload FROM points WHERE key = ?`).raw();
  // From the index alone, which tells what the row cannot be asked.
  const deadOf = db.prepare('SELECT key FROM points INDEXED BY points_dead WHERE uid = ? AND dead_seq = ? AND key = ?').pluck();
  const vectorsOf = db.prepare('SELECT key, crc, vector_set FROM vectors WHERE key = ?').raw();
  const heads = db.prepare(`SELECT ${POINT_HEAD} FROM points NOT INDEXED WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`).raw();
  const logFrom = db.prepare(`SELECT ${LOG_COLUMNS} FROM log WHERE seq >= ? ORDER BY seq LIMIT ?`).raw();
  const rememberedAfter = db.prepare(`SELECT ${REMEMBERED_COLUMNS} FROM remembered WHERE scope > ? ORDER BY scope LIMIT ?`).raw();
  return {
    lookAtLabel: (uid, label) => {
      const key = rowKey(uid, label);
      const point = pointOf.get(key) as unknown[] | undefined;
      const vectors = vectorsOf.get(key) as unknown[] | undefined;
      if (point === undefined && vectors === undefined) return null;
      return labelDamage(point ?? [], vectors, (deadSeq) => deadOf.get(uid, deadSeq, key) !== undefined);
    },
    lookAtHeads: (uid, fromLabel, limit) =>
      (heads.all(rowKey(uid, fromLabel), firstKeyOf(uid + 1), limit) as unknown[][]).map((cells) => ({
        label: labelOfKey(cells[0] as number),
        head: readPointHead(cells),
      })),
    lookAtLog: (fromSeq, limit, bytesMax) => {
      const missing: number[] = [];
      let [rows, bytes, lastSeq] = [0, 0, fromSeq - 1];
      for (const cells of logFrom.iterate(fromSeq, limit) as Iterable<unknown[]>) {
        const seq = cells[0] as number;
        for (let lost = lastSeq + 1; lost < seq && missing.length < limit; lost++) missing.push(lost);
        if (readLogRow(cells) === null) missing.push(seq);
        rows += 1;
        bytes += isBytes(cells[7]) ? cells[7].length : 0;
        lastSeq = seq;
        if (bytes >= bytesMax) break;
      }
      return { rows, bytes, lastSeq, missing };
    },
    lookAtRemembered: (after, limit) => {
      let damaged = 0;
      let bytes = 0;
      let last: Uint8Array | null = null;
      const page = rememberedAfter.all(after, limit) as unknown[][];
      for (const cells of page) {
        if (readRemembered(cells) === null) damaged += 1;
        for (const cell of cells) bytes += isBytes(cell) ? cell.length : 8;
        if (isBytes(cells[0])) last = cells[0];
      }
      return { rows: page.length, bytes, damaged, last: page.length < limit ? null : last };
    },
  };
}

/** Null when the row and its vectors are what was written. */
function labelDamage(
  cells: readonly unknown[],
  vectors: readonly unknown[] | undefined,
  diedAt: (deadSeq: number) => boolean,
): LabelDamage | null {
  const head = readPointHead(cells);
  if (head === null) {
    const [, , deadSeq, version] = cells;
    const dead = isCount(deadSeq) && diedAt(deadSeq);
    return { part: 'head', id: idOf(cells[9]), version: isCount(version) ? version : null, dead };
  }
  const { id, version } = head;
  const found = { id, version, dead: head.deadSeq !== null };
  if (readPointRow(cells) === null) return { part: 'payload', ...found };
  return vectors === undefined || readVectorSet(vectors) === null ? { part: 'vectors', ...found } : null;
}

function idOf(cell: unknown): PointId | null {
  if (!isBytes(cell)) return null;
  try {
    return decodePointId(cell);
  } catch {
    return null;
  }
}

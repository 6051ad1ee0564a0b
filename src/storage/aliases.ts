/** The table of aliases: names that stand for a live collection. Few rows.
 *
 *  A store of a format before 3 has none. Must not know: names of collections, when an alias may be given. */

import type { Alias } from '../model/alias.js';
import { damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { isCount, rowChecksum } from './row-checksum.js';
import { formatOf, hasPart } from './schema.js';
import type { StoreReads, StoreWriter } from './storage.js';

export type AliasReads = Pick<StoreReads, 'aliases'>;
export type AliasWrites = Pick<StoreWriter, 'putAlias' | 'removeAlias'>;

export const ALIAS_COLUMNS = 'name, crc, uid';

export function aliasReads(db: Database): AliasReads {
  if (!hasPart(formatOf(db), 'aliases')) return { aliases: () => [] };
  const all = db.prepare(`SELECT ${ALIAS_COLUMNS} FROM aliases ORDER BY name`).raw();
  const intact = (cells: unknown[]): Alias => {
    const alias = readAlias(cells);
    if (alias === null) throw damagedRow('aliases', { alias: cells[0] });
    return alias;
  };
  return { aliases: () => (all.all() as unknown[][]).map(intact) };
}

export function aliasWrites(db: Database): AliasWrites {
  const put = db.prepare(`INSERT OR REPLACE INTO aliases (${ALIAS_COLUMNS}) VALUES (?, ?, ?)`);
  const remove = db.prepare('DELETE FROM aliases WHERE name = ?');
  return {
    putAlias: (alias) => put.run(alias.name, checksum(alias), alias.uid),
    removeAlias: (name) => remove.run(name),
  };
}

function checksum({ name, uid }: Alias): number {
  return rowChecksum([uid], [Buffer.from(name)]);
}

/** Reads a row from cells in the order of ALIAS_COLUMNS; null when it is damaged. */
export function readAlias(cells: readonly unknown[]): Alias | null {
  const [name, crc, uid] = cells;
  if (typeof name !== 'string' || !isCount(uid)) return null;
  const alias = { name, uid };
  return checksum(alias) === crc ? alias : null;
}

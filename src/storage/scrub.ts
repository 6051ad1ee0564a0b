/** The background scrub: checks the CRC of every row of a store that is in use, a few rows at a time.
 *
 *  For stores that were only checked quickly at the start. Each step is a read of its own, so no read transaction stays open; rows
 *  that come or go meanwhile do no harm. What rows add up to is not compared here (verify-store.ts does, with nobody writing).
 *  Must not know: when to step, what to do about findings. */

import { openConnection } from './connection.js';
import { isDamage } from './database-errors.js';
import { readDigestPage } from './digest-pages.js';
import { LOG_HEAD, readLogRow } from './log.js';
import { POINT_HEAD, placeOfPoint, readPointRow } from './point-row.js';
import { REMEMBERED_COLUMNS, readRemembered } from './remembered.js';
import { isCount } from './row-checksum.js';
import { labelOfKey, PAGES_PER_COLLECTION, uidOfKey } from './row-keys.js';
import type { StoreOptions } from './storage.js';
import { readVectorSet } from './vectors.js';
import { FindingList, type FindingPlace } from './verify-report.js';

export interface Scrub {
  readonly findings: FindingList;
  readonly rowsChecked: number;
  /** Checks up to rowsMax rows. @returns whether more is left  Cost: about 10 µs a row, more for large payloads */
  step(rowsMax: number): boolean;
  close(): void;
}

interface ScrubbedTable {
  readonly name: string;
  readonly key: string;
  readonly columns: string;
  /** Less than every key. */
  readonly start: number | Uint8Array;
  isIntact(cells: readonly unknown[]): boolean;
  placeOf(cells: readonly unknown[]): FindingPlace;
}

function placeOfKey(cells: readonly unknown[]): FindingPlace {
  const key = cells[0];
  return isCount(key) ? { collectionUid: uidOfKey(key), label: labelOfKey(key) } : {};
}

const TABLES: readonly ScrubbedTable[] = [
  {
    name: 'points',
    key: 'key',
    columns: `${POINT_HEAD}, payload`,
    start: -1,
    isIntact: (cells) => readPointRow(cells) !== null,
    placeOf: (cells) => {
      const { collection_uid: collectionUid, label } = placeOfPoint(cells);
      return { collectionUid, label };
    },
  },
  {
    name: 'vectors',
    key: 'key',
    columns: 'key, crc, vector_set',
    start: -1,
    isIntact: (cells) => readVectorSet(cells) !== null,
    placeOf: placeOfKey,
  },
  {
    name: 'digest_pages',
    key: 'key',
    columns: 'key, crc, sums',
    start: -1,
    isIntact: (cells) => readDigestPage(cells) !== null,
    placeOf: ([key]) => (isCount(key) ? { collectionUid: Math.floor(key / PAGES_PER_COLLECTION) } : {}),
  },
  {
    name: 'log',
    key: 'seq',
    columns: `${LOG_HEAD}, entry`,
    start: -1,
    isIntact: (cells) => readLogRow(cells) !== null,
    placeOf: ([seq]) => (isCount(seq) ? { seq } : {}),
  },
  {
    name: 'remembered',
    key: 'scope',
    columns: REMEMBERED_COLUMNS,
    start: new Uint8Array(0),
    isIntact: (cells) => readRemembered(cells) !== null,
    placeOf: () => ({}),
  },
];

/** @param path of the database file  @throws StoreRefused */
export function openScrub(path: string, options: StoreOptions): Scrub {
  const db = openConnection(path, 'read', options);
  const findings = new FindingList();
  const selects = TABLES.map(({ name, key, columns }) =>
    db.prepare(`SELECT ${columns} FROM ${name} NOT INDEXED WHERE ${key} > ? ORDER BY ${key} LIMIT ?`).raw(),
  );
  let at = 0;
  let after: unknown = TABLES[0]?.start;
  let rowsChecked = 0;

  const page = (table: ScrubbedTable, rowsMax: number): number => {
    const rows = selects[at]?.all(after, rowsMax) as unknown[][];
    for (const cells of rows) {
      rowsChecked += 1;
      after = cells[0];
      if (table.isIntact(cells)) continue;
      const place = { table: table.name, ...table.placeOf(cells) };
      findings.add('row_damaged', `A row of ${table.name} fails its checksum (${JSON.stringify(place)})`, place);
    }
    return rows.length;
  };

  return {
    findings,
    get rowsChecked() {
      return rowsChecked;
    },
    step: (rowsMax) => {
      const table = TABLES[at];
      if (table === undefined) return false;
      let rows = 0;
      // Behind a page that cannot be read nothing more of its table is found; the next table is.
      findings.scan(table.name, table.placeOf([after]), isDamage, () => {
        rows = page(table, rowsMax);
      });
      if (rows < rowsMax) {
        at += 1;
        after = TABLES[at]?.start;
      }
      return at < TABLES.length;
    },
    close: () => db.close(),
  };
}

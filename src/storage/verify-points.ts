/** Verifies one collection: every row of points, vectors and digest pages by its checksum, points and vectors against each other,
 *  content hashes from the bytes, and from them buckets, digest, counts and bytes against the catalogue.
 *  Reads only, in key order, one row of each table in memory. Must not know: manifest, log. */

import { addInto, bucketOf, contentHash, DIGEST_BYTES, Sum128 } from '../codec/digest.js';
import { encodePointId } from '../codec/point-id.js';
import { FIXED } from '../model/limits.js';
import { isDamage } from './database-errors.js';
import { readDigestPage } from './digest-pages.js';
import type { Database } from './driver.js';
import { POINT_HEAD, readPointHead, readPointRow } from './point-row.js';
import { firstKeyOf, labelOfKey, PAGES_PER_COLLECTION, pageKey } from './row-keys.js';
import type { CollectionRow, PointHead, PointRow } from './storage.js';
import { readVectorSet } from './vectors.js';
import type { FindingList, VerifyCounts } from './verify-report.js';

const WORDS_PER_SUM = DIGEST_BYTES / 4;
/** Where the cells of a head have it. */
const DEAD_SEQ = 2;

interface CollectionCheck {
  readonly db: Database;
  readonly uid: number;
  /** The catalogue's row; 'unknown' when it has none; 'unsure' when its rows may be half gone (dropped) or it is damaged. */
  readonly collection: CollectionRow | 'unknown' | 'unsure';
  readonly stateSeq: number;
  readonly findings: FindingList;
  readonly counts: VerifyCounts;
  /** Called after each row. */
  readonly onRow: () => void;
}

type Cells = unknown[];

/** @returns the number of rows of points and vectors that were read */
export function verifyCollection(check: CollectionCheck): number {
  const { findings, uid } = check;
  const before = findings.count;
  const sums = new CollectionSums();
  const rows = { points: 0, vectors: 0 };
  findings.scan('points', { collectionUid: uid }, isDamage, () => mergeRows(check, sums, rows));
  if (check.collection === 'unknown' && rows.points + rows.vectors > 0) {
    const message = `${rows.points} rows of points and ${rows.vectors} of vectors belong to collection uid ${uid}, which is not in the catalogue`;
    findings.add('row_surplus', message, { table: 'points', collectionUid: uid });
  }
  // Damaged payloads and vectors leave the heads, which say what the sums are of; so beside them nothing else may be lost unseen.
  const isOtherwiseSound = findings.count === before + sums.damagedRows && typeof check.collection === 'object';
  const comparable = isOtherwiseSound && sums.damagedHeads === 0;
  const beforePages = findings.count;
  let damagedPages = 0;
  findings.scan('digest_pages', { collectionUid: uid }, isDamage, () => {
    damagedPages = verifyDigestPages(check, comparable ? sums : null);
  });
  const isComparable = isOtherwiseSound && findings.count === beforePages + damagedPages;
  if (isComparable && typeof check.collection === 'object') compareSums(check.collection, sums, findings);
  return rows.points + rows.vectors;
}

class CollectionSums {
  readonly buckets = new Uint32Array(FIXED.digestBuckets * WORDS_PER_SUM);
  readonly digest = new Sum128();
  live = 0;
  dataBytes = 0;
  /** Findings about single rows. */
  damagedRows = 0;
  /** Of those, rows that do not say what they add to the sums. */
  damagedHeads = 0;

  add(idBytes: Uint8Array, { contentHash }: PointHead, bytes: number): void {
    this.live += 1;
    this.dataBytes += idBytes.length + bytes;
    addInto(this.buckets, bucketOf(idBytes) * WORDS_PER_SUM, contentHash, 0);
    this.digest.add(contentHash);
  }
}

/** Walks both tables side by side in key order. */
function mergeRows(check: CollectionCheck, sums: CollectionSums, rows: { points: number; vectors: number }): void {
  const { db, uid } = check;
  const range = [firstKeyOf(uid), firstKeyOf(uid + 1)];
  const points = db
    .prepare(`SELECT ${POINT_HEAD}, payload FROM points NOT INDEXED WHERE key >= ? AND key < ? ORDER BY key`)
    .raw();
  const vectors = db.prepare('SELECT key, crc, vector_set FROM vectors WHERE key >= ? AND key < ? ORDER BY key').raw();
  const pointCells = points.iterate(...range) as IterableIterator<Cells>;
  const vectorCells = vectors.iterate(...range) as IterableIterator<Cells>;
  try {
    let point = pointCells.next();
    let vector = vectorCells.next();
    while (!point.done || !vector.done) {
      const pointKey = point.done ? Number.POSITIVE_INFINITY : (point.value[0] as number);
      const vectorKey = vector.done ? Number.POSITIVE_INFINITY : (vector.value[0] as number);
      const label = labelOfKey(Math.min(pointKey, vectorKey));
      const vectorSet = vectorKey <= pointKey ? checkVectors(check, sums, label, vector.value as Cells) : null;
      if (pointKey <= vectorKey) checkPoint(check, sums, label, point.value as Cells, pointKey === vectorKey, vectorSet);
      else surplusVectors(check, label);
      if (pointKey <= vectorKey) {
        rows.points += 1;
        point = pointCells.next();
      }
      if (vectorKey <= pointKey) {
        rows.vectors += 1;
        vector = vectorCells.next();
      }
      check.onRow();
    }
  } finally {
    pointCells.return?.();
    vectorCells.return?.();
  }
}

function checkVectors(check: CollectionCheck, sums: CollectionSums, label: number, cells: Cells): Buffer | null {
  const vectorSet = readVectorSet(cells);
  if (vectorSet !== null) return vectorSet;
  sums.damagedRows += 1;
  const message = `The vectors of label ${label} of collection uid ${check.uid} fail their checksum`;
  check.findings.add('row_damaged', message, { table: 'vectors', collectionUid: check.uid, label });
  return null;
}

function surplusVectors(check: CollectionCheck, label: number): void {
  if (typeof check.collection !== 'object') return;
  const message = `Label ${label} of collection uid ${check.uid} has vectors and no point`;
  check.findings.add('row_surplus', message, { table: 'vectors', collectionUid: check.uid, label });
}

function checkPoint(
  check: CollectionCheck,
  sums: CollectionSums,
  label: number,
  cells: Cells,
  hasVectors: boolean,
  vectorSet: Buffer | null,
): void {
  const { uid, findings, collection } = check;
  const row = readPointRow(cells);
  if (row === null) {
    sums.damagedRows += 1;
    findings.add('row_damaged', `The point row of label ${label} of collection uid ${uid} fails its checksum`, {
      table: 'points',
      collectionUid: uid,
      label,
    });
    return addDamaged(sums, cells);
  }
  if (row.deadSeq === null) check.counts.points += typeof collection === 'object' ? 1 : 0;
  else check.counts.deadPoints += 1;
  const place = { table: 'points', collectionUid: uid, label, id: row.id };
  const name = `Point ${JSON.stringify(row.id)} (label ${label}) of collection uid ${uid}`;
  if (!hasVectors && typeof collection === 'object') {
    sums.damagedRows += 1;
    findings.add('row_missing', `${name} has no vectors`, { ...place, table: 'vectors' });
  }
  const wrong = typeof collection === 'object' ? boundsBroken(row, collection, check.stateSeq) : null;
  if (wrong !== null) findings.add('out_of_bounds', `${name}: ${wrong}`, place);
  if (vectorSet === null) return addDamaged(sums, cells);
  const idBytes = encodePointId(row.id);
  const { version, expiresAtMs, payload } = row;
  const hash = contentHash({ uid, idBytes, version, expiresAtMs, vectorSet, payload });
  if (!hash.equals(row.contentHash))
    findings.add('hash_mismatch', `${name} has another content than its content hash says`, place);
  if (row.deadSeq === null) sums.add(idBytes, row, payload.length + vectorSet.length);
}

/** What a row that is not whole adds: its head where that is whole, else no more than that it is there. */
function addDamaged(sums: CollectionSums, cells: Cells): void {
  const head = readPointHead(cells);
  if (head?.deadSeq === null) return sums.add(encodePointId(head.id), head, 0);
  if (head !== null) return;
  sums.damagedHeads += 1;
  if (cells[DEAD_SEQ] === null) sums.live += 1;
}

function boundsBroken(row: PointRow, collection: CollectionRow, stateSeq: number): string | null {
  const { label, labelSeq, version, deadSeq, prevLabel } = row;
  if (label >= collection.nextLabel) return `its label is not below next_label ${collection.nextLabel}`;
  if (prevLabel !== null && prevLabel >= label) return `it supersedes label ${prevLabel}, which is not older`;
  // The vectors of a repaired point are as young as the repair, and its version is its master's.
  const newest = Math.max(version, labelSeq, deadSeq ?? 0);
  if (newest > collection.lastSeq || newest > stateSeq)
    return `seq ${newest} is later than the last one of its collection, ${collection.lastSeq}`;
  return null;
}

/** Checks the pages' rows, and against `sums` when they are given. @returns how many rows fail their checksums */
function verifyDigestPages(check: CollectionCheck, sums: CollectionSums | null): number {
  const { db, uid, findings, collection } = check;
  const read = db.prepare('SELECT key, crc, sums FROM digest_pages WHERE key >= ? AND key < ? ORDER BY key').raw();
  const pages = new Map<number, Buffer>();
  let damaged = 0;
  for (const cells of read.iterate(pageKey(uid, 0), pageKey(uid + 1, 0)) as IterableIterator<Cells>) {
    const page = (cells[0] as number) - pageKey(uid, 0);
    const bytes = readDigestPage(cells);
    if (bytes !== null) pages.set(page, bytes);
    else {
      damaged += 1;
      const message = `Digest page ${page} of collection uid ${uid} fails its checksum`;
      findings.add('row_damaged', message, { table: 'digest_pages', collectionUid: uid });
    }
  }
  if (collection === 'unknown' && pages.size > 0) {
    const message = `${pages.size} digest pages belong to collection uid ${uid}, which is not in the catalogue`;
    findings.add('row_surplus', message, { table: 'digest_pages', collectionUid: uid });
  }
  if (sums === null || damaged > 0) return damaged;
  const expected = Buffer.from(sums.buckets.buffer);
  const bytesPerPage = expected.length / PAGES_PER_COLLECTION;
  const zeros = Buffer.alloc(bytesPerPage);
  for (let page = 0; page < PAGES_PER_COLLECTION; page++) {
    const found = pages.get(page) ?? zeros;
    const wanted = expected.subarray(page * bytesPerPage, (page + 1) * bytesPerPage);
    if (found.equals(wanted)) continue;
    const message = `Digest page ${page} of collection uid ${uid} is not the sum of its points (bucket ${firstDifference(found, wanted, page)})`;
    findings.add('digest_mismatch', message, { table: 'digest_pages', collectionUid: uid });
  }
  return damaged;
}

function firstDifference(found: Buffer, wanted: Buffer, page: number): number {
  let at = 0;
  while (found[at] === wanted[at]) at += 1;
  return page * FIXED.digestBucketsPerPage + Math.floor(at / DIGEST_BYTES);
}

function compareSums(collection: CollectionRow, sums: CollectionSums, findings: FindingList): void {
  const { uid, name, pointsCount, dataBytes, digest } = collection;
  const place = { table: 'collections', collectionUid: uid };
  const who = `Collection '${name}' (uid ${uid})`;
  if (sums.live !== pointsCount)
    findings.add('count_mismatch', `${who} has ${sums.live} live points and notes ${pointsCount}`, place);
  if (sums.damagedHeads > 0) return;
  if (sums.damagedRows === 0 && sums.dataBytes !== dataBytes)
    findings.add('count_mismatch', `${who} has ${sums.dataBytes} bytes of data and notes ${dataBytes}`, place);
  if (!sums.digest.toBytes().equals(digest))
    findings.add('digest_mismatch', `${who} has another digest than its points add up to`, place);
}

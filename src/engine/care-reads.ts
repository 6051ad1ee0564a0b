/** Reads that care for the store: a page of rows for their checksums alone, one place once more, sums of content hashes. Run in the scan thread.
 *
 *  Each answer is of a page, so that no read transaction is long and other scans come in between. Damage is an answer, not an error.
 *  Must not know: paces, repairs. */

import { addInto, bucketOf, DIGEST_BYTES } from '../codec/digest.js';
import { encodePointId } from '../codec/point-id.js';
import { type Damage, damageOf, damageOfError } from '../model/damage.js';
import { SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { PointId } from '../model/point.js';
import type { LabelDamage, StoreReads } from '../storage/storage.js';

/** Where a scrub goes on. */
export type ScrubPlace =
  | { readonly table: 'tables' }
  | { readonly table: 'points'; readonly uid: number; readonly fromLabel: number }
  | { readonly table: 'digest_pages'; readonly uid: number }
  | { readonly table: 'log'; readonly fromSeq: number }
  | { readonly table: 'remembered'; readonly after: Uint8Array };

export interface ScrubPage {
  readonly rows: number;
  readonly bytes: number;
  readonly damage: readonly Damage[];
  readonly next: ScrubPlace | null;
}

export type ScrubRequest = { readonly kind: 'scrub'; readonly place: ScrubPlace };
/** The place of damage once more. */
export type LookRequest = { readonly kind: 'look'; readonly damage: Damage };
/** Sums of content hashes by bucket, of the points behind `after`. */
export type RecountRequest = { readonly kind: 'recount'; readonly uid: number; readonly after: PointId | null };

export interface RecountPage {
  readonly sums: Uint8Array;
  /** Null: there are no more points. */
  readonly next: PointId | null;
}

/** A page takes a few milliseconds. */
const PAGE_ROWS = 500;
const PAGE_BYTES = 1024 * 1024;
const RECOUNT_ROWS = 20_000;
const HEADS_ROWS = 1_000;
/** About what a row has beside its payload and its vectors. */
const ROW_BYTES = 100;
/** How far a run of damaged entries is followed to either side. */
const RUN_MAX = 256;
const DIGEST_PAGES = FIXED.digestBuckets / FIXED.digestBucketsPerPage;

export function scrubPage(reads: StoreReads, { place }: ScrubRequest): ScrubPage {
  switch (place.table) {
    case 'tables':
      return smallTables(reads);
    case 'points':
      return pointsPage(reads, place.uid, place.fromLabel);
    case 'digest_pages':
      return digestPages(reads, place.uid);
    case 'log':
      return reads.snapshot(() => logPage(reads, place.fromSeq));
    case 'remembered': {
      const { rows, bytes, damaged, last } = reads.lookAtRemembered(place.after, PAGE_ROWS);
      const message = `${damaged} idempotency keys fail their checksums`;
      const damage = damaged === 0 ? [] : [damageOf('table', 'remembered', message)];
      return { rows, bytes, damage, next: last === null ? null : { table: 'remembered', after: last } };
    }
  }
}

/** Runs a read; damage that it meets is the answer. */
function damageMet(read: () => number): { readonly rows: number; readonly damage: readonly Damage[] } {
  try {
    return { rows: read(), damage: [] };
  } catch (error) {
    const damage = error instanceof SkeinError ? damageOfError(error.toRecord()) : null;
    if (damage === null) throw error;
    return { rows: 0, damage: [damage] };
  }
}

function smallTables(reads: StoreReads): ScrubPage {
  const all: readonly (readonly [string, () => number])[] = [
    ['state', () => Math.min(1, reads.state().seq + 1)],
    ['collections', () => reads.collections().length],
    ['lineage', () => reads.lineage().length],
    ['voters', () => reads.voters().length],
    ['aliases', () => reads.aliases().length],
    ['access_keys', () => reads.accessKeys().length],
  ];
  let rows = 0;
  const damage: Damage[] = [];
  for (const [table, read] of all) {
    const met = damageMet(read);
    rows += met.rows;
    for (const { kind, message } of met.damage) damage.push(damageOf(kind === 'page' ? kind : 'table', table, message));
  }
  return { rows, bytes: rows * ROW_BYTES, damage, next: null };
}

/** After damage the page is read label by label, so that every damaged row is named. */
function pointsPage(reads: StoreReads, uid: number, fromLabel: number): ScrubPage {
  const goOn = (label: number): ScrubPlace => ({ table: 'points', uid, fromLabel: label });
  try {
    const rows = reads.labelsFrom(uid, fromLabel, PAGE_ROWS, PAGE_BYTES, true);
    const last = rows.at(-1);
    const bytes = rows.reduce((sum, row) => sum + ROW_BYTES + row.vectorSet.length + (row.payload?.length ?? 0), 0);
    return { rows: rows.length, bytes, damage: [], next: last === undefined ? null : goOn(last.label + 1) };
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
  }
  const labels = reads.collection(uid)?.nextLabel ?? 0;
  const end = Math.min(fromLabel + PAGE_ROWS, labels);
  const damage: Damage[] = [];
  for (let label = fromLabel; label < end; label++) {
    const found = labelDamage(reads, uid, label);
    if (found !== null) damage.push(found);
  }
  const rows = Math.max(0, end - fromLabel);
  return { rows, bytes: rows * ROW_BYTES, damage, next: end < labels ? goOn(end) : null };
}

/** A dead row is none: nobody is given it, and it goes by itself. */
function labelDamage(reads: StoreReads, uid: number, label: number): Damage | null {
  try {
    const found = reads.snapshot(() => reads.lookAtLabel(uid, label));
    return found === null || found.dead ? null : pointDamage(uid, label, found);
  } catch (error) {
    const met = error instanceof SkeinError ? damageOfError(error.toRecord()) : null;
    if (met === null) throw error;
    return { ...met, table: 'points', collectionUid: uid, label };
  }
}

function pointDamage(uid: number, label: number, { part, id, version }: LabelDamage): Damage {
  const what = { head: 'The row', payload: 'The payload', vectors: 'The vectors' }[part];
  const who = part === 'head' ? '' : ` (point ${JSON.stringify(id)})`;
  const message = `${what} of label ${label}${who} of collection uid ${uid} fail${part === 'vectors' ? '' : 's'} the checksum`;
  const table = part === 'vectors' ? 'vectors' : 'points';
  return damageOf(part, table, message, { collectionUid: uid, label, id, version });
}

function digestPages(reads: StoreReads, uid: number): ScrubPage {
  const damage: Damage[] = [];
  for (let page = 0; page < DIGEST_PAGES; page++)
    for (const met of damageMet(() => reads.digestPage(uid, page).length).damage)
      damage.push({ ...met, table: 'digest_pages', collectionUid: uid, page });
  const bytes = DIGEST_BYTES * FIXED.digestBuckets;
  return { rows: DIGEST_PAGES, bytes, damage, next: null };
}

function logPage(reads: StoreReads, fromSeq: number): ScrubPage {
  const { seq, logMinSeq } = reads.state();
  const first = Math.max(fromSeq, logMinSeq);
  if (first > seq) return { rows: 0, bytes: 0, damage: [], next: null };
  const { rows, bytes, missing, through } = lookAtLog(reads, first, seq);
  const next: ScrubPlace | null = through < seq ? { table: 'log', fromSeq: through + 1 } : null;
  return { rows, bytes, damage: runsOf(missing), next };
}

function lookAtLog(reads: StoreReads, first: number, last: number) {
  const limit = Math.min(PAGE_ROWS, last - first + 1);
  const look = reads.lookAtLog(first, limit, PAGE_BYTES);
  const missing = look.missing.filter((seq) => seq <= last);
  const isEnd = look.rows < limit && look.bytes < PAGE_BYTES;
  // What is not there at the end of the table is lost too.
  const through = isEnd ? Math.min(last, Math.max(look.lastSeq, first + limit - 1)) : Math.min(last, look.lastSeq);
  for (let seq = look.lastSeq + 1; seq <= through; seq++) missing.push(seq);
  return { rows: look.rows, bytes: look.bytes, missing, through };
}

function runsOf(seqs: readonly number[]): Damage[] {
  const runs: { first: number; last: number }[] = [];
  for (const seq of seqs) {
    const run = runs.at(-1);
    if (run !== undefined && seq === run.last + 1) run.last = seq;
    else runs.push({ first: seq, last: seq });
  }
  return runs.map(({ first, last }) => {
    const which = first === last ? `entry ${first}` : `entries ${first} to ${last}`;
    return damageOf('log', 'log', `The log has no readable row for ${which}`, { seq: first, lastSeq: last });
  });
}

/** @returns what is damaged there now, or null. A place that only a whole pass can see again counts as it was. */
export function lookAgain(reads: StoreReads, { damage }: LookRequest): Damage | null {
  const { kind, collectionUid: uid, label, seq } = damage;
  if (kind === 'log' && seq !== null) return reads.snapshot(() => logRunAt(reads, seq));
  if (kind === 'digest_page' && uid !== null) {
    if (reads.collection(uid) === undefined) return null;
    return digestPages(reads, uid).damage.find(({ page }) => page === damage.page) ?? null;
  }
  if (uid !== null && label !== null) return reads.collection(uid) === undefined ? null : labelDamage(reads, uid, label);
  if (kind === 'table' && damage.table !== 'remembered')
    return smallTables(reads).damage.find(({ table }) => table === damage.table) ?? null;
  return damage;
}

function logRunAt(reads: StoreReads, at: number): Damage | null {
  const state = reads.state();
  if (at < state.logMinSeq || at > state.seq) return null;
  const missing = new Set<number>();
  const last = Math.min(state.seq, at + RUN_MAX);
  for (let from = Math.max(state.logMinSeq, at - RUN_MAX); from <= last; ) {
    const page = lookAtLog(reads, from, last);
    for (const seq of page.missing) missing.add(seq);
    from = page.through + 1;
  }
  const runs = runsOf([...missing].sort((a, b) => a - b));
  return runs.find(({ seq, lastSeq }) => (seq ?? 0) <= at && (lastSeq ?? 0) >= at) ?? null;
}

export function recountPage(reads: StoreReads, { uid, after }: RecountRequest): RecountPage {
  const sums = new Uint32Array((FIXED.digestBuckets * DIGEST_BYTES) / 4);
  let from = after;
  for (let rows = 0; rows < RECOUNT_ROWS; ) {
    const heads = reads.headsAfter(uid, from, HEADS_ROWS);
    for (const { id, contentHash } of heads) addInto(sums, bucketOf(encodePointId(id)) * (DIGEST_BYTES / 4), contentHash, 0);
    rows += heads.length;
    from = heads.at(-1)?.id ?? from;
    if (heads.length < HEADS_ROWS) return { sums: new Uint8Array(sums.buffer), next: null };
  }
  return { sums: new Uint8Array(sums.buffer), next: from };
}

/** Adds page to page. */
export function addSums(sums: Uint8Array, more: Uint8Array): Uint8Array {
  const words = new Uint32Array(sums.slice().buffer);
  for (let word = 0; word < words.length; word += DIGEST_BYTES / 4) addInto(words, word, more, word * 4);
  return new Uint8Array(words.buffer);
}

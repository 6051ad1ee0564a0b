/** The reads of the change feed: a stretch of the log, or a page of a snapshot, as far as a selection wants them. In the feed's own thread, so
 *  that neither checksums nor filters hold the others.
 *
 *  Entries cross the border as the bytes that they are, one behind the other, with a mark for each point where a filter was asked; the
 *  main thread decodes them as they are taken. Must not know: places, tokens, threads. */

import { decodeEntry } from '../codec/entry.js';
import { inScope } from '../model/access-key.js';
import { SCAN_ALIASES, type ScanPlace } from '../model/change-place.js';
import { type CollectionSpec, NOTHING_DECLARED } from '../model/collection.js';
import type { Entry } from '../model/entry.js';
import type { PointId } from '../model/point.js';
import type { PointTest } from '../search/evaluate-filter.js';
import type { CollectionRow, LogRow, StoreReads } from '../storage/storage.js';
import type { ChangedPoint, ChangeSelection } from './changes.js';
import { rowTest } from './filter-rows.js';
import { found, type RowSelection, rowSelection } from './row-reads.js';
import { payloadOf } from './stored-payload.js';

export const CHANGE_ROWS_MAX = 4_096;
export const CHANGE_BYTES_TARGET = 1024 * 1024;
const SCAN_ROWS = 1_000;

/** What becomes of a point that was written. */
export const MARK = { left_out: 0, upsert: 1, leave: 2 } as const;

export interface ChangesRequest {
  readonly kind: 'changes';
  readonly fromSeq: number;
  readonly rowsMax: number;
  readonly selection: ChangeSelection;
}

/** What a collection is called, and which parts of its points are told. */
export interface ChangedCollection {
  readonly name: string;
  readonly parts: RowSelection;
}

export interface ChangesAnswer {
  /** What is wanted of it, entry behind entry; ends[i] is where the i-th ends. */
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  /** With a filter: one for each point of each put_points among them. */
  readonly marks: Uint8Array | null;
  /** The collections of these entries, by uid. */
  readonly collections: ReadonlyMap<number, ChangedCollection>;
  /** Up to here nothing is missing; fromSeq − 1 when the log has no entry there. */
  readonly throughSeq: number;
}

export interface ChangesScanRequest {
  readonly kind: 'changes_scan';
  readonly scan: ScanPlace;
  /** Later writes are the log's to tell. */
  readonly stateSeq: number;
  readonly selection: ChangeSelection;
}

export type ScanItem =
  | { readonly kind: 'collection'; readonly uid: number; readonly name: string; readonly spec: CollectionSpec }
  | {
      readonly kind: 'point';
      readonly uid: number;
      readonly collection: string;
      readonly version: number;
      readonly point: ChangedPoint;
    }
  | { readonly kind: 'alias'; readonly alias: string; readonly collection: string };

export interface ChangesScanAnswer {
  readonly items: readonly ScanItem[];
  /** Null: there is no more. */
  readonly next: ScanPlace | null;
  /** The durable state that this page is of. */
  readonly seq: number;
}

export function isSelected({ collection, scope }: ChangeSelection, name: string): boolean {
  return (collection === null || collection === name) && inScope(scope, name);
}

export function withAliases({ collection, scope }: ChangeSelection): boolean {
  return collection === null && scope === null;
}

/** Of one durable state: else a collection whose last entries the log has just dropped could be unknown, and its entries here would be left out unsaid. */
export function readChanges(reads: StoreReads, request: ChangesRequest): ChangesAnswer {
  return reads.snapshot(() => readPage(reads, request));
}

function readPage(reads: StoreReads, { fromSeq, rowsMax, selection }: ChangesRequest): ChangesAnswer {
  const rows = reads.logFrom(fromSeq, rowsMax, CHANGE_BYTES_TARGET);
  if (rows[0]?.seq !== fromSeq) return { ...packed([]), marks: null, collections: new Map(), throughSeq: fromSeq - 1 };
  const sieve = new Sieve(reads, selection);
  const kept = rows.filter(({ entry }) => sieve.keeps(decodeEntry(entry)));
  return { ...packed(kept), marks: sieve.marks, collections: sieve.collections, throughSeq: rows.at(-1)?.seq ?? fromSeq };
}

function packed(rows: readonly LogRow[]): Pick<ChangesAnswer, 'bytes' | 'ends'> {
  const ends = new Uint32Array(rows.length);
  let length = 0;
  for (const [i, { entry }] of rows.entries()) {
    length += entry.length;
    ends[i] = length;
  }
  const bytes = new Uint8Array(length);
  for (const [i, { entry }] of rows.entries()) bytes.set(entry, (ends[i] as number) - entry.length);
  return { bytes, ends };
}

/** Which entries are wanted, and with a filter what of each. */
class Sieve {
  readonly collections = new Map<number, ChangedCollection>();
  readonly #reads: StoreReads;
  readonly #selection: ChangeSelection;
  readonly #marks: number[] = [];
  readonly #tests = new Map<number, PointTest>();

  constructor(reads: StoreReads, selection: ChangeSelection) {
    this.#reads = reads;
    this.#selection = selection;
  }

  get marks(): Uint8Array | null {
    return this.#selection.filter === null ? null : Uint8Array.from(this.#marks);
  }

  keeps({ effect }: Entry): boolean {
    switch (effect.kind) {
      case 'put_points': {
        if (!this.#isSelected(effect.uid)) return false;
        const test = this.#testOf(effect.uid);
        if (test !== null) for (const point of effect.points) this.#mark(test(point.id, payloadOf(point)));
        return true;
      }
      case 'create_collection':
        this.#collection(effect.uid, effect);
        return isSelected(this.#selection, effect.name);
      case 'delete_points':
      case 'update_collection':
      case 'drop_collection':
        return this.#isSelected(effect.uid);
      case 'put_alias':
        return withAliases(this.#selection) && this.#isSelected(effect.uid);
      case 'remove_alias':
        return withAliases(this.#selection);
      case 'noop':
      case 'remember':
      case 'begin_history':
      case 'put_voter':
      case 'remove_voter':
      case 'put_key':
      case 'remove_key':
        return false;
    }
  }

  #mark(passes: boolean): void {
    this.#marks.push(passes ? MARK.upsert : this.#selection.withLeaves ? MARK.leave : MARK.left_out);
  }

  #isSelected(uid: number): boolean {
    const known = this.collections.get(uid) ?? this.#collection(uid);
    return known !== null && isSelected(this.#selection, known.name);
  }

  /** As it is today; a name that has gone from it since has no vectors any more.
   *  @returns null: it was dropped so long ago that the log has no entry of it */
  #collection(uid: number, created?: { readonly name: string; readonly spec: CollectionSpec }): ChangedCollection | null {
    const row = this.#reads.anyCollection(uid) ?? created;
    if (row === undefined) return null;
    const known = { name: row.name, parts: rowSelection(row.spec, this.#selection) };
    this.collections.set(uid, known);
    return known;
  }

  #testOf(uid: number): PointTest | null {
    const { filter } = this.#selection;
    if (filter === null) return null;
    let test = this.#tests.get(uid);
    if (test === undefined) {
      test = rowTest(this.#reads.anyCollection(uid)?.spec ?? NOTHING_DECLARED, filter);
      this.#tests.set(uid, test);
    }
    return test;
  }
}

/** One page of the state at stateSeq, as far as nothing was written since: collections by uid, each with its settings and then its points in scroll
 *  order, and last the aliases. Of one durable state. */
export function scanChanges(reads: StoreReads, request: ChangesScanRequest): ChangesScanAnswer {
  return reads.snapshot(() => {
    const { seq } = reads.state();
    const page = request.scan.stage === SCAN_ALIASES ? scanAliases(reads, request) : scanPoints(reads, request);
    return { ...page, seq };
  });
}

type ScanPage = Omit<ChangesScanAnswer, 'seq'>;

function scanPoints(reads: StoreReads, { scan, stateSeq, selection }: ChangesScanRequest): ScanPage {
  const current = scan.stage === 0 ? undefined : reads.collection(scan.stage);
  if (current === undefined) return nextCollection(reads, scan.stage, stateSeq, selection);
  const rows = reads.pointsAfter(current.uid, scan.after, SCAN_ROWS, CHANGE_BYTES_TARGET);
  const last = rows.at(-1);
  if (last === undefined) return nextCollection(reads, current.uid, stateSeq, selection);
  const test = selection.filter === null ? null : rowTest(current.spec, selection.filter);
  const wanted = rows.filter((row) => row.version <= stateSeq && (test === null || test(row.id, payloadOf(row))));
  const selected = rowSelection(current.spec, selection);
  const items = wanted.map((row): ScanItem => {
    const { version, ...parts } = found(reads, row, selected);
    const point = { ...parts, expiresAtMs: row.expiresAtMs };
    return { kind: 'point', uid: current.uid, collection: current.name, version, point };
  });
  return { items, next: { stage: current.uid, after: last.id } };
}

function nextCollection(reads: StoreReads, after: number, stateSeq: number, selection: ChangeSelection): ScanPage {
  const wanted = (row: CollectionRow): boolean =>
    row.uid > after && row.createdSeq <= stateSeq && isSelected(selection, row.name);
  const next = reads.collections().find(wanted);
  if (next === undefined) return { items: [], next: { stage: SCAN_ALIASES, after: null } };
  const { uid, name, spec } = next;
  return { items: [{ kind: 'collection', uid, name, spec }], next: { stage: uid, after: null } };
}

function scanAliases(reads: StoreReads, { scan, stateSeq, selection }: ChangesScanRequest): ScanPage {
  if (!withAliases(selection)) return { items: [], next: null };
  const after: PointId = scan.after ?? '';
  const page = reads
    .aliases()
    .filter(({ name }) => name > String(after))
    .slice(0, SCAN_ROWS);
  const last = page.at(-1);
  const items = page.flatMap(({ name, uid }): ScanItem[] => {
    const row = reads.collection(uid);
    return row === undefined || row.createdSeq > stateSeq ? [] : [{ kind: 'alias', alias: name, collection: row.name }];
  });
  return { items, next: last === undefined ? null : { stage: SCAN_ALIASES, after: last.name } };
}

/** What a verification says: findings, each exact about its place, and what was counted. Plain JSON data.
 *  The list is bounded; the count is not. Must not know: how findings are made. */

import { messageOf } from '../model/errors.js';
import type { PointId } from '../model/point.js';

export type VerifyLevel = 'full' | 'quick';

/** unusable       the folder or the file cannot be opened as a store
 *  process_died   the checking process was ended by the damage it read
 *  structure      integrity_check names a broken page, index or constraint
 *  page_damaged   a scan of a table stopped at a page that cannot be read
 *  row_damaged    a row fails its checksum
 *  row_missing    a row that must be there is not: state, vectors of a point, a seq of the log
 *  row_surplus    a row that belongs to nothing: vectors without a point, rows of an unknown collection
 *  out_of_bounds  a label, seq or version beyond what the state or the catalogue allow
 *  count_mismatch, hash_mismatch, digest_mismatch   what the rows add up to is not what is noted
 *  unit_broken    the log starts, ends or continues in the middle of a unit
 *  tail_lost      the manifest knows a later seq than the store
 *  identity_mismatch   manifest and store belong to different lines of data
 *  manifest       the manifest is missing or damaged; the store itself may be sound */
export type FindingKind =
  | 'unusable'
  | 'process_died'
  | 'structure'
  | 'page_damaged'
  | 'row_damaged'
  | 'row_missing'
  | 'row_surplus'
  | 'out_of_bounds'
  | 'count_mismatch'
  | 'hash_mismatch'
  | 'digest_mismatch'
  | 'unit_broken'
  | 'tail_lost'
  | 'identity_mismatch'
  | 'manifest';

export interface Finding {
  readonly kind: FindingKind;
  /** False only where nothing of the data is touched and a start may repair it (the manifest). */
  readonly fatal: boolean;
  readonly message: string;
  readonly table: string | null;
  readonly collectionUid: number | null;
  readonly label: number | null;
  readonly id: PointId | null;
  readonly seq: number | null;
}

export type FindingPlace = Partial<Pick<Finding, 'table' | 'collectionUid' | 'label' | 'id' | 'seq'>>;

export interface VerifyCounts {
  collections: number;
  /** Live points. */
  points: number;
  deadPoints: number;
  logEntries: number;
  rememberedKeys: number;
}

export interface VerifyReport {
  /** No fatal finding: the store may be served. */
  readonly ok: boolean;
  readonly level: VerifyLevel;
  readonly databasePath: string | null;
  readonly position: { readonly historyId: string; readonly epoch: number; readonly seq: number } | null;
  /** What was read; at level quick points come from the catalogue, deadPoints and rememberedKeys are 0. */
  readonly counts: Readonly<VerifyCounts>;
  /** The first ones, at most 1,000. */
  readonly findings: readonly Finding[];
  readonly findingsCount: number;
}

export interface VerifyProgress {
  readonly step: 'open' | 'structure' | 'points' | 'log' | 'done';
  /** 0 … 1 over the whole verification. */
  readonly progress: number;
}

const FINDINGS_MAX = 1_000;

/** Gathers findings in the order in which they are made. */
export class FindingList {
  readonly findings: Finding[] = [];
  #count = 0;
  #fatal = false;

  get count(): number {
    return this.#count;
  }

  get ok(): boolean {
    return !this.#fatal;
  }

  add(kind: FindingKind, message: string, place: FindingPlace = {}): void {
    const fatal = kind !== 'manifest';
    this.#count += 1;
    this.#fatal ||= fatal;
    if (this.findings.length >= FINDINGS_MAX) return;
    const nowhere = { table: null, collectionUid: null, label: null, id: null, seq: null };
    this.findings.push({ kind, fatal, message, ...nowhere, ...place });
  }

  /** Runs a scan; a page that cannot be read becomes a finding. @returns whether it came to its end */
  scan(table: string, place: FindingPlace, isDamage: (error: unknown) => boolean, run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error) {
      if (!isDamage(error)) throw error;
      const reason = messageOf(error);
      this.add('page_damaged', `A page of ${table} cannot be read (${reason}); what stands behind it was not checked`, {
        table,
        ...place,
      });
      return false;
    }
  }
}

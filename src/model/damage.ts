/** Damage in a store, as a scan, a read or a verification names it: where it is, and what is still known of the row.
 *
 *  Identity is the place: the same row found twice is one damage. Must not know: how damage is found or repaired. */

import type { ErrorRecord } from './errors.js';
import type { PointId } from './point.js';

/** payload, vectors  of a point whose head (id, version, content hash) is whole
 *  head              of a point, so that nothing it says is sure
 *  digest_page       sums of content hashes, which follow from the points
 *  log               an entry of the operation log
 *  table             a row of one of the small tables, which are read at the start
 *  page              a page of the file that cannot be read at all */
export type DamageKind = 'payload' | 'vectors' | 'head' | 'digest_page' | 'log' | 'table' | 'page';

export interface Damage {
  readonly kind: DamageKind;
  readonly table: string;
  readonly collectionUid: number | null;
  readonly label: number | null;
  readonly id: PointId | null;
  readonly version: number | null;
  readonly seq: number | null;
  /** The last one of a run of entries that begins at seq. */
  readonly lastSeq: number | null;
  /** Of the digest tree. */
  readonly page: number | null;
  readonly message: string;
}

const NOWHERE = { collectionUid: null, label: null, id: null, version: null, seq: null, lastSeq: null, page: null } as const;

export function damageOf(kind: DamageKind, table: string, message: string, place: Partial<Damage> = {}): Damage {
  return { ...NOWHERE, ...place, kind, table, message };
}

/** Equal for what is at one place. */
export function damageKey({ table, collectionUid, label, seq, page }: Damage): string {
  // A point's row and its vectors are mended together.
  const where = table === 'vectors' ? 'points' : table;
  return [where, collectionUid, label, seq, page].join(':');
}

/** What an error of a read says about its place; null when the error is another one.
 *  The kind is the least that can be said: only a look at the row tells more. */
export function damageOfError({ type, message, details }: ErrorRecord): Damage | null {
  if (type !== 'CorruptData') return null;
  const { code, table, collection_uid: uid, label, seq, page } = details;
  if (typeof code === 'string') return damageOf('page', 'file', message);
  const place = { collectionUid: countOf(uid), label: countOf(label), seq: countOf(seq), page: countOf(page) };
  if (table === 'points' || table === 'vectors') return damageOf('head', 'points', message, place);
  if (table === 'digest_pages') return damageOf('digest_page', table, message, place);
  if (table === 'log') return damageOf('log', table, message, place);
  return damageOf('table', typeof table === 'string' ? table : 'points', message);
}

function countOf(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null;
}

/** The care for the store, done: pages are read in the scan thread, rows are written over in the write thread, and reads that meet damage say so.
 *
 *  Invariant: nothing is written that the write thread has not proven (mend.ts). Must not know: paces, where values come from, other nodes. */

import { bucketOf, DIGEST_BYTES, Sum128 } from '../codec/digest.js';
import { encodePointId } from '../codec/point-id.js';
import { type Damage, damageOf, damageOfError } from '../model/damage.js';
import type { ErrorRecord } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { PointId, PointVersion } from '../model/point.js';
import type { StoreReads } from '../storage/storage.js';
import { addSums, type ScrubPage, type ScrubPlace } from './care-reads.js';
import { type Catalogue, damagedReason } from './catalogue.js';
import type { CompareAnswers } from './compare.js';
import { placedDamage } from './damage-place.js';
import type { IndexKeeper } from './index-keeper.js';
import type { OthersPage } from './proof-reads.js';
import type { Reader } from './reader.js';
import type { MendedRow, StoreCare } from './store-care.js';
import type { WriterLink } from './writer-link.js';

export interface LocalCareParts {
  readonly link: WriterLink;
  readonly reader: Reader;
  readonly reads: StoreReads;
  readonly keeper: IndexKeeper;
  readonly catalogue: Catalogue;
  /** What was searched before is of no use. */
  forgetSearches(): void;
}

export class LocalCare implements StoreCare {
  readonly #parts: LocalCareParts;
  readonly #listeners = new Set<(damage: Damage) => void>();

  constructor(parts: LocalCareParts) {
    this.#parts = parts;
  }

  /** Something was refused; damage is told. @returns the refusal as its caller is to have it, with the names of what is damaged */
  refused(record: ErrorRecord): ErrorRecord {
    const damage = damageOfError(record);
    if (damage === null) return record;
    for (const listener of this.#listeners) listener(damage);
    return placedDamage(record, (uid) => this.nameOf(uid), this.#parts.reads);
  }

  onDamage(listener: (damage: Damage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  nameOf(uid: number): string | null {
    return this.#parts.catalogue.byUid(uid)?.row.name ?? null;
  }

  places(): ScrubPlace[] {
    const uids = [...this.#parts.catalogue.all()].map(({ row }) => row.uid);
    const ofCollections = uids.flatMap((uid): ScrubPlace[] => [
      { table: 'points', uid, fromLabel: 0 },
      { table: 'digest_pages', uid },
    ]);
    const rest: ScrubPlace[] = [
      { table: 'log', fromSeq: 0 },
      { table: 'remembered', after: new Uint8Array(0) },
    ];
    return [{ table: 'tables' }, ...ofCollections, ...rest];
  }

  async scrub(place: ScrubPlace): Promise<ScrubPage> {
    // Dropped since the pass began.
    if ('uid' in place && this.nameOf(place.uid) === null) return { rows: 0, bytes: 0, damage: [], next: null };
    return this.#parts.reader.read({ kind: 'scrub', place });
  }

  async look(damage: Damage): Promise<Damage | null> {
    return (await this.#parts.reader.read({ kind: 'look', damage })).damage;
  }

  async logged(point: PointVersion): Promise<Uint8Array | null> {
    return (await this.#parts.reader.read({ kind: 'logged', ...point })).value;
  }

  async mend(row: MendedRow): Promise<void> {
    const { link } = this.#parts;
    if (row.kind === 'log') return link.mend(row);
    const { uid, label } = row;
    const found = await this.look(damageOf('head', 'points', '', { collectionUid: uid, label }));
    const isHead = found?.kind === 'head' && found.id !== null;
    const digestHash = isHead ? await this.#digestHash(uid, label, found.id) : null;
    await link.mend({ ...row, digestHash });
  }

  /** The content hash that makes the points of its bucket add up to what the digest says; null: they are being written, or one more is damaged. */
  async #digestHash(uid: number, label: number, id: PointId): Promise<Uint8Array | null> {
    const { reader } = this.#parts;
    const bucket = bucketOf(encodePointId(id));
    const before = await this.#bucketSum(uid, bucket);
    const wanted = new Sum128(before);
    for (let fromLabel: number | null = 0; fromLabel !== null; ) {
      const page: OthersPage = await reader.read({ kind: 'others', uid, bucket, exceptLabel: label, fromLabel });
      wanted.subtract(page.sum);
      fromLabel = page.nextLabel;
    }
    return Buffer.compare(before, await this.#bucketSum(uid, bucket)) === 0 ? wanted.toBytes() : null;
  }

  async #bucketSum(uid: number, bucket: number): Promise<Uint8Array> {
    const { sums } = (await this.#parts.reader.read({
      kind: 'compare',
      request: { kind: 'buckets', uid },
    })) as CompareAnswers['buckets'];
    return (sums ?? new Uint8Array(FIXED.digestBuckets * DIGEST_BYTES)).slice(bucket * DIGEST_BYTES, (bucket + 1) * DIGEST_BYTES);
  }

  unread(): number[] {
    return [...this.#parts.catalogue.all()].filter((entry) => damagedReason(entry) !== null).map(({ row }) => row.uid);
  }

  async show(uid: number): Promise<void> {
    const { keeper, forgetSearches } = this.#parts;
    forgetSearches();
    await keeper.settle(uid);
    // What was searched meanwhile may have been without it.
    forgetSearches();
  }

  async recount(uid: number): Promise<void> {
    let sums: Uint8Array = new Uint8Array(FIXED.digestBuckets * DIGEST_BYTES);
    let after: PointId | null = null;
    do {
      const page: { readonly sums: Uint8Array; readonly next: PointId | null } = await this.#parts.reader.read({
        kind: 'recount',
        uid,
        after,
      });
      sums = addSums(sums, page.sums);
      after = page.next;
    } while (after !== null);
    await this.#parts.link.mend({ kind: 'digest_pages', uid, sums });
  }
}

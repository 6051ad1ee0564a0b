/** The archive of the cluster that this node is of, and what is known to be in it: read when it is asked for, and now and then; what this node
 *  does there itself is added without reading. What was read last is shown until something newer was: a place that cannot be reached takes
 *  nothing out of sight. A backup that was read to its end and found damaged stays so until somebody asks for it by its name.
 *  Must not know: what backups are made of, when. */

import type { ReplicatedLog } from '../engine/engine.js';
import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import { NO_EPOCH } from '../model/position.js';
import { Archive, type Listing } from './archive.js';
import type { BrokenBackup } from './damaged.js';
import type { BackupHead } from './head.js';
import type { BackupTarget } from './target.js';

/** The target is read anew so often, for what others did there. */
const LISTED_AGAIN_MS = 600_000;

export class KnownArchive {
  readonly #parts: { readonly target: BackupTarget; readonly clock: Clock };
  #archive: Archive | null = null;
  #listing: Listing | null = null;
  /** What a list does not show, since it reads the heads alone. */
  readonly #disproven = new Map<string, BrokenBackup>();
  #isDoubted = true;
  /** Of what this node stored and removed: a list that began before one of them does not know it. */
  #changes = 0;
  #listedAtMs = 0;
  #readAtMs: number | null = null;
  #epoch = NO_EPOCH;

  constructor(parts: { readonly target: BackupTarget; readonly clock: Clock }) {
    this.#parts = parts;
  }

  /** As it was read last, however long ago: for showing it. Null: not yet. */
  get shown(): Listing | null {
    return this.#listing;
  }

  /** When that was read, ms since 1970. Null: not yet. */
  get readAtMs(): number | null {
    return this.#listing === null ? null : this.#readAtMs;
  }

  of(log: ReplicatedLog): Archive {
    const { clusterId } = log.state();
    if (this.#archive?.clusterId !== clusterId) {
      this.#archive = new Archive(this.#parts.target, clusterId);
      this.#listing = null;
      this.#disproven.clear();
    }
    return this.#archive;
  }

  /** As it was read last, unless that is long ago or another mastership lies between. @throws BackupTargetFailed */
  async known(log: ReplicatedLog): Promise<Listing> {
    return this.isFresh(log) && this.#listing !== null ? this.#listing : this.read(log);
  }

  /** Would `known` answer without reading? */
  isFresh(log: ReplicatedLog): boolean {
    const { clusterId, epoch } = log.state();
    const isRecent = this.#parts.clock.monotonicMs() - this.#listedAtMs < LISTED_AGAIN_MS;
    const isSame = this.#epoch === epoch && this.#archive?.clusterId === clusterId;
    return this.#listing !== null && !this.#isDoubted && isRecent && isSame;
  }

  /** @throws BackupTargetFailed */
  async read(log: ReplicatedLog): Promise<Listing> {
    const { epoch } = log.state();
    const changes = this.#changes;
    const found = await this.of(log).list();
    const there = new Set(found.backups.map(({ id }) => id));
    for (const id of this.#disproven.keys()) if (!there.has(id)) this.#disproven.delete(id);
    const listing = [...this.#disproven.values()].reduce(withDamaged, found);
    // Whoever asked beside that is told what was there when he asked; what is known stays.
    if (changes !== this.#changes) return listing;
    this.#listing = listing;
    this.#isDoubted = false;
    this.#listedAtMs = this.#parts.clock.monotonicMs();
    this.#readAtMs = this.#parts.clock.wallMs();
    this.#epoch = epoch;
    return listing;
  }

  /** This node stored one. */
  took(head: BackupHead): void {
    this.#changes += 1;
    if (this.#listing !== null) this.#listing = { ...this.#listing, backups: [head, ...this.#listing.backups] };
  }

  /** This node removed one. */
  lost(id: string): void {
    this.#changes += 1;
    if (this.#listing === null) return;
    const { backups, damaged, doubted, verified, headless } = this.#listing;
    const isOther = (one: { readonly id: string }): boolean => one.id !== id;
    const proofs = new Map([...verified].filter(([verifiedId]) => verifiedId !== id));
    const left = { backups: backups.filter(isOther), damaged: damaged.filter(isOther), doubted: doubted.filter(isOther) };
    this.#listing = { ...left, verified: proofs, headless };
  }

  /** A restore failed: where that was the backup's fault, it counts as damaged from now on. */
  noteDamage(error: unknown): void {
    if (!(error instanceof SkeinError) || error.type !== 'BackupDamaged') return;
    const { backup: id, object, problem } = error.details as { backup: string; object: string; problem: string };
    const end = this.#listing?.backups.find((head) => head.id === id)?.end ?? this.#disproven.get(id)?.end ?? null;
    this.#disproven.set(id, { id, object, problem, end });
    if (this.#listing !== null) this.#listing = withDamaged(this.#listing, { id, object, problem, end });
  }

  /** It is to be looked at again. */
  pardon(id: string): void {
    if (this.#disproven.delete(id)) this.doubt();
  }

  /** The next question reads it anew. */
  doubt(): void {
    this.#isDoubted = true;
  }
}

function withDamaged(listing: Listing, broken: BrokenBackup): Listing {
  const isOther = ({ id }: { readonly id: string }): boolean => id !== broken.id;
  const head = listing.backups.find((one) => !isOther(one));
  return {
    ...listing,
    backups: listing.backups.filter(isOther),
    damaged: [...listing.damaged.filter(isOther), broken],
    doubted: head === undefined ? listing.doubted : [...listing.doubted, head],
  };
}

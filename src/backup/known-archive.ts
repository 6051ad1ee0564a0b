/** The archive of the cluster that this node is of, and what is known to be in it: read when it is asked for, and now and then; what this node
 *  does there itself is added without reading. What was read last is shown until something newer was: a place that cannot be reached takes
 *  nothing out of sight. Must not know: what backups are made of, when. */

import type { ReplicatedLog } from '../engine/engine.js';
import type { Clock } from '../model/clock.js';
import { NO_EPOCH } from '../model/position.js';
import { Archive, type Listing } from './archive.js';
import type { BackupHead } from './head.js';
import type { BackupTarget } from './target.js';

/** The target is read anew so often, for what others did there. */
const LISTED_AGAIN_MS = 600_000;

export class KnownArchive {
  readonly #parts: { readonly target: BackupTarget; readonly clock: Clock };
  #archive: Archive | null = null;
  #listing: Listing | null = null;
  #isDoubted = true;
  #listedAtMs = 0;
  #epoch = NO_EPOCH;

  constructor(parts: { readonly target: BackupTarget; readonly clock: Clock }) {
    this.#parts = parts;
  }

  /** As it was read last, however long ago: for showing it. Null: not yet. */
  get shown(): Listing | null {
    return this.#listing;
  }

  of(log: ReplicatedLog): Archive {
    const { clusterId } = log.state();
    if (this.#archive?.clusterId !== clusterId) {
      this.#archive = new Archive(this.#parts.target, clusterId);
      this.#listing = null;
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
    const listing = await this.of(log).list();
    this.#listing = listing;
    this.#isDoubted = false;
    this.#listedAtMs = this.#parts.clock.monotonicMs();
    this.#epoch = epoch;
    return listing;
  }

  /** This node stored one. */
  took(head: BackupHead): void {
    if (this.#listing !== null) this.#listing = { ...this.#listing, backups: [head, ...this.#listing.backups] };
  }

  /** This node removed one. */
  lost(id: string): void {
    if (this.#listing === null) return;
    const { backups, damaged, verified, headless } = this.#listing;
    const isOther = (one: { readonly id: string }): boolean => one.id !== id;
    const proofs = new Map([...verified].filter(([verifiedId]) => verifiedId !== id));
    this.#listing = { backups: backups.filter(isOther), damaged: damaged.filter(isOther), verified: proofs, headless };
  }

  /** The next question reads it anew. */
  doubt(): void {
    this.#isDoubted = true;
  }
}

/** The archive of the cluster that this node is of, and what is known to be in it: read when it is asked for, and now and then.
 *  Must not know: what backups are made of, when. */

import type { ReplicatedLog } from '../engine/engine.js';
import type { Clock } from '../model/clock.js';
import { NO_EPOCH } from '../model/position.js';
import { Archive, type Listing } from './archive.js';
import type { BackupTarget } from './target.js';

/** The target is read anew so often, for what others did there. */
const LISTED_AGAIN_MS = 600_000;

export class KnownArchive {
  readonly #parts: { readonly target: BackupTarget; readonly clock: Clock };
  #archive: Archive | null = null;
  #listing: Listing | null = null;
  #listedAtMs = 0;
  #epoch = NO_EPOCH;

  constructor(parts: { readonly target: BackupTarget; readonly clock: Clock }) {
    this.#parts = parts;
  }

  /** As it was read last; null: not yet, or something went wrong since. */
  get listing(): Listing | null {
    return this.#listing;
  }

  of(log: ReplicatedLog): Archive {
    const { clusterId } = log.state();
    if (this.#archive?.clusterId !== clusterId) this.#archive = new Archive(this.#parts.target, clusterId);
    return this.#archive;
  }

  /** As it was read last, unless that is long ago or another mastership lies between. @throws BackupTargetFailed */
  async known(log: ReplicatedLog): Promise<Listing> {
    const { clusterId, epoch } = log.state();
    const isFresh = this.#parts.clock.monotonicMs() - this.#listedAtMs < LISTED_AGAIN_MS;
    const isSame = this.#epoch === epoch && this.#archive?.clusterId === clusterId;
    return this.#listing !== null && isFresh && isSame ? this.#listing : this.read(log);
  }

  /** @throws BackupTargetFailed */
  async read(log: ReplicatedLog): Promise<Listing> {
    const { epoch } = log.state();
    this.#listing = await this.of(log).list();
    this.#listedAtMs = this.#parts.clock.monotonicMs();
    this.#epoch = epoch;
    return this.#listing;
  }

  /** The next question reads it anew. */
  forget(): void {
    this.#listing = null;
  }
}

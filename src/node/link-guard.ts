/** May other nodes link to this one? Whoever links has all data, so once anything asks for keys a link needs the cluster key as well.
 *
 *  Invariant: with a key file, tokens or an access key, and without a cluster key, no link is made; those that were there when the first access
 *  key was made are ended within a second, after that key was sent on. Must not know: frames, proofs. */

import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';

export interface LinkGuardParts {
  readonly clusterKeyed: boolean;
  /** As far as the settings tell. */
  readonly streamAllowed: boolean;
  readonly log: Log;
  readonly clock: Clock;
  /** How many there are now; 0 while nobody knows. */
  accessKeys(): number;
  /** Ends those that others made to this node. */
  endLinks(reason: string): void;
}

const LOOK_MS = 1_000;
/** Replicas try again every few seconds; one line a minute says as much. */
const SAID_EVERY_MS = 60_000;
const REASON =
  'This node makes no links without a cluster key, because it asks for keys or can be reached from other machines: give --cluster-key-file to all nodes';

export class LinkGuard {
  readonly #parts: LinkGuardParts;
  #timer: NodeJS.Timeout | null = null;
  #saidMs = Number.NEGATIVE_INFINITY;
  #ended = false;

  constructor(parts: LinkGuardParts) {
    this.#parts = parts;
  }

  get mayLink(): boolean {
    const { clusterKeyed, streamAllowed } = this.#parts;
    return clusterKeyed || (streamAllowed && this.#parts.accessKeys() === 0);
  }

  /** @throws Forbidden */
  admit(): void {
    if (this.mayLink) return;
    const { log, clock } = this.#parts;
    if (clock.monotonicMs() - this.#saidMs >= SAID_EVERY_MS) {
      this.#saidMs = clock.monotonicMs();
      log.warn('link_refused', { reason: REASON });
    }
    throw new SkeinError('Forbidden', REASON);
  }

  /** Access keys can come at any time. Nothing is done with a cluster key. */
  start(): void {
    if (!this.#parts.clusterKeyed) this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const { mayLink } = this;
    if (!mayLink && !this.#ended) this.#parts.endLinks('access keys were made, and there is no cluster key');
    this.#ended = !mayLink;
  }
}

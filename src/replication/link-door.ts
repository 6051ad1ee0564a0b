/** Who may try to open a link: wrong cluster keys of one network are limited, so that guessing takes forever.
 *
 *  A network that has shown the right key is not held off for wrong ones: whoever shares an address with the replicas must not be able to keep them
 *  away. Must not know: sockets. */

import type { RateLimit } from '../model/access-key.js';
import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import { networkOf } from '../resilience/network-of.js';
import { TokenBuckets } from '../resilience/token-bucket.js';
import type { Reject, Welcome } from '../wire/frames.js';

/** Wrong keys of one network: some at once, for nodes that were set up wrongly, then one a second. */
const FAILURES: RateLimit = { perSecond: 1, burst: 30 };
const NETWORKS_MAX = 10_000;

export class LinkDoor {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #failing = new TokenBuckets(NETWORKS_MAX);
  /** The last to show the right key, newest last. */
  readonly #proven = new Set<string>();
  #wrongKeys = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Since the start. */
  get wrongKeys(): number {
    return this.#wrongKeys;
  }

  /** @param address of the other end @returns it @throws RateLimited */
  admit(address: string): string {
    const network = networkOf(address);
    if (this.#proven.has(network)) return address;
    const nowMs = this.#clock.monotonicMs();
    const waitMs = this.#failing.of(network, FAILURES, nowMs).waitMs(FAILURES, nowMs);
    if (waitMs > 0)
      throw new SkeinError('RateLimited', 'Too many wrong cluster keys came from this address', { retry_after_ms: waitMs });
    return address;
  }

  /** A caller has shown a key, and was answered. */
  judged(address: string, answer: Welcome | Reject): void {
    const network = networkOf(address);
    if (answer.type === 'welcome' || answer.reason !== 'UNAUTHORIZED') {
      this.#proven.delete(network);
      this.#proven.add(network);
      const [oldest] = this.#proven;
      if (this.#proven.size > NETWORKS_MAX && oldest !== undefined) this.#proven.delete(oldest);
      return;
    }
    this.#wrongKeys += 1;
    const nowMs = this.#clock.monotonicMs();
    this.#failing.of(network, FAILURES, nowMs).take(FAILURES, nowMs);
  }
}

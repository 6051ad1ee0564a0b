/** Connections of the program that the node runs in: pairs of streams in memory that speak HTTP as any connection does, so that one set of
 *  routes serves both. Whoever holds the other end holds the data folder too, so no key is asked of it.
 *
 *  Invariant: what ends one end of a pair ends the other. Must not know: routes, what is sent. */

import { type Duplex, duplexPair } from 'node:stream';
import { SOCKET_MANNERS } from '../model/socket-manners.js';

export class InsideConnections {
  readonly #accept: (far: Duplex) => void;
  readonly #open = new Set<Duplex>();
  #closed = false;

  /** @param accept gives the server its end */
  constructor(accept: (far: Duplex) => void) {
    this.#accept = accept;
  }

  /** @returns the program's end of a new connection @throws Error once the server has closed */
  connect(): Duplex {
    if (this.#closed) throw new Error('the node has stopped');
    const [near, end] = duplexPair();
    const far = Object.assign(end, SOCKET_MANNERS);
    this.#open.add(far);
    // Each tells the other of its end; an error is told by who met it.
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const)
      end.once('close', () => other.destroy()).on('error', () => undefined);
    far.once('close', () => this.#open.delete(far));
    this.#accept(far);
    return near;
  }

  /** Is it the server's end of such a connection? */
  has(socket: unknown): boolean {
    return this.#open.has(socket as Duplex);
  }

  /** No new ones from now on; those that are there end, whatever they do. */
  close(): void {
    this.#closed = true;
    for (const far of this.#open) far.destroy();
  }
}

/** The requests of each connection that are not answered to their end, in their order: what a wish to become something else has to wait for.
 *
 *  Node takes a connection out of HTTP as soon as it has read such a wish, also while requests before it run; it goes on writing their
 *  answers and listens to the connection no more. Invariant: `then` runs once, when all of them are written, or never, when the connection
 *  ended first. Must not know: what is done with the connection afterwards. */

import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

export class AnswersBefore {
  /** Oldest first; those at the beginning may be closed. */
  readonly #rows = new WeakMap<Duplex, ServerResponse[]>();
  readonly #waiting = new Set<Duplex>();

  constructor(server: Server) {
    server.on('request', ({ socket }, response) => {
      const row = this.#rows.get(socket);
      if (row === undefined) this.#rows.set(socket, [response]);
      else {
        dropClosed(row);
        row.push(response);
      }
    });
  }

  /** Runs `then` at once where nothing is under way. The connection is nobody's meanwhile: what comes on it stays in its buffer. */
  wait(socket: Duplex, then: () => void): void {
    const row = this.#rows.get(socket) ?? [];
    dropClosed(row);
    const last = row.at(-1);
    if (last === undefined) return then();
    const ended = (): void => void socket.destroy();
    // The answer that is being written must learn that there is room again: Node has stopped telling it.
    const goOn = (): void => {
      dropClosed(row);
      row[0]?.emit('drain');
    };
    const done = (): void => {
      last.off('close', done);
      socket.off('error', ended).off('drain', goOn).off('close', done);
      this.#waiting.delete(socket);
      // Not after an answer that ended the connection, either.
      if (socket.writable) then();
    };
    this.#waiting.add(socket);
    socket.on('error', ended).on('drain', goOn).on('close', done);
    last.on('close', done);
  }

  /** Ends the connections that wait. */
  cut(): void {
    for (const socket of this.#waiting) socket.destroy();
  }
}

function dropClosed(row: ServerResponse[]): void {
  while (row[0]?.closed === true) row.shift();
}

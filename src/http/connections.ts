/** The connections of a server, for its stop: which are in the middle of a request, and which have never sent one.
 *
 *  Node's closeIdleConnections knows a connection as idle only after its first request, so one that never sends any would hold a stop
 *  until its deadline. Must not know: routes. */

import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export class Connections {
  readonly #silent = new Set<Socket>();
  /** A connection whose wish to become something else was passed over comes as a new one, and is not. */
  readonly #known = new WeakSet<Socket>();
  #requests = 0;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      if (this.#known.has(socket)) return;
      this.#known.add(socket);
      this.#silent.add(socket);
      socket.once('close', () => this.#silent.delete(socket));
    });
    server.on('request', (request, response) => {
      this.#silent.delete(request.socket);
      this.#requests += 1;
      response.once('close', () => {
        this.#requests -= 1;
      });
    });
    server.on('upgrade', (request) => this.#silent.delete(request.socket));
  }

  /** Requests that were not answered to their end. */
  get requests(): number {
    return this.#requests;
  }

  cutSilent(): void {
    for (const socket of this.#silent) socket.destroy();
  }
}

/** How the client of an embedded node sends: requests to the node itself over streams in memory, all others, such as writes that go on to the
 *  master, over the network.
 *
 *  Invariant: nothing that is for the node leaves the process. Must not know: routes, bodies. */

import { Duplex } from 'node:stream';
import {
  HttpTransport,
  SkeinConnectionError,
  type StreamAnswer,
  type StreamRequest,
  type Transport,
  type TransportAnswer,
  type TransportRequest,
} from '../sdk/index.js';

export interface InsideTransportSettings {
  /** Base address that stands for the node. */
  readonly url: string;
  /** @throws Error once the node has stopped */
  connect(): Duplex;
  /** Why the node must not answer any more, or null. */
  failure(): string | null;
  /** At once, inside as well as to each other node. */
  readonly connectionsMax: number;
}

export class InsideTransport implements Transport {
  readonly #settings: InsideTransportSettings;
  readonly #inside: HttpTransport;
  readonly #outside: HttpTransport;

  constructor(settings: InsideTransportSettings) {
    this.#settings = settings;
    const { connectionsMax } = settings;
    this.#inside = new HttpTransport({ connectionsMax, connect: () => this.#connect() });
    this.#outside = new HttpTransport({ connectionsMax });
  }

  async send(request: TransportRequest): Promise<TransportAnswer> {
    const answer = await this.#wayOf(request).send(request);
    this.#mustBeSound(request);
    return answer;
  }

  stream(request: StreamRequest): Promise<StreamAnswer> {
    return this.#wayOf(request).stream(request);
  }

  close(): void {
    this.#inside.close();
    this.#outside.close();
  }

  /** The agent also makes connections for requests that waited, where nobody would catch what is thrown. */
  #connect(): Duplex {
    try {
      return this.#settings.connect();
    } catch (error) {
      const broken = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done(error as Error) });
      // Once the agent listens to it.
      setImmediate(() => broken.destroy(error as Error));
      return broken;
    }
  }

  #wayOf(request: Pick<TransportRequest, 'url'>): HttpTransport {
    this.#mustBeSound(request);
    return this.#isInside(request) ? this.#inside : this.#outside;
  }

  #isInside({ url }: Pick<TransportRequest, 'url'>): boolean {
    return url.startsWith(`${this.#settings.url}/`);
  }

  #mustBeSound(request: Pick<TransportRequest, 'url'>): void {
    const failure = this.#settings.failure();
    if (failure === null || !this.#isInside(request)) return;
    throw new SkeinConnectionError(`the embedded node has failed: ${failure}`, {
      code: 'FAILED',
      url: request.url,
      maybeSent: true,
    });
  }
}

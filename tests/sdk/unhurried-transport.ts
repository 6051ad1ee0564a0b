/** HTTP without the haste of a client that looks for the fastest node, for tests of what comes after: a look at what nodes are ends when all that
 *  are asked have answered, however long that takes, and so does a call to a node that the test is patient with. */
import { HttpTransport } from '../../src/sdk/index.js';
import type { StreamAnswer, StreamRequest, Transport, TransportAnswer, TransportRequest } from '../../src/sdk/transport.js';
import { READY_PATH } from './stub-server.js';

export class UnhurriedTransport implements Transport {
  readonly #inner = new HttpTransport({ connectionsMax: 8 });
  readonly #isPatientWith: (url: string) => boolean;
  readonly #looks: Promise<unknown>[] = [];

  /** @param isPatientWith asked with the address of each call whether it has all the time it needs; default no */
  constructor(isPatientWith: (url: string) => boolean = () => false) {
    this.#isPatientWith = isPatientWith;
  }

  async send(request: TransportRequest): Promise<TransportAnswer> {
    const { url } = request;
    const isLook = url.endsWith(READY_PATH);
    if (!isLook && !this.#isPatientWith(url)) return this.#inner.send(request);
    const answer = this.#inner.send({ ...request, signal: new AbortController().signal });
    if (!isLook) return answer;
    this.#looks.push(answer);
    // Those that begin together end together: nobody can be left behind as the slow one.
    await Promise.resolve();
    await Promise.allSettled(this.#looks);
    return answer;
  }

  stream(request: StreamRequest): Promise<StreamAnswer> {
    return this.#inner.stream(request);
  }

  close(): void {
    this.#inner.close();
  }
}

/** Connections of the client that end after some bytes, wherever that is: in the middle of an event, of a character, or before the first byte. */

import {
  HttpTransport,
  SkeinConnectionError,
  type StreamAnswer,
  type StreamRequest,
  type Transport,
} from '../../src/sdk/index.js';
import type { Random } from './random.js';

export class CuttingTransport implements Transport {
  readonly #inner = new HttpTransport({ connectionsMax: 8 });
  readonly #random: Random;
  readonly #bytesMax: number;
  cuts = 0;

  /** @param bytesMax each stream is cut after at most so many bytes */
  constructor(random: Random, bytesMax: number) {
    this.#random = random;
    this.#bytesMax = bytesMax;
  }

  send = this.#inner.send.bind(this.#inner);
  close = this.#inner.close.bind(this.#inner);

  async stream(request: StreamRequest): Promise<StreamAnswer> {
    const answer = await this.#inner.stream(request);
    return { ...answer, chunks: this.#cut(answer.chunks) };
  }

  async *#cut(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    let left = this.#random.integer(0, this.#bytesMax);
    for await (const chunk of chunks) {
      if (chunk.length < left) {
        left -= chunk.length;
        yield chunk;
        continue;
      }
      yield chunk.subarray(0, left);
      this.cuts += 1;
      throw new SkeinConnectionError('cut', { code: 'ECONNRESET', url: '', maybeSent: true });
    }
  }
}

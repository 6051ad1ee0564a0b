/** The bytes of a stream, taken one piece at a time: nothing is read from the network while nobody asks.
 *
 *  Times out on silence and on trickling, but counts only the time in which it was waiting for bytes: an import that is slow because the
 *  server is busy is not the sender's fault. */

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Clock } from '../../model/clock.js';
import { invalidRequest, SkeinError } from '../../model/errors.js';
import { connectionLost } from '../body-intake.js';
import { isCompressed } from '../body-type.js';

export interface StreamLimits {
  readonly streamIdleMs: number;
  readonly streamBytesPerSecondMin: number;
}

const CHECK_MS = 1_000;

export class ByteSource {
  readonly #request: IncomingMessage;
  readonly #source: Readable;
  readonly #limits: StreamLimits;
  readonly #clock: Clock;
  readonly #check: NodeJS.Timeout;
  #resolve: ((chunk: Buffer | null) => void) | null = null;
  #reject: ((error: Error) => void) | null = null;
  #error: Error | null = null;
  #ended = false;
  #bytes = 0;
  #waitedMs = 0;
  #waitingSinceMs = 0;

  /** @throws UnsupportedMediaType */
  constructor(request: IncomingMessage, limits: StreamLimits, clock: Clock) {
    this.#request = request;
    this.#limits = limits;
    this.#clock = clock;
    const compressed = isCompressed(request.headers);
    this.#source = compressed ? request.pipe(createGunzip()) : request;
    this.#source.on('data', (chunk: Buffer) => this.#arrived(chunk));
    this.#source.on('end', () => {
      this.#ended = true;
      this.#settle(null);
    });
    this.#source.on('error', () =>
      this.#fail(compressed ? invalidRequest('content-encoding', 'the body is not whole gzip') : connectionLost()),
    );
    request.on('close', () => {
      if (!request.complete) this.#fail(connectionLost());
    });
    this.#source.pause();
    this.#check = setInterval(() => this.#checkPace(), CHECK_MS).unref();
  }

  /** The next piece, or null at the end. One call at a time. @throws RequestTimeout, InvalidRequest (connection lost, broken gzip) */
  next(): Promise<Buffer | null> {
    if (this.#error !== null) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve(null);
    this.#waitingSinceMs = this.#clock.monotonicMs();
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#source.resume();
    });
  }

  /** Reads no more; what still comes is dropped. */
  close(): void {
    clearInterval(this.#check);
    this.#error ??= connectionLost();
    if (this.#source !== this.#request) {
      this.#request.unpipe();
      this.#source.destroy();
    }
    this.#request.resume();
  }

  #arrived(chunk: Buffer): void {
    if (this.#error !== null) return;
    this.#source.pause();
    this.#bytes += chunk.length;
    this.#settle(chunk);
  }

  #settle(chunk: Buffer | null): void {
    const resolve = this.#resolve;
    if (resolve === null) return;
    this.#waitedMs += this.#clock.monotonicMs() - this.#waitingSinceMs;
    this.#resolve = null;
    this.#reject = null;
    resolve(chunk);
  }

  #fail(error: Error): void {
    if (this.#ended || this.#error !== null) return;
    this.#error = error;
    const reject = this.#reject;
    this.#resolve = null;
    this.#reject = null;
    reject?.(error);
  }

  #checkPace(): void {
    if (this.#resolve === null) return;
    const silentMs = this.#clock.monotonicMs() - this.#waitingSinceMs;
    const { streamIdleMs, streamBytesPerSecondMin } = this.#limits;
    if (silentMs > streamIdleMs) return this.#fail(new SkeinError('RequestTimeout', `No bytes came for ${streamIdleMs} ms`));
    const waitedMs = this.#waitedMs + silentMs;
    if (waitedMs > streamIdleMs && this.#bytes < (waitedMs / 1000) * streamBytesPerSecondMin) {
      this.#fail(new SkeinError('RequestTimeout', `Fewer than ${streamBytesPerSecondMin} bytes came per second`));
    }
  }
}

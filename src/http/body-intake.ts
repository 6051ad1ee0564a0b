/** Takes the bytes of ordinary bodies from the network: at most so many for one, so many for all together, within a deadline.
 *
 *  Deadlines are kept by one sweep over all open bodies instead of a timer each. gzip is unpacked under the same bound, so a small
 *  body cannot become a large one. Must not know: what the bytes mean. */

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import { isCompressed } from './body-type.js';

export interface IntakeLimits {
  readonly bodyBytesMax: number;
  readonly bodyDeadlineMs: number;
}

export interface TakenBody {
  readonly bytes: Buffer;
  /** Gives the bytes' share of the common bound back; once the body is decoded. */
  release(): void;
}

const SWEEP_MS = 500;

export class BodyIntake {
  readonly #limits: IntakeLimits;
  readonly #clock: Clock;
  readonly #open = new Set<Taking>();
  #heldBytes = 0;
  #sweep: NodeJS.Timeout | null = null;

  constructor(limits: IntakeLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @param limit of its bytes, unpacked  @throws PayloadTooLarge, RequestTimeout, UnsupportedMediaType, Overloaded, InvalidRequest (broken gzip, connection lost) */
  take(request: IncomingMessage, limit = this.#limits.bodyBytesMax): Promise<TakenBody> {
    const compressed = isCompressed(request.headers);
    if (Number(request.headers['content-length']) > limit) throw tooLarge(limit);
    return new Promise((resolve, reject) => {
      const taking = new Taking(
        request,
        compressed,
        limit,
        this.#clock.monotonicMs(),
        (bytes) => this.#hold(bytes),
        (error) => {
          this.#open.delete(taking);
          if (error === null) {
            resolve({ bytes: taking.bytes(), release: () => this.#hold(-taking.length) });
          } else {
            this.#hold(-taking.length);
            reject(error);
          }
        },
      );
      this.#open.add(taking);
      this.#sweep ??= setInterval(() => this.#endLate(), SWEEP_MS).unref();
      taking.start();
    });
  }

  close(): void {
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.#sweep = null;
  }

  /** @returns false when all bodies together would become too large */
  #hold(bytes: number): boolean {
    if (bytes > 0 && this.#heldBytes + bytes > FIXED.bodyBytesHeldMax) return false;
    this.#heldBytes += bytes;
    return true;
  }

  #endLate(): void {
    const before = this.#clock.monotonicMs() - this.#limits.bodyDeadlineMs;
    for (const taking of this.#open) {
      if (taking.startedMs > before) break;
      taking.fail(new SkeinError('RequestTimeout', `The body did not arrive within ${this.#limits.bodyDeadlineMs} ms`));
    }
    if (this.#open.size === 0) this.close();
  }
}

/** One body on its way in. */
class Taking {
  readonly startedMs: number;
  length = 0;
  readonly #request: IncomingMessage;
  readonly #source: Readable;
  readonly #limit: number;
  readonly #hold: (bytes: number) => boolean;
  readonly #done: (error: Error | null) => void;
  #chunks: Buffer[] = [];
  #ended = false;

  constructor(
    request: IncomingMessage,
    compressed: boolean,
    limit: number,
    startedMs: number,
    hold: (bytes: number) => boolean,
    done: (error: Error | null) => void,
  ) {
    this.#request = request;
    this.#limit = limit;
    this.startedMs = startedMs;
    this.#hold = hold;
    this.#done = done;
    this.#source = compressed ? request.pipe(createGunzip()) : request;
  }

  start(): void {
    const source = this.#source;
    source.on('data', (chunk: Buffer) => this.#add(chunk));
    source.on('end', () => this.#finish(null));
    source.on('error', () => {
      this.fail(source === this.#request ? connectionLost() : brokenGzip());
    });
    this.#request.on('close', () => {
      if (!this.#request.complete) this.fail(connectionLost());
    });
  }

  bytes(): Buffer {
    const [first] = this.#chunks;
    const whole = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks, this.length);
    this.#chunks = [];
    return whole;
  }

  fail(error: SkeinError): void {
    this.#finish(error);
  }

  #add(chunk: Buffer): void {
    if (this.#ended) return;
    if (this.length + chunk.length > this.#limit) return this.fail(tooLarge(this.#limit));
    if (!this.#hold(chunk.length)) {
      return this.fail(new SkeinError('Overloaded', 'Too many large bodies are on their way in', { reason: 'body_bytes' }));
    }
    this.length += chunk.length;
    this.#chunks.push(chunk);
  }

  #finish(error: SkeinError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    if (error !== null) {
      this.#chunks = [];
      if (this.#source !== this.#request) {
        this.#request.unpipe();
        this.#source.destroy();
      }
    }
    this.#done(error);
  }
}

function tooLarge(limit: number): SkeinError {
  return new SkeinError('PayloadTooLarge', `The body is larger than ${limit} bytes`, { limit_bytes: limit });
}

function brokenGzip(): SkeinError {
  const issue = { path: 'content-encoding', message: 'the body is not whole gzip' };
  return new SkeinError('InvalidRequest', `${issue.path}: ${issue.message}`, { issues: [issue] });
}

export function connectionLost(): SkeinError {
  const issue = { path: '', message: 'the connection ended before the body' };
  return new SkeinError('InvalidRequest', issue.message, { issues: [issue] });
}

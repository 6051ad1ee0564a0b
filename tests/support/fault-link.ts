/** One direction of a faulty network, shared by every connection that goes through it: what happens to bytes, and how fast they go.
 *
 *  Invariant: connections that wait for a limited rate take turns in slices, so none starves. Must not know: sockets. */

import type { Random } from './random.js';

export type Mode = 'pass' | 'hold' | 'drop';

/** A connection's use of this direction, as the link sees it. */
export interface Traveller {
  /** Something may have changed: hands on what may go. */
  pump(): void;
  /** Something could go now. */
  ready(): boolean;
  /** Hands on at most this many bytes. @returns how many went */
  send(bytesMax: number): number;
}

/** One byte of one connection, counted from 0 in this direction. */
export interface Spot {
  /** Connections count from 0 in the order they were accepted. */
  readonly connection: number;
  readonly offset: number;
}

const SLICE_BYTES = 1_460;
const TICK_MS = 5;
/** A process that was busy this long does not make up for it in one burst. */
const MAKE_UP_MS = 100;

export class FaultLink {
  mode: Mode = 'pass';
  /** Bytes handed on, all connections together. */
  passed = 0;
  readonly #random: Random;
  readonly #travellers = new Set<Traveller>();
  readonly #flips: (Spot & { readonly mask: number })[] = [];
  readonly #cuts: Spot[] = [];
  #cutAt: number | null = null;
  #delayMs = 0;
  #jitterMs = 0;
  #rate: number | null = null;
  #waiting: Traveller[] = [];
  #tick: NodeJS.Timeout | null = null;
  #credit = 0;
  #creditMs = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  join(traveller: Traveller): void {
    this.#travellers.add(traveller);
  }

  leave(traveller: Traveller): void {
    this.#travellers.delete(traveller);
    this.#waiting = this.#waiting.filter((other) => other !== traveller);
  }

  setMode(mode: Mode): void {
    this.mode = mode;
    this.#pumpAll();
  }

  setDelay(delayMs: number, jitterMs: number): void {
    this.#delayMs = delayMs;
    this.#jitterMs = jitterMs;
  }

  /** How long what arrives now shall be under way. */
  travelMs(): number {
    return this.#delayMs + this.#random.unit() * this.#jitterMs;
  }

  setRate(bytesPerSecond: number | null): void {
    this.#rate = bytesPerSecond;
    this.#stopTicking();
    this.#waiting = [];
    this.#pumpAll();
  }

  /** Whether there is a limited rate; then send() is called when it is the traveller's turn. */
  waitForTurn(traveller: Traveller): boolean {
    if (this.#rate === null) return false;
    if (!this.#waiting.includes(traveller)) this.#waiting.push(traveller);
    this.#startTicking();
    return true;
  }

  flip(spot: Spot, mask: number): void {
    this.#flips.push({ ...spot, mask });
  }

  cutAt(spot: Spot): void {
    this.#cuts.push(spot);
  }

  cutAfter(bytes: number): void {
    this.#cutAt = this.passed + bytes;
  }

  /** How many bytes may still go on a connection that has handed on `sent`, before it is to be cut. */
  bytesToCut(connection: number, sent: number): number {
    const own = this.#cuts
      .filter((cut) => cut.connection === connection && cut.offset >= sent)
      .map(({ offset }) => offset - sent);
    const shared = this.#cutAt === null ? Number.POSITIVE_INFINITY : this.#cutAt - this.passed;
    return Math.min(shared, ...own);
  }

  /** Bytes that are handed on from here. @returns the same bytes, or a copy with what is to be flipped in it */
  pass(bytes: Buffer, connection: number, sent: number): Buffer {
    this.passed += bytes.length;
    if (this.#cutAt !== null && this.passed >= this.#cutAt) this.#cutAt = null;
    const within = this.#flips.filter(
      (flip) => flip.connection === connection && flip.offset >= sent && flip.offset < sent + bytes.length,
    );
    if (within.length === 0) return bytes;
    const copy = Buffer.from(bytes);
    for (const { offset, mask } of within) copy[offset - sent] = (copy[offset - sent] ?? 0) ^ mask;
    return copy;
  }

  close(): void {
    this.#stopTicking();
  }

  #pumpAll(): void {
    for (const traveller of [...this.#travellers]) traveller.pump();
  }

  #startTicking(): void {
    if (this.#tick !== null) return;
    this.#credit = 0;
    this.#creditMs = performance.now();
    this.#tick = setInterval(() => this.#giveTurns(), TICK_MS);
  }

  #stopTicking(): void {
    if (this.#tick !== null) clearInterval(this.#tick);
    this.#tick = null;
  }

  #giveTurns(): void {
    const nowMs = performance.now();
    const rate = this.#rate ?? 0;
    this.#credit += (rate * Math.min(nowMs - this.#creditMs, MAKE_UP_MS)) / 1_000;
    this.#creditMs = nowMs;
    while (this.#credit >= 1) {
      const next = this.#waiting.shift();
      if (next === undefined) return this.#stopTicking();
      if (!next.ready()) continue;
      this.#credit -= next.send(Math.min(SLICE_BYTES, Math.floor(this.#credit)));
      if (next.ready()) this.#waiting.push(next);
    }
  }
}

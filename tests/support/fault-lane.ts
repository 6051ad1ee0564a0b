/** One direction of one connection through a fault proxy: bytes of a source, in order, to a sink.
 *
 *  Invariant: what reaches the sink is what the source sent, byte for byte and with its ending in its place, but for what the link asks
 *  for. A lane that lost something stays silent for good, as TCP never goes on after a gap. */

import type { Socket } from 'node:net';
import type { FaultLink, Traveller } from './fault-link.js';

interface Piece {
  /** Bytes, or how the source ended: its last word (FIN) or a reset. */
  readonly what: Buffer | 'end' | 'reset';
  readonly dueMs: number;
}

/** As much as is kept on the way; then the source is not read, as when the buffers of a network are full. */
const KEPT_BYTES_MAX = 1_048_576;

export interface LaneParts {
  readonly connection: number;
  readonly source: Socket;
  readonly sink: Socket;
  readonly link: FaultLink;
  /** Resets both sides. */
  cut(): void;
}

export class FaultLane implements Traveller {
  readonly #parts: LaneParts;
  #queue: Piece[] = [];
  #keptBytes = 0;
  #sent = 0;
  #lost = false;
  /** Handing on the last bytes before a cut: nothing may follow. */
  #cutting = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    const { source, sink, link } = parts;
    link.join(this);
    source.on('data', (bytes: Buffer) => this.#take(bytes));
    source.on('end', () => this.#take('end'));
    source.on('error', () => this.#take('reset'));
    sink.on('connect', () => this.pump());
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#queue = [];
    this.#lost = true;
    this.#parts.link.leave(this);
  }

  pump(): void {
    const { link } = this.#parts;
    if (link.mode === 'drop') this.#lose();
    while (this.ready() && !link.waitForTurn(this)) this.send(Number.POSITIVE_INFINITY);
  }

  ready(): boolean {
    const [head] = this.#queue;
    const { link, sink } = this.#parts;
    if (head === undefined || link.mode !== 'pass' || this.#cutting) return false;
    // One piece after the other: when the ending is handed on, nothing is left that could hold it up.
    if (!sink.destroyed && (sink.connecting || sink.writableLength > 0)) return false;
    const waitMs = head.dueMs - performance.now();
    if (waitMs <= 0) return true;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.pump();
    }, waitMs);
    return false;
  }

  send(bytesMax: number): number {
    const head = this.#queue.shift();
    if (head === undefined) return 0;
    const { link, sink, connection, cut } = this.#parts;
    if (head.what === 'end') sink.end();
    else if (head.what === 'reset') cut();
    else {
      const toCut = link.bytesToCut(connection, this.#sent);
      const count = Math.min(head.what.length, bytesMax, toCut);
      if (count < head.what.length) this.#queue.unshift({ what: head.what.subarray(count), dueMs: head.dueMs });
      this.#handOn(head.what.subarray(0, count), count === toCut);
      return count;
    }
    return 0;
  }

  #handOn(bytes: Buffer, isLast: boolean): void {
    const { link, sink, source, connection, cut } = this.#parts;
    const passing = link.pass(bytes, connection, this.#sent);
    this.#sent += bytes.length;
    this.#keptBytes -= bytes.length;
    if (this.#keptBytes < KEPT_BYTES_MAX / 2) source.resume();
    this.#cutting = isLast;
    // The system must have the last bytes before the reset, which throws away what is not yet handed over.
    if (!sink.destroyed) sink.write(passing, () => (isLast ? cut() : this.pump()));
    else if (isLast) cut();
  }

  #take(what: Piece['what']): void {
    if (this.#lost) return;
    this.#queue.push({ what, dueMs: performance.now() + this.#parts.link.travelMs() });
    if (typeof what !== 'string') this.#keptBytes += what.length;
    if (this.#keptBytes > KEPT_BYTES_MAX) this.#parts.source.pause();
    this.pump();
  }

  /** The link is silent: what is under way is lost, and with it the lane. */
  #lose(): void {
    if (this.#queue.length === 0) return;
    this.#lost = true;
    this.#queue = [];
    this.#parts.source.resume();
  }
}

/** One WebSocket of a link: frames in, frames out, counted; closed within a bound, whatever the other side does.
 *
 *  A WebSocket has no drain event and drops the return value of the socket's write, so what waits is asked for and the send's callback
 *  says when to ask again (github.com/websockets/ws issues 1218 and 2009). Must not know: what frames mean. */

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import WebSocket, { type ClientOptions, type RawData } from 'ws';
import { BadFrame, decodeFrame, encodeFrame, type Frame, frameType, type Message } from '../wire/frames.js';

export interface LinkSocketEvents {
  /** Is a frame of this type taken now? Others are not even read. */
  expects(type: Message['type']): boolean;
  /** @param bytes of the whole frame */
  frame(frame: Frame, bytes: number): void;
  /** The bytes were no frame; nothing of them was taken. */
  bad(error: BadFrame): void;
  /** Framed bytes went out or came in. */
  counted(sent: number, received: number): void;
  /** What waited has been handed to the network. */
  sent(): void;
  /** Called once. */
  closed(reason: string): void;
}

/** Framed bytes, for counters that outlive one socket. */
export interface LinkCounts {
  bytesSent: number;
  bytesReceived: number;
}

/** What a master sends is larger: 128 MiB in segments of 512 bytes. */
const FROM_MASTER_CHUNKS_MAX = 262_144;
const CLOSE_MS = 2_000;
const CLOSE_NORMAL = 1_000;
/** RFC 6455 leaves 123 bytes. */
const CLOSE_REASON_BYTES_MAX = 100;

/** What a server and a client of this protocol have in common. Compression would fragment memory (nodejs/node 8871) and gains little. */
export const SOCKET_OPTIONS = {
  perMessageDeflate: false,
  skipUTF8Validation: true,
  maxFragments: 1_024,
  /** One for each read of the network: 1 MiB in segments of 256 bytes. */
  maxBufferedChunks: 4_096,
} as const;

export class LinkSocket {
  readonly #socket: WebSocket;
  readonly #events: LinkSocketEvents;
  #network: Socket | null = null;
  #closed = false;

  constructor(socket: WebSocket, events: LinkSocketEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data: RawData, isBinary: boolean) => this.#take(data as Buffer, isBinary));
    socket.once('upgrade', (response: IncomingMessage) => {
      this.#network = response.socket;
    });
    socket.on('close', (code) => this.#end(`closed with code ${code}`));
    socket.on('error', (error) => {
      this.#end(error.message);
      socket.terminate();
    });
  }

  /** Opens a socket to a master; `opened` comes before any other event. */
  static connect(url: string, options: ClientOptions, events: LinkSocketEvents, opened: () => void): LinkSocket {
    const socket = new WebSocket(url, { ...SOCKET_OPTIONS, maxBufferedChunks: FROM_MASTER_CHUNKS_MAX, ...options });
    socket.once('open', opened);
    return new LinkSocket(socket, events);
  }

  /** Bytes that the network brought so far, whole frames or not; null where that cannot be seen. */
  get networkBytes(): number | null {
    return this.#network?.bytesRead ?? null;
  }

  get isOpen(): boolean {
    return !this.#closed && this.#socket.readyState === WebSocket.OPEN;
  }

  /** Bytes that were sent and have not reached the network yet. */
  get waitingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** @returns bytes of the frame; 0 when the socket is closed */
  send(epoch: number, message: Message): number {
    return this.sendFrame(encodeFrame(epoch, message));
  }

  /** Sends a frame that was encoded before; it is not copied, so it must not change. */
  sendFrame(frame: Buffer): number {
    if (!this.isOpen) return 0;
    this.#events.counted(frame.length, 0);
    this.#socket.send(frame, { binary: true }, (error) => {
      if (error === undefined || error === null) this.#events.sent();
    });
    return frame.length;
  }

  /** Takes nothing more from the network until `resume`: the other side then feels it. */
  pause(): void {
    if (this.isOpen) this.#socket.pause();
  }

  resume(): void {
    if (this.isOpen) this.#socket.resume();
  }

  /** Ends the connection without a word: there is nobody who would answer one in time. */
  cut(reason: string): void {
    if (this.#closed) return;
    this.#end(reason);
    this.#socket.terminate();
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#end(reason);
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      this.#socket.terminate();
      return;
    }
    this.#socket.resume();
    this.#socket.close(CLOSE_NORMAL, reason.replace(/[^ -~]/g, '?').slice(0, CLOSE_REASON_BYTES_MAX));
    const cut = setTimeout(() => this.#socket.terminate(), CLOSE_MS).unref();
    this.#socket.once('close', () => clearTimeout(cut));
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (this.#closed) return;
    this.#events.counted(0, data.length);
    let frame: Frame;
    try {
      if (!isBinary) throw new BadFrame('text came where a frame belongs');
      const type = frameType(data);
      if (type === null || !this.#events.expects(type))
        throw new BadFrame(`a frame of type ${type ?? data[0]} is not taken here`);
      frame = decodeFrame(data);
    } catch (error) {
      if (!(error instanceof BadFrame)) throw error;
      this.#events.bad(error);
      return;
    }
    this.#events.frame(frame, data.length);
  }

  #end(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#events.closed(reason);
  }
}

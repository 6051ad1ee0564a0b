/** One kept-open HTTP/1.1 connection over a bare socket, one request at a time; opened again when the server closed it while it was idle.
 *
 *  As lean as it gets, because client and server share the cores: requests are bytes made before the clock starts, answers are cut at
 *  content-length (or chunked) and handed over as they are. Not a general client: it speaks to our server only. */

import { connect, type Socket } from 'node:net';

export interface PreparedRequest {
  /** Head and body. */
  readonly bytes: Buffer;
}

export interface RawHttpAnswer {
  readonly status: number;
  /** Status line and headers, in lower case. */
  readonly head: string;
  /** Valid until the next request on this connection. */
  readonly body: Buffer;
}

interface Waiting {
  resolve(answer: RawHttpAnswer): void;
  reject(error: Error): void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const STATUS_AT = 9;

export class HttpConnection {
  readonly #port: number;
  #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: Waiting | null = null;
  #broken: Error | null = null;

  private constructor(port: number, socket: Socket) {
    this.#port = port;
    this.#socket = socket;
    this.#hear(socket);
  }

  static async open(port: number): Promise<HttpConnection> {
    return new HttpConnection(port, await connected(port));
  }

  /** @throws Error when the connection is lost before the whole answer came */
  async send(request: PreparedRequest): Promise<RawHttpAnswer> {
    if (this.#broken !== null) await this.#openAgain();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request.bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  async #openAgain(): Promise<void> {
    this.#socket = await connected(this.#port);
    this.#broken = null;
    this.#received = Buffer.alloc(0);
    this.#hear(this.#socket);
  }

  #hear(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  #fail(error: Error): void {
    this.#broken ??= error;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(this.#broken);
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd).toLowerCase();
    const body = this.#received.subarray(headEnd + HEAD_END.length);
    const whole = wholeBody(head, body);
    if (whole === null) return;
    this.#received = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve({ status: Number(head.slice(STATUS_AT, STATUS_AT + 3)), head, body: whole });
  }
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** The body, or null while some of it is still on its way. */
function wholeBody(head: string, body: Buffer): Buffer | null {
  const mark = head.indexOf('content-length:');
  if (mark < 0) return head.includes('transfer-encoding: chunked') ? joinChunks(body) : body;
  const length = Number.parseInt(head.slice(mark + 'content-length:'.length), 10);
  return body.length >= length ? body.subarray(0, length) : null;
}

function joinChunks(body: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(body.toString('latin1', at, lineEnd), 16);
    const from = lineEnd + 2;
    if (body.length < from + size + 2) return null;
    if (size === 0) return Buffer.concat(parts);
    parts.push(body.subarray(from, from + size));
    at = from + size + 2;
  }
}

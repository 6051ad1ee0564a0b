/** What the two sides of a WebSocket session said, and how to say one side of it again. Must not know: what the messages mean. */

import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Direction } from './fault-proxy.js';

export interface RecordedSession {
  readonly path: string;
  /** Of the replica's request, without those of the handshake. */
  readonly headers: Readonly<Record<string, string>>;
  /** The subprotocol that was agreed on, or nothing. */
  readonly protocol: string;
  /** Both directions, in the order they arrived at the proxy. */
  readonly messages: { readonly direction: Direction; readonly bytes: Buffer; readonly binary: boolean }[];
}

export interface Replay {
  readonly received: readonly Buffer[];
  readonly code: number;
  readonly reason: string;
}

/** How long a message of the other side is waited for: another run may say less. */
const PATIENCE_MS = 100;

/** Says one side's messages in the recorded order, one for one with the other side's. Resolves when all is said or the socket has closed. */
export async function playSide(socket: WebSocket, session: RecordedSession, side: Direction): Promise<void> {
  const messages = [...session.messages];
  const inbox = new Inbox(socket);
  for (const { direction, bytes, binary } of messages) {
    if (direction !== side) await inbox.next();
    else if (socket.readyState === WebSocket.OPEN) socket.send(bytes, { binary });
  }
}

/** Says the replica's side of a session to a master. Resolves when the master has closed the connection; the caller has the deadline. */
export async function replayToMaster(
  t: { after(cleanup: () => unknown): void },
  url: string,
  session: RecordedSession,
): Promise<Replay> {
  const protocols = session.protocol === '' ? [] : [session.protocol];
  const socket = new WebSocket(`${url}${session.path}`, protocols, { headers: session.headers, perMessageDeflate: false });
  t.after(() => socket.terminate());
  const received: Buffer[] = [];
  socket.on('message', (data) => received.push(data as Buffer));
  const closed = once(socket, 'close') as Promise<[number, Buffer]>;
  socket.once('open', () => void playSide(socket, session, 'toMaster'));
  const [code, reason] = await closed;
  return { received, code, reason: reason.toString() };
}

/** Counts messages as they come, and lets one be waited for. */
class Inbox {
  #unseen = 0;
  #wake: (() => void) | null = null;

  constructor(socket: WebSocket) {
    const note = (): void => {
      this.#unseen += 1;
      this.#wake?.();
    };
    socket.on('message', note);
    socket.on('close', note);
  }

  async next(): Promise<void> {
    if (this.#unseen === 0) {
      await new Promise<void>((resolve) => {
        const patience = setTimeout(resolve, PATIENCE_MS);
        this.#wake = () => {
          clearTimeout(patience);
          resolve();
        };
      });
    }
    this.#unseen = Math.max(0, this.#unseen - 1);
  }
}

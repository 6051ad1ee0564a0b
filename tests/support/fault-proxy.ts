/** A TCP proxy that stands between a replica and its master, in the test's process, and breaks the network between them as asked.
 *
 *    const proxy = await startFaultProxy(t, master.port);      replica: --master ws://127.0.0.1:<proxy.port>
 *    proxy.hold('both'); … proxy.pass('both');
 *
 *  Every fault holds for the connections there are and for those to come. Invariant: byte exact but for the faults that were asked for.
 *  Must not know: what the bytes mean. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FaultLane } from './fault-lane.js';
import { FaultLink, type Mode, type Spot } from './fault-link.js';
import { Random } from './random.js';

export type Direction = 'toMaster' | 'toReplica';
export type Directions = Direction | 'both';

export interface ProxyCounts {
  /** Connections that were let in, from the beginning. */
  readonly accepted: number;
  readonly refused: number;
  /** Connections of which a side is still open. */
  readonly open: number;
  /** Connections that ended by a reset, whoever began it. */
  readonly cut: number;
  /** Bytes handed on. */
  readonly toMaster: number;
  readonly toReplica: number;
}

interface Connection {
  readonly sides: readonly Socket[];
  readonly lanes: readonly FaultLane[];
  isCut: boolean;
}

export async function startFaultProxy(
  t: { after(cleanup: () => unknown): void },
  targetPort: number,
  { seed = 1 }: { readonly seed?: number } = {},
): Promise<FaultProxy> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = new FaultProxy(server, targetPort, seed);
  t.after(() => proxy.close());
  return proxy;
}

export class FaultProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #random: Random;
  readonly #links: Record<Direction, FaultLink>;
  readonly #open = new Map<number, Connection>();
  #targetPort: number;
  #refusedShare = 0;
  #accepted = 0;
  #refused = 0;
  #cut = 0;

  constructor(server: Server, targetPort: number, seed: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.#targetPort = targetPort;
    this.#random = new Random(seed);
    this.#links = { toMaster: new FaultLink(new Random(seed + 1)), toReplica: new FaultLink(new Random(seed + 2)) };
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** For --master and follow. */
  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get counts(): ProxyCounts {
    const { toMaster, toReplica } = this.#links;
    const [accepted, refused, cut] = [this.#accepted, this.#refused, this.#cut];
    return { accepted, refused, open: this.#open.size, cut, toMaster: toMaster.passed, toReplica: toReplica.passed };
  }

  /** Ends hold and drop. A connection that lost something to drop stays silent; new ones pass. */
  pass(which: Directions): void {
    this.#setMode(which, 'pass');
  }

  /** A hang that may heal: bytes and endings are kept, up to 1 MiB each connection; beyond that the sender is not read. */
  hold(which: Directions): void {
    this.#setMode(which, 'hold');
  }

  /** The other side has vanished without a word: bytes and endings are thrown away, and a connection that lost one never heals. */
  drop(which: Directions): void {
    this.#setMode(which, 'drop');
  }

  /** Resets one connection, or all, at once; what is under way is lost. */
  cut(connection?: number): void {
    for (const number of [...this.#open.keys()]) if (connection === undefined || connection === number) this.#reset(number);
  }

  /** Resets a connection, which may be one to come, when the byte before this offset has gone (at offset 0: instead of the first). */
  cutAt(direction: Direction, spot: Spot): void {
    this.#links[direction].cutAt(spot);
  }

  /** Resets, once, the connection that hands on the last of the next `bytes` of a direction, all its connections counted together. */
  cutAfter(direction: Direction, bytes: number): void {
    this.#links[direction].cutAfter(bytes);
  }

  /** A link of so many bytes a second, shared fairly by its connections; null for no limit. */
  limitRate(which: Directions, bytesPerSecond: number | null): void {
    for (const link of this.#chosen(which)) link.setRate(bytesPerSecond);
  }

  /** Every byte is under way for delayMs up to delayMs + jitterMs longer; the order stays. At most 1 MiB each connection is under way. */
  delay(which: Directions, delayMs: number, jitterMs = 0): void {
    for (const link of this.#chosen(which)) link.setDelay(delayMs, jitterMs);
  }

  /** Refuses this share of the new connections (0 … 1): they are reset before a byte. */
  refuse(share: number): void {
    this.#refusedShare = share;
  }

  /** Changes bits of one byte on its way. */
  flip(direction: Direction, spot: Spot, mask = 0x01): void {
    this.#links[direction].flip(spot, mask);
  }

  /** Where new connections lead. */
  retarget(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  async close(): Promise<void> {
    this.cut();
    for (const link of Object.values(this.#links)) link.close();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #chosen(which: Directions): readonly FaultLink[] {
    return which === 'both' ? Object.values(this.#links) : [this.#links[which]];
  }

  #setMode(which: Directions, mode: Mode): void {
    for (const link of this.#chosen(which)) link.setMode(mode);
  }

  #accept(replica: Socket): void {
    // Drawn also when nothing is refused: the same seed refuses the same connections.
    if (this.#random.unit() < this.#refusedShare) {
      this.#refused += 1;
      replica.on('error', () => undefined);
      reset(replica);
      return;
    }
    const number = this.#accepted++;
    const master = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const parts = { connection: number, cut: () => this.#reset(number) };
    const lanes = [
      new FaultLane({ ...parts, source: replica, sink: master, link: this.#links.toMaster }),
      new FaultLane({ ...parts, source: master, sink: replica, link: this.#links.toReplica }),
    ];
    const sides = [replica, master];
    this.#open.set(number, { sides, lanes, isCut: false });
    for (const side of sides) side.on('close', () => this.#forgetWhenOver(number));
  }

  #forgetWhenOver(number: number): void {
    const connection = this.#open.get(number);
    if (connection === undefined || connection.sides.some((side) => !side.destroyed)) return;
    for (const lane of connection.lanes) lane.close();
    this.#open.delete(number);
  }

  #reset(number: number): void {
    const connection = this.#open.get(number);
    if (connection === undefined || connection.isCut) return;
    connection.isCut = true;
    this.#cut += 1;
    for (const lane of connection.lanes) lane.close();
    for (const side of connection.sides) reset(side);
  }
}

/** resetAndDestroy() would send a FIN first, which may be read as a proper ending; the mark it sets is enough for a bare RST. */
function reset(socket: Socket): void {
  // While its ending is under way, the system layer refuses to reset a socket, and Node neither closes it then nor ever ends the process.
  if (socket.writableEnded && !socket.writableFinished) {
    socket.once('finish', () => reset(socket));
    return;
  }
  if (!socket.connecting) Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}

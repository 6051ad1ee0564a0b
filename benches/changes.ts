/** The change feed: changes a second to one reader and to ten, from the beginning of a log of small changes, over each carrier and through a filter;
 *  beside it the same log read and decoded by this process, with nothing sent: the ceiling of one thread.
 *
 *  The reader counts events in the bytes and parses none, because reader and server share the cores. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { decodeEntry } from '../src/codec/entry.js';
import { decodeToken, encodeToken } from '../src/model/position.js';
import { openReader } from '../src/storage/open-store.js';
import { type Bench, type Cell, type Figure, scaled } from './support/bench.js';
import { ServerProcess } from './support/server-process.js';
import { withFolder } from './support/temporary-folder.js';

const COLLECTION = 'changes';
const DIMENSION = 128;
const POINTS = 1_000;
const READERS = 10;
const READ_ROWS = 4_096;
const READ_BYTES = 1024 * 1024;
const EVENT = Buffer.from('\ndata: {"type":"upsert"');
const PACKED_EVENT = Buffer.from('\xa4type\xa6upsert', 'latin1');

interface Read {
  readonly changes: number;
  readonly seconds: number;
}

export const changes: Bench = {
  name: 'changes',
  about: 'changes a second of the change feed',
  async run(progress) {
    const units = scaled(200, 4);
    const count = units * POINTS;
    return withFolder(async (folder) => {
      const dataDir = join(folder, 'data');
      const server = await ServerProcess.start({ dataDir });
      try {
        progress('writing');
        const token = encodeToken({ ...decodeToken(await write(server.port, units), 'position'), seq: 0 });
        const plain = `from=${token}&collection=${COLLECTION}`;
        // One of a hundred points passes.
        const filter = encodeURIComponent(JSON.stringify({ must: [{ key: 'hundred', match: { value: 7 } }] }));
        progress('reading');
        const own = readOwn(join(dataDir, 'store-1', 'skein.db'));
        const kinds: readonly (readonly [string, () => Promise<Read>])[] = [
          ['events, one reader', () => events(server.port, plain, count)],
          [`events, ${READERS} readers, each`, () => together(() => events(server.port, plain, count))],
          ['events with vectors', () => events(server.port, `${plain}&with_vector=true`, count)],
          ['messages of JSON', () => messages(server.port, plain, count, 'skein.json')],
          [
            'messages of MessagePack with vectors',
            () => messages(server.port, `${plain}&with_vector=true`, count, 'skein.msgpack'),
          ],
          [
            'events, 1 % pass a filter (changes looked at)',
            async () => ({
              ...(await events(server.port, `${plain}&with_leaves=false&filter=${filter}`, count / 100)),
              changes: count,
            }),
          ],
        ];
        await events(server.port, plain, count);
        const found: [string, Read][] = [];
        for (const [name, read] of kinds) {
          progress(name);
          found.push([name, await read()]);
        }
        return resultOf(count, own, found);
      } finally {
        await server.stop();
      }
    });
  },
};

function resultOf(count: number, own: Read, found: readonly (readonly [string, Read])[]) {
  const rate = ({ changes: read, seconds }: Read): number => read / seconds;
  const ratios = found.map(
    ([name, read]): Figure => ({
      name: `changes: ${name} ÷ log read and decoded alone`,
      value: rate(read) / rate(own),
      unit: '',
    }),
  );
  return {
    tables: [
      {
        title: `changes: ${count.toLocaleString('en-US')} changes, ${DIMENSION} dimensions, payloads of 60 bytes`,
        columns: ['reader', 'changes a second', '÷ log alone'],
        rows: [['the log, read and decoded alone', own] as const, ...found].map(([name, read]): Cell[] => [
          name,
          rate(read),
          rate(read) / rate(own),
        ]),
      },
    ],
    figures: [...found.map(([name, read]): Figure => ({ name: `changes: ${name}`, value: rate(read), unit: '/s' })), ...ratios],
    notes: ['Readers and server share the cores.'],
  };
}

/** @returns the last position */
async function write(port: number, units: number): Promise<string> {
  const ask = async (method: string, rest: string, body: unknown): Promise<string> => {
    const url = `http://127.0.0.1:${port}/v1/collections/${COLLECTION}${rest}`;
    const answer = await fetch(url, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as { readonly position: string }).position;
  };
  const ids = Array.from({ length: POINTS }, (_, id) => id);
  const payload = (id: number, unit: number) => ({ hundred: id % 100, unit, text: 'some words about it' });
  const vector = Array.from({ length: DIMENSION }, (_, i) => i / DIMENSION);
  await ask('PUT', '', { dimension: DIMENSION, distance: 'dot' });
  let position = await ask('PUT', '/points', { points: ids.map((id) => ({ id, vector, payload: payload(id, 0) })) });
  for (let unit = 1; unit < units; unit++)
    position = await ask('PATCH', '/points', { points: ids.map((id) => ({ id, payload: payload(id, unit) })) });
  return position;
}

function readOwn(path: string): Read {
  const reads = openReader(path, { cacheBytes: 2 ** 21 });
  const startMs = performance.now();
  let count = 0;
  for (let seq = 1; ; ) {
    const rows = reads.logFrom(seq, READ_ROWS, READ_BYTES);
    for (const { entry } of rows) {
      const { effect } = decodeEntry(entry);
      if (effect.kind === 'put_points') count += effect.points.length;
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    seq = last.seq + 1;
  }
  const seconds = (performance.now() - startMs) / 1_000;
  reads.close();
  return { changes: count, seconds };
}

/** Of each, when all read at once. */
async function together(read: () => Promise<Read>): Promise<Read> {
  const all = await Promise.all(Array.from({ length: READERS }, read));
  return { changes: all[0]?.changes ?? 0, seconds: Math.max(...all.map(({ seconds }) => seconds)) };
}

async function events(port: number, query: string, count: number): Promise<Read> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const startMs = performance.now();
  socket.write(`GET /v1/changes?${query} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
  const counting = new Counting(EVENT);
  for await (const chunk of socket as AsyncIterable<Buffer>) if (counting.take(chunk) >= count) break;
  if (counting.count < count) throw new Error(`${counting.count} changes came, not ${count}`);
  return { changes: count, seconds: (performance.now() - startMs) / 1_000 };
}

async function messages(port: number, query: string, count: number, protocol: string): Promise<Read> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/changes?${query}`, protocol);
  const counting = new Counting(protocol === 'skein.json' ? Buffer.from('"type":"upsert"') : PACKED_EVENT);
  await once(socket, 'open');
  const startMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    socket.on('message', (data: Buffer) => counting.take(data) >= count && resolve());
    socket.on('close', () => reject(new Error(`${counting.count} changes came, not ${count}`)));
  });
  socket.terminate();
  return { changes: count, seconds: (performance.now() - startMs) / 1_000 };
}

/** Counts a text in bytes, also where it is cut in two. */
class Counting {
  count = 0;
  readonly #text: Buffer;
  #rest: Buffer = Buffer.alloc(0);

  constructor(text: Buffer) {
    this.#text = text;
  }

  take(piece: Buffer): number {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let from = 0;
    for (let at = bytes.indexOf(this.#text); at >= 0; at = bytes.indexOf(this.#text, from)) {
      this.count += 1;
      from = at + this.#text.length;
    }
    this.#rest = bytes.subarray(Math.max(from, bytes.length - this.#text.length + 1));
    return this.count;
  }
}

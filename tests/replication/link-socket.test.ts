/** Frames over a real WebSocket: what is not taken is refused unread, and every end is one, whatever its reason says. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import WebSocket, { WebSocketServer } from 'ws';
import { LinkSocket, SOCKET_OPTIONS } from '../../src/replication/link-socket.js';
import { probe } from '../../src/replication/probe.js';
import { makeProof } from '../../src/replication/proof.js';
import { decodeFrame, encodeFrame, type Message, type Open, type Reject } from '../../src/wire/frames.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('replication/link-socket');

const BYE: Message = { type: 'bye', reason: 'enough', masterUrl: null };
const ID = 'a'.repeat(32);

interface End {
  readonly link: LinkSocket;
  readonly frames: Message[];
  readonly bad: string[];
  readonly closed: string[];
  received: number;
}

function endOf(socket: WebSocket, taken: readonly Message['type'][]): End {
  const end = { frames: [] as Message[], bad: [] as string[], closed: [] as string[], received: 0 };
  const link = new LinkSocket(socket, {
    expects: (type) => taken.includes(type),
    frame: ({ message }) => void end.frames.push(message),
    bad: (error) => {
      end.bad.push(error.message);
      link.close('bad frame');
    },
    counted: (_, received) => {
      end.received += received;
    },
    sent: () => {},
    closed: (reason) => void end.closed.push(reason),
  });
  return Object.assign(end, { link });
}

/** A server whose sockets `serve` takes. @returns its address */
async function served(t: TestContext, serve: (socket: WebSocket) => void): Promise<string> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, ...SOCKET_OPTIONS });
  server.on('connection', serve);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    http.close();
  });
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

/** Both ends of one connection: ours, which takes byes, and a bare WebSocket. */
async function pair(t: TestContext, taken: readonly Message['type'][] = ['bye']): Promise<{ ours: End; theirs: WebSocket }> {
  let ours: End | null = null;
  const theirs = new WebSocket(
    await served(t, (socket) => {
      ours = endOf(socket, taken);
    }),
  );
  await new Promise((resolve) => theirs.once('open', resolve));
  return { ours: await waitUntil(() => ours, { what: 'the connection' }), theirs };
}

test('frames that are taken arrive, counted with their bytes', async (t) => {
  const { ours, theirs } = await pair(t);
  const frame = encodeFrame(1, BYE);
  theirs.send(frame);
  await waitUntil(() => ours.frames.length > 0, { what: 'the frame' });
  assert.equal(ours.frames, [BYE]);
  assert.is(ours.received, frame.length);
});

test('a type that is not taken now ends the link before anything of it is read', async (t) => {
  const { ours, theirs } = await pair(t);
  // Its checksum does not hold, which nobody looks at.
  const frame = encodeFrame(1, { type: 'snapshotWant', snapshotId: ID, nextChunk: 0 });
  frame.writeUInt8((frame.at(-1) ?? 0) ^ 1, frame.length - 1);
  theirs.send(frame);
  theirs.send(encodeFrame(1, BYE));
  await waitUntil(() => ours.closed.length > 0, { what: 'the end' });
  assert.equal(ours.bad, ['a frame of type snapshotWant is not taken here']);
  assert.equal(ours.frames, [], 'and nothing behind it is taken');
});

test('text, unknown types, empty messages and changed bytes are no frames', async (t) => {
  const changed = encodeFrame(1, BYE);
  changed.writeUInt8(changed.readUInt8(30) ^ 1, 30);
  for (const bytes of ['text', Buffer.from([99]), Buffer.alloc(0), changed]) {
    const { ours, theirs } = await pair(t);
    theirs.send(bytes);
    await waitUntil(() => ours.closed.length > 0, { what: 'the end' });
    assert.is(ours.bad.length, 1, String(bytes));
    assert.equal(ours.frames, []);
    assert.equal(ours.closed, ['bad frame']);
  }
});

test('a frame sent as text is refused although its bytes are right', async (t) => {
  const { ours, theirs } = await pair(t);
  theirs.send(encodeFrame(1, BYE), { binary: false });
  await waitUntil(() => ours.closed.length > 0, { what: 'the end' });
  assert.equal(ours.bad, ['text came where a frame belongs']);
});

test('a link is closed with any text as its reason, once, and both sides learn of it', async (t) => {
  for (const reason of ['größer '.repeat(60), '🧵'.repeat(80), '\n\0', '']) {
    const { ours, theirs } = await pair(t);
    const gone = new Promise((resolve) => theirs.once('close', resolve));
    ours.link.close(reason);
    ours.link.close('again');
    await gone;
    assert.equal(ours.closed, [reason]);
    assert.not(ours.link.isOpen);
    assert.is(ours.link.send(1, BYE), 0);
  }
});

test('a probe gives the answer that it got, and null when there is none', async (t) => {
  let reject: Reject = {
    type: 'reject',
    reason: 'NOT_SERVING',
    message: '',
    retryAfterMs: null,
    clusterId: ID,
    nodeId: ID,
    epoch: 3,
    masterUrl: null,
    proof: '',
  };
  let signed = true;
  const streamUrl = await served(t, (socket) => {
    socket.once('message', (data) => {
      const open = decodeFrame(data as Buffer).message as Open;
      const nonces = { replica: open.nonce, master: ID };
      if (signed) reject = { ...reject, proof: makeProof([], nonces, { side: 'master', nodeId: ID, clusterId: ID, epoch: 3 }) };
      socket.send(encodeFrame(3, { type: 'challenge', proto: 1, nonce: ID, keyed: false }));
      socket.once('message', () => socket.send(encodeFrame(3, reject)));
    });
  });
  const hello = { clusterId: ID, nodeId: 'b'.repeat(32), runId: ID, host: 'h', port: 1, voter: false, role: 'master' as const };
  const more = { highestEpoch: 1, position: null, lineage: [], wants: null, resume: null, installed: null, masterUrl: null };
  const asked = { streamUrl, keys: [], tls: {}, software: 't', timeoutMs: 5_000, hello: { ...hello, ...more } };
  assert.equal(await probe(asked), reject);
  const elsewhere = { ...asked, hello: { ...asked.hello, clusterId: 'c'.repeat(32) } };
  assert.equal(await probe(elsewhere), reject, 'of another cluster: who asks sees it');
  assert.is(await probe({ ...asked, keys: [Buffer.from('key')] }), null, 'it does not hold the key');
  signed = false;
  assert.is(await probe(asked), null, 'it was the answer to another link');
});

test.run();

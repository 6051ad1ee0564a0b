/** How PostgreSQL is reached: the first messages of its protocol (PostgreSQL's documentation, "Message Flow"), over a stand-in that asks for a
 *  password and lets nobody in. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { connectToPostgres } from '../../../../src/cli/import/foreign/pgvector-connection.js';
import { suite, type TestContext } from '../../../support/suite.js';

const test = suite('cli/import/foreign/pgvector-connection');

function message(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5, kind);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** Each part ends with a zero. */
const texts = (...parts: string[]): Buffer => Buffer.from(parts.map((part) => `${part}\0`).join(''));
const ASKS_FOR_PASSWORD = message('R', Buffer.from([0, 0, 0, 3]));
const LETS_NOBODY_IN = message('E', texts('SFATAL', 'C28P01', 'Mno such user', ''));

/** What callers say, in their own order: who they are, then their passwords. */
async function closedDatabase(t: TestContext, at: { path: string } | { host: string; port: number }) {
  const said: string[][] = [];
  const answer = (socket: Socket, bytes: Buffer, isFirst: boolean): void => {
    // The first message has no letter: a length, a version, then names and values.
    const body = bytes.subarray(isFirst ? 8 : 5).toString();
    said.push(body.split('\0').filter((part) => part !== ''));
    if (isFirst) socket.write(ASKS_FOR_PASSWORD);
    else socket.end(LETS_NOBODY_IN);
  };
  const server = createServer((socket) => {
    let isFirst = true;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      answer(socket, bytes, isFirst);
      isFirst = false;
    });
  });
  server.listen(at);
  await once(server, 'listening');
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return { said, address: server.address() };
}

const refusal = (url: string, password: string | null): Promise<string> =>
  connectToPostgres({ url, password, timeoutMs: 20_000 }).then(
    () => 'let in',
    (error: Error) => error.message,
  );

test('the password that is given is the one that is sent, whatever is in it', async (t) => {
  const { said, address } = await closedDatabase(t, { host: '127.0.0.1', port: 0 });
  if (address === null || typeof address === 'string') throw new Error('no port');
  for (const password of ['secret', 'se cret', '%41+&=?#/:@é', 'a%2']) {
    said.length = 0;
    const told = await refusal(`postgres://reader@127.0.0.1:${address.port}/shop`, password);
    assert.equal(said[1], [password]);
    assert.match(told, /PostgreSQL does not let us in: no such user; look at --source/);
    assert.not.match(told, password);
    const [names] = said;
    assert.equal([names?.[1], names?.includes('shop')], ['reader', true]);
  }
});

test('so it is through a socket in a folder', async (t) => {
  const folder = t.folder();
  const { said } = await closedDatabase(t, { path: join(folder, '.s.PGSQL.5432') });
  await refusal(`postgres:///shop?user=reader&host=${encodeURIComponent(folder)}`, 'secret');
  assert.equal(said[1], ['secret']);
});

test('a password in the address, which no flag brings here, is sent too', async (t) => {
  const { said, address } = await closedDatabase(t, { host: '127.0.0.1', port: 0 });
  if (address === null || typeof address === 'string') throw new Error('no port');
  await refusal(`postgres://reader:its%20own@127.0.0.1:${address.port}/shop`, null);
  assert.equal(said[1], ['its own']);
});

test.run();

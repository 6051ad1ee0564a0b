/** The end of a client: what runs ends, whoever waits for it is told, and nothing hangs. */

import * as assert from 'uvu/assert';
import { Closing } from '../../src/sdk/closing.js';
import { SkeinClient, SkeinConnectionError } from '../../src/sdk/index.js';
import { suite } from '../support/suite.js';
import { stubServer } from './stub-server.js';

const test = suite('sdk/closing', { deadlineMs: 10_000 });

test('everybody who waits for the calls that run learns of their end', async () => {
  const closing = new Closing();
  const call = (): void => undefined;
  closing.add(call);
  const drained = [closing.drain(), closing.drain()];
  closing.remove(call);
  await Promise.all(drained);
});

test('a closed client refuses at once what would wait, and with the reason that it was closed for', async (t) => {
  const stub = await stubServer(t, () => null);
  const client = new SkeinClient({ url: stub.url });
  const running = client.count('c').catch((error: unknown) => error);
  const waiting = client.waitFor('p').catch((error: unknown) => error);
  const reason = new SkeinConnectionError('it is over', { code: 'OVER', url: '', maybeSent: true });
  client.close(reason);
  client.close();
  assert.equal([await running, await waiting], [reason, reason]);
  // Who waits after all gets no answer: the server gives none.
  assert.is(await client.waitFor('p').catch((error: unknown) => error), reason);
  assert.is(
    await client
      .changes()
      .next()
      .catch((error: unknown) => error),
    reason,
  );
});

test.run();

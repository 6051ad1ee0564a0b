/** What it costs to know who asks, and to tell browsers what not to do: processor time of a request with the headers and without, and of the check
 *  of each kind of key. In turns, so that whatever else the machine does meets all alike; medians of the turns. */

import { createPublicKey, createSecretKey } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { fastify } from 'fastify';
import { Authentication } from '../src/http/access/authentication.js';
import { accessKeyText, newKeyId, newSecret, secretHash } from '../src/http/access/credential.js';
import { Tokens } from '../src/http/access/tokens.js';
import { securityHeaders } from '../src/http/security-headers.js';
import type { TokenKey, TokenRules } from '../src/http/token-rules.js';
import type { AccessKey } from '../src/model/access-key.js';
import { systemClock } from '../src/model/clock.js';
import { silentLog } from '../src/model/log.js';
import { silentMeter } from '../src/model/meter.js';
import { PLAIN_RULES, type SigningKey, signingKey, tokenOf } from '../tests/support/token-maker.js';
import { type Bench, scaled } from './support/bench.js';
import { median } from './support/latencies.js';

const TURNS = 41;
const FRESH = 50;
const PIPELINED = 20;
const ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const;
const FILE_KEY = 'the-admin-key-of-the-file';

interface Side {
  readonly name: string;
  readonly count: number;
  one(): unknown;
}

export const securityCost: Bench = {
  name: 'security_cost',
  about: 'headers for browsers, and checks of keys and tokens',
  async run(progress) {
    progress('headers');
    const rounds = scaled(100, 5);
    const [bare, full] = [await served(false), await served(true)];
    const headers = await inTurns([
      { name: 'without', count: rounds, one: bare.round },
      { name: 'with', count: rounds, one: full.round },
    ]);
    await Promise.all([bare.close(), full.close()]);
    progress('keys and tokens');
    const checks = await inTurns(await checkSides(scaled(5_000, 100)));
    const [without = 0, withHeaders = 0] = headers.map(({ us }) => us / PIPELINED);
    const rows = checks.map(({ name, us }) => [name, us]);
    return {
      tables: [{ title: 'security_cost: one check of who asks', columns: ['shown', 'µs of processor'], rows }],
      figures: [
        { name: 'headers for browsers, each answer', value: withHeaders - without, unit: 'µs' },
        { name: 'an answer without them that does nothing else', value: without, unit: 'µs' },
        ...checks.map(({ name, us }) => ({ name, value: us, unit: 'µs' })),
      ],
      notes: ['A token that was good is remembered until it ends, so its signature is checked once.'],
    };
  },
};

interface Served {
  /** Asks PIPELINED times at once over one connection and waits for all answers. */
  round(): Promise<void>;
  close(): Promise<void>;
}

/** A server that answers at once, and a caller that costs next to nothing: it counts bytes, and all answers are equally long. */
async function served(secured: boolean): Promise<Served> {
  const app = fastify();
  const put = securityHeaders(false);
  app.addHook('onRequest', (_request, reply, next) => {
    reply.header('x-request-id', 'always-the-same');
    if (secured) put(reply);
    next();
  });
  app.get('/', (_request, reply) => reply.send('{}'));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const asked = 'GET / HTTP/1.1\r\nhost: bench\r\n\r\n';
  let waitedFor = 0;
  let done: (() => void) | null = null;
  socket.on('data', (bytes) => {
    waitedFor -= bytes.length;
    if (waitedFor <= 0) done?.();
  });
  const round = (count: number, bytesEach: number): Promise<void> => {
    waitedFor = count * bytesEach;
    socket.write(asked.repeat(count));
    return new Promise((resolve) => (done = resolve));
  };
  await round(1, 1);
  const bytesEach = 1 - waitedFor;
  const close = async (): Promise<void> => {
    socket.destroy();
    await app.close();
  };
  return { round: () => round(PIPELINED, bytesEach), close };
}

/** @returns microseconds of processor time of one, by side */
async function inTurns(sides: readonly Side[]): Promise<{ readonly name: string; readonly us: number }[]> {
  const found = sides.map(() => [] as number[]);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [i, { count, one }] of sides.entries()) {
      const before = process.cpuUsage();
      for (let n = 0; n < count; n++) {
        const waiting = one();
        if (waiting instanceof Promise) await waiting;
      }
      const { user, system } = process.cpuUsage(before);
      // The first turn pays for what is compiled and loaded.
      if (turn > 0) found[i]?.push((user + system) / count);
    }
  }
  return sides.map(({ name }, i) => ({ name, us: median(found[i] ?? []) }));
}

async function checkSides(count: number): Promise<Side[]> {
  const id = newKeyId();
  const secret = newSecret();
  const key = { id, hash: secretHash(secret), role: 'read', scope: null, rateLimit: null, previous: null, expiresAtMs: null };
  const keys = { count: 1, find: (asked: string) => (asked === id ? (key as unknown as AccessKey) : undefined) };
  const signers = ALGORITHMS.map(signingKey);
  const rules: TokenRules = { ...PLAIN_RULES, keys: signers.map(checkedBy) };
  const tokens = await Tokens.open(() => rules);
  const authentication = new Authentication({
    ...{ keyFile: Buffer.from(FILE_KEY), keys: () => keys as never, tokens },
    ...{ clock: systemClock, log: silentLog, meter: silentMeter },
    wrongClusterKeys: () => 0,
  });
  const identify = (shown: string) => authentication.identify({ authorization: `Bearer ${shown}` }, '10.0.0.1');
  const remembered = await tokenOf(signers[0] as SigningKey);
  const sides: Side[] = [
    { name: 'key of the file', count, one: () => identify(FILE_KEY) },
    { name: 'access key', count, one: () => identify(accessKeyText(id, secret)) },
    { name: 'token, seen before', count, one: () => identify(remembered) },
  ];
  for (const signer of signers) {
    const fresh = await Promise.all(Array.from({ length: FRESH }, (_, i) => tokenOf(signer, { sub: `subject ${i}` })));
    // Other rules end what is remembered, so each of these is checked anew.
    const anew = await Tokens.open(() => ({ ...rules }));
    let next = 0;
    const one = () => anew.judge(fresh[next++ % FRESH] ?? '', Date.now());
    sides.push({ name: `token, first time, ${signer.algorithm}`, count: scaled(500, 20), one });
  }
  return sides;
}

function checkedBy({ algorithm, shared }: SigningKey): TokenKey {
  return { algorithm, id: null, key: algorithm === 'HS256' ? createSecretKey(Buffer.from(shared)) : createPublicKey(shared) };
}

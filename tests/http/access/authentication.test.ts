/** Who asks: keys of every state, both headers, rotation, wrong keys of one address, and random ones. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Authentication } from '../../../src/http/access/authentication.js';
import { accessKeyText, newKeyId, newSecret, secretHash } from '../../../src/http/access/credential.js';
import type { Principal } from '../../../src/http/access/principal.js';
import { SkeinError } from '../../../src/model/errors.js';
import { createMetrics } from '../../../src/observability/metrics.js';
import { accessKey, FakeKeys } from '../../support/fake-keys.js';
import { keptLog } from '../../support/kept-log.js';
import { suite } from '../../support/suite.js';
import { projectFolder } from '../../support/test-files.js';

const test = suite('http/access/authentication');
const FILE_KEY = 'the-key-of-the-file';
const POSITION = { historyId: '', epoch: 1, seq: 1 };

interface World {
  readonly keys: FakeKeys;
  readonly metrics: ReturnType<typeof createMetrics>;
  nowMs: number;
  /** @returns the name of who asks, or the type of the error */
  ask(credential: string | null, address?: string): string;
}

function world(keyFile: string | null = null): World {
  const keys = new FakeKeys(() => POSITION);
  const metrics = createMetrics();
  const made: World = { keys, metrics, nowMs: 1_000_000, ask: () => '' };
  const clock = { wallMs: () => made.nowMs, monotonicMs: () => made.nowMs };
  const file = keyFile === null ? null : Buffer.from(keyFile);
  const authentication = new Authentication({
    ...{ keyFile: file, keys: () => keys, tokens: null, clock, meter: metrics.meter, log: keptLog().log },
    wrongClusterKeys: () => 3,
  });
  made.ask = (credential, address = '10.0.0.1') => {
    try {
      const headers = credential === null ? {} : { authorization: `Bearer ${credential}` };
      const { kind, id } = authentication.identify(headers, address) as Principal;
      return id ?? kind;
    } catch (error) {
      if (error instanceof SkeinError) return error.type;
      throw error;
    }
  };
  return made;
}

test('without key file and keys everybody is admitted; the first of either closes the door', () => {
  const open = world();
  assert.equal([open.ask(null), open.ask('anything')], ['anyone', 'anyone']);
  open.keys.put(accessKey('a'.repeat(16)));
  assert.equal([open.ask(null), open.ask('anything')], ['Unauthorized', 'Unauthorized']);
  const filed = world(FILE_KEY);
  assert.equal([filed.ask(null), filed.ask('wrong'), filed.ask(FILE_KEY)], ['Unauthorized', 'Unauthorized', 'key_file']);
});

test('a key is good until it expires or is deleted, and a rotated one as long as its grace', () => {
  const id = newKeyId();
  const [old, fresh] = [newSecret(), newSecret()];
  const w = world();
  w.keys.put(
    accessKey(id, { hash: secretHash(fresh), previous: { hash: secretHash(old), untilMs: 1_000_500 }, expiresAtMs: 1_002_000 }),
  );
  const both = (): string[] => [w.ask(accessKeyText(id, fresh)), w.ask(accessKeyText(id, old))];
  assert.equal(both(), [id, id]);
  w.nowMs = 1_000_500;
  assert.equal(both(), [id, 'Unauthorized']);
  w.nowMs = 1_002_000;
  assert.equal(both(), ['Unauthorized', 'Unauthorized']);
});

test('the hash of nothing opens nothing: an id that nobody has, and a record whose former secret is none', () => {
  const w = world(FILE_KEY);
  const id = newKeyId();
  w.keys.put(accessKey(id));
  assert.is(w.ask(accessKeyText(newKeyId(), newSecret())), 'Unauthorized');
  assert.is(w.ask(accessKeyText(id, newSecret())), 'Unauthorized');
});

test('wrong keys of one address are slowed down, whoever else asks, and good keys of every kind go on', async () => {
  const w = world(FILE_KEY);
  const id = newKeyId();
  const secret = newSecret();
  w.keys.put(accessKey(id, { hash: secretHash(secret) }));
  for (let i = 0; i < 30; i++) assert.is(w.ask(`wrong-${i}`), 'Unauthorized');
  assert.is(w.ask('wrong'), 'RateLimited');
  assert.is(w.ask(accessKeyText(id, newSecret())), 'RateLimited');
  assert.is(w.ask(accessKeyText(id, secret)), id);
  assert.is(w.ask(FILE_KEY), 'key_file');
  assert.is(w.ask('wrong', '10.0.0.2'), 'Unauthorized');
  w.nowMs += 1_000;
  assert.is(w.ask('wrong'), 'Unauthorized');
  assert.is(w.ask('wrong'), 'RateLimited');
  assert.match(await w.metrics.text(), /skein_auth_failures_total\{reason="limited"\} 3/);
  assert.match(await w.metrics.text(), /skein_auth_failures_total\{reason="cluster_key"\} 3/);
});

test('one network of IPv6 counts as one address', () => {
  const w = world(FILE_KEY);
  for (let i = 0; i < 30; i++) w.ask('wrong', `2001:db8:1:2::${i.toString(16)}`);
  assert.is(w.ask('wrong', '2001:db8:1:2:ffff::1'), 'RateLimited');
  assert.is(w.ask('wrong', '2001:db8:1:3::1'), 'Unauthorized');
  assert.is(w.ask('wrong', '::1'), 'Unauthorized');
  assert.is(w.ask('wrong', '::ffff:10.0.0.9'), 'Unauthorized');
});

test('nothing that is not a key is taken for one, and nothing throws anything else', () => {
  const id = 'a'.repeat(16);
  const secret = newSecret();
  const good = accessKeyText(id, secret);
  const near = fc
    .tuple(fc.nat(good.length - 1), fc.string({ minLength: 0, maxLength: 2 }))
    .map(([at, text]) => good.slice(0, at) + text + good.slice(at + 1));
  fc.assert(
    fc.property(
      fc.oneof(
        near,
        fc.string(),
        fc.base64String().map((text) => `skn_${id}_${text}`),
      ),
      (given) => {
        const w = world(FILE_KEY);
        w.keys.put(accessKey(id, { hash: secretHash(secret) }));
        const said = w.ask(given);
        if (given.trim() === good) assert.is(said, id);
        else if (given.trim() !== FILE_KEY) assert.is(said, 'Unauthorized');
      },
    ),
    { numRuns: 500 },
  );
});

test('secrets are compared by timingSafeEqual and by nothing else', () => {
  const source = readFileSync(join(projectFolder, 'src/http/access/authentication.ts'), 'utf8');
  assert.is(source.match(/timingSafeEqual\(/g)?.length, 3);
  assert.not(/(?:hash|digest|secret|keyFile)\w* [!=]==? (?!null)/i.test(source));
});

test.run();

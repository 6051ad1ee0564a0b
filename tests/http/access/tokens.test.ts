/** Tokens: what a good one is, that nothing else passes, and that nothing throws. */

import { createHmac, createPublicKey, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Tokens } from '../../../src/http/access/tokens.js';
import type { TokenKey, TokenRules } from '../../../src/http/token-rules.js';
import { type Clock, systemClock } from '../../../src/model/clock.js';
import { startKeyed } from '../../support/keyed-http.js';
import { suite } from '../../support/suite.js';
import { type Algorithm, PLAIN_RULES, type SigningKey, signingKey, tokenOf } from '../../support/token-maker.js';

const test = suite('http/access/tokens', { deadlineMs: 60_000 });
const ALL: readonly Algorithm[] = ['HS256', 'RS256', 'ES256', 'EdDSA'];
const nowS = (): number => Math.floor(Date.now() / 1_000);

/** No rate limit gives anything back meanwhile. */
function stopped(): Clock {
  const nowMs = systemClock.monotonicMs();
  return { ...systemClock, monotonicMs: () => nowMs };
}

function checked(key: SigningKey, id: string | null = null): TokenKey {
  const { algorithm, shared } = key;
  return { algorithm, id, key: algorithm === 'HS256' ? createSecretKey(Buffer.from(shared)) : createPublicKey(shared) };
}

async function judging(keys: readonly TokenKey[], rules: Partial<TokenRules> = {}) {
  const held = { rules: { ...PLAIN_RULES, keys, ...rules } };
  const tokens = await Tokens.open(() => held.rules);
  /** @returns whose it is, or why it is refused */
  const judge = async (token: string, nowMs = Date.now()): Promise<string> => {
    const verdict = await tokens.judge(token, nowMs);
    return 'principal' in verdict ? `good ${verdict.principal.id}` : verdict.reason;
  };
  return { tokens, held, judge };
}

test('a token of each kind of key is good, again without its signature being checked again, until it ends', async () => {
  for (const algorithm of ALL) {
    const key = signingKey(algorithm);
    const { tokens, judge } = await judging([checked(key)]);
    const startS = nowS();
    const token = await tokenOf(key, { exp: startS + 60 });
    assert.is(await judge(token), 'good somebody', algorithm);
    const again = tokens.judge(token, Date.now());
    assert.ok(!(again instanceof Promise) && 'principal' in again);
    assert.is(await judge(token, (startS + 89) * 1_000), 'good somebody', 'clocks may be 30 s apart');
    assert.is(await judge(token, (startS + 91) * 1_000), 'claim exp');
  }
});

test('other keys end what was good before', async () => {
  const [old, fresh] = [signingKey('HS256'), signingKey('HS256')];
  const { held, judge } = await judging([checked(old)]);
  const token = await tokenOf(old);
  assert.is(await judge(token), 'good somebody');
  held.rules = { ...held.rules, keys: [checked(fresh)] };
  assert.is(await judge(token), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
  assert.is(await judge(await tokenOf(fresh)), 'good somebody');
});

test('claims are held against the rules', async () => {
  const key = signingKey('EdDSA');
  const { judge } = await judging([checked(key)], { issuer: 'https://issuer', audience: 'skein' });
  const said = async (claims: Record<string, unknown>): Promise<string> =>
    judge(await tokenOf(key, { iss: 'https://issuer', aud: 'skein', ...claims }));
  assert.is(await said({}), 'good somebody');
  assert.is(await said({ aud: ['other', 'skein'], collections: ['films', 'tenant-7-*'] }), 'good somebody');
  const bad: [Record<string, unknown>, RegExp][] = [
    [{ iss: 'https://other' }, /iss$/],
    [{ iss: undefined }, /iss$/],
    [{ aud: 'other' }, /aud$/],
    [{ aud: undefined }, /aud$/],
    [{ exp: undefined }, /exp$/],
    [{ exp: nowS() - 31 }, /EXPIRED/],
    [{ exp: 'tomorrow' }, /exp$/],
    [{ exp: nowS() + 90_000 }, /too far/],
    [{ exp: Number.MAX_VALUE }, /too far/],
    [{ nbf: nowS() + 60 }, /nbf$/],
    [{ sub: undefined }, /sub$/],
    [{ sub: '' }, /sub$/],
    [{ sub: 'a\nb' }, /sub$/],
    [{ sub: 'x'.repeat(257) }, /sub$/],
    [{ role: undefined }, /role$/],
    [{ role: 'root' }, /role$/],
    [{ role: ['admin'] }, /role$/],
    [{ role: 'toString' }, /role$/],
    [{ collections: [] }, /collections$/],
    [{ collections: null }, /collections$/],
    [{ collections: 'films' }, /collections$/],
    [{ collections: ['a b'] }, /collections$/],
    [{ collections: [7] }, /collections$/],
    [{ role: 'replicate', collections: ['films'] }, /collections$/],
  ];
  for (const [claims, reason] of bad) assert.match(await said(claims), reason, JSON.stringify(claims));
});

test('the key says which algorithm counts: none, another, and a secret made of a public key are refused', async () => {
  const key = signingKey('RS256');
  const { judge } = await judging([checked(key)]);
  const confused: SigningKey = { ...key, algorithm: 'HS256', own: Buffer.from(key.shared) };
  assert.match(await judge(await tokenOf(confused)), 'no key');
  const [, claims] = (await tokenOf(key)).split('.');
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
  for (const end of ['', '.x', '.']) assert.not.match(await judge(`${unsigned}.${claims}${end}`), 'good');
  assert.match(await judge(await tokenOf(signingKey('ES256'))), 'no key');
  const secret = signingKey('HS256');
  const critical = [{ alg: 'HS256', crit: ['more'], more: 1 }, JSON.parse(Buffer.from(claims ?? '', 'base64url').toString())]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signed = `${critical}.${createHmac('sha256', secret.shared).update(critical).digest('base64url')}`;
  assert.match(await (await judging([checked(secret)])).judge(signed), 'ERR_JOSE_NOT_SUPPORTED', 'what it must not pass over');
});

test('of several keys a token names its own, unless one alone fits', async () => {
  const [a, b, c] = [signingKey('ES256'), signingKey('ES256'), signingKey('EdDSA')];
  const { judge } = await judging([checked(a, 'a'), checked(b, 'b'), checked(c, 'c')]);
  assert.is(await judge(await tokenOf(b, {}, { kid: 'b' })), 'good somebody');
  assert.is(await judge(await tokenOf(c)), 'good somebody');
  assert.match(await judge(await tokenOf(b)), 'no key');
  assert.match(await judge(await tokenOf(b, {}, { kid: 'a' })), 'SIGNATURE');
  assert.match(await judge(await tokenOf(c, {}, { kid: 'b' })), 'no key');
});

test('nothing but a good token passes, whatever is done to it, and nothing throws', async () => {
  for (const algorithm of ALL) {
    const key = signingKey(algorithm);
    const { judge } = await judging([checked(key)]);
    const good = await tokenOf(key);
    const meant = meaning(good);
    const changed = fc
      .tuple(fc.nat(good.length - 1), fc.nat(3), fc.string({ maxLength: 3 }))
      .map(([at, cut, text]) => good.slice(0, at) + text + good.slice(at + cut));
    const part = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom('{"alg":"none"}', `{"alg":"${algorithm}"}`, '{"alg":7}', '[]', 'null'),
    );
    const made = fc
      .tuple(part, part, fc.string())
      .map((parts) => parts.map((text) => Buffer.from(text).toString('base64url')).join('.'));
    await fc.assert(
      fc.asyncProperty(fc.oneof(changed, made, fc.string()), async (token) => {
        // The last character of a signature in base64 may hold bits that mean nothing; what is signed is signed as text.
        assert.is((await judge(token)).startsWith('good'), meaning(token) === meant);
      }),
      { numRuns: 300, examples: [[good.replace('.', '9.')], [`${good}9`]] },
    );
  }
});

test('over HTTP a token is a principal like any: its role, its scope, its limit, its name in the audit', async (t) => {
  const key = signingKey('HS256');
  const rules: TokenRules = { ...PLAIN_RULES, keys: [checked(key)], rateLimit: { perSecond: 1, burst: 3 } };
  const http = await startKeyed(t, { service: { tokenRules: () => rules }, clock: stopped() });
  const as = async (claims: Record<string, unknown>) => ({ authorization: `Bearer ${await tokenOf(key, claims)}` });
  const make = { dimension: 2, distance: 'dot' };
  assert.is((await http.ask('GET', '/v1/collections')).status, 401, 'tokens close the door');
  const admin = await as({ sub: 'root@example.org', role: 'admin' });
  assert.is((await http.ask('PUT', '/v1/collections/films', make, admin)).status, 201);
  assert.is(http.audited.at(-1)?.who, 'token:root@example.org');
  const reader = await as({ collections: ['films'] });
  assert.is((await http.ask('GET', '/v1/collections/films', undefined, reader)).status, 200);
  const refused = await http.ask('DELETE', '/v1/collections/films', undefined, reader);
  assert.equal([refused.status, refused.body.error.details], [403, { needed: 'admin', key_role: 'read' }]);
  const elsewhere = await as({ sub: 'other', collections: ['books-*'] });
  assert.is((await http.ask('GET', '/v1/collections/films', undefined, elsewhere)).status, 403);
  assert.is((await http.ask('GET', '/v1/collections/films', undefined, await as({}))).status, 200);
  const often = await http.ask('GET', '/v1/collections/films', undefined, await as({ exp: nowS() + 77 }));
  assert.equal([often.status, often.body.error.type, often.headers.has('retry-after')], [429, 'RateLimited', true]);
  assert.is((await http.ask('GET', '/nowhere', undefined, await as({ sub: 'third' }))).status, 404);
  assert.is(
    (await http.ask('GET', '/v1/collections', undefined, { 'api-key': await tokenOf(key, { sub: 'fourth' }) })).status,
    200,
  );
});

test('every bad token gets the same words, none is a fault of the server, and access keys go on beside it', async (t) => {
  const key = signingKey('ES256');
  const rules: TokenRules = { ...PLAIN_RULES, keys: [checked(key)] };
  const http = await startKeyed(t, { service: { tokenRules: () => rules }, apiKey: 'the-key-of-the-file', clock: stopped() });
  const words = new Set<string>();
  const bad = [
    await tokenOf(key, { exp: 1 }),
    await tokenOf(signingKey('ES256')),
    await tokenOf(key, { role: 'god' }),
    'eyJ.eyJ.eyJ',
  ];
  for (const token of bad) {
    const { status, body } = await http.ask('GET', '/v1/collections', undefined, { authorization: `Bearer ${token}` });
    assert.is(status, 401);
    words.add(body.error.message);
  }
  assert.is(words.size, 1);
  for (let i = 0; i < 40; i++) await http.ask('GET', '/v1/collections', undefined, { authorization: 'Bearer eyJ.eyJ.eyJ' });
  const limited = await http.ask('GET', '/v1/collections', undefined, { authorization: 'Bearer eyJ.eyJ.eyJ' });
  assert.is(limited.status, 429);
  const good = { authorization: `Bearer ${await tokenOf(key)}` };
  assert.is((await http.ask('GET', '/v1/collections', undefined, good)).status, 200, 'a good one goes on');
  assert.is((await http.ask('GET', '/v1/collections', undefined, http.as('read'))).status, 200);
  assert.not.match(JSON.stringify(http.log), 'eyJ');
});

/** The text that is signed, and the bytes of the signature. */
function meaning(token: string): string {
  if (!/^ey[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return token;
  const end = token.lastIndexOf('.');
  return token.slice(0, end + 1) + Buffer.from(token.slice(end + 1), 'base64url').toString('hex');
}

test.run();

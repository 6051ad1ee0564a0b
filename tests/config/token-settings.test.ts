/** The settings of tokens: one file of three kinds, the algorithm of each key, and what cannot be a key of tokens. */

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { describeConfig } from '../../src/config/describe.js';
import { ConfigError } from '../../src/config/resolve.js';
import { suite, type TestContext } from '../support/suite.js';
import { type Algorithm, signingKey } from '../support/token-maker.js';

const test = suite('config/token-settings');

const load = (flags: Readonly<Record<string, unknown>>) => loadConfig({ flags, environment: {}, workingDir: '/srv' });

function problemsOf(flags: Readonly<Record<string, unknown>>): string {
  try {
    load(flags);
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
}

function file(t: TestContext, content: string): string {
  const path = join(t.folder(), 'key');
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

const found = (flags: Readonly<Record<string, unknown>>) =>
  load(flags).config.tokens.keys?.map(({ algorithm, id }) => [algorithm, id]);

test('without a file tokens are not taken, and settings for them alone are a mistake', () => {
  assert.is(load({}).config.tokens.keys, null);
  assert.match(problemsOf({ tokenIssuer: 'https://issuer' }), 'none of token_secret_file');
});

test('the algorithm is that of the key: a secret, a public key of three kinds, a set', (t) => {
  assert.equal(found({ tokenSecretFile: file(t, signingKey('HS256').shared) }), [['HS256', null]]);
  const algorithms: Algorithm[] = ['RS256', 'ES256', 'EdDSA'];
  for (const algorithm of algorithms)
    assert.equal(found({ tokenPublicKeyFile: file(t, signingKey(algorithm).shared) }), [[algorithm, null]]);
  const keys = (['HS256', ...algorithms] as Algorithm[]).map((algorithm, i) => signingKey(algorithm).jwk(`k${i}`));
  const set = file(t, JSON.stringify({ keys }));
  assert.equal(
    found({ tokenJwksFile: set })?.map(([algorithm]) => algorithm),
    ['HS256', ...algorithms],
  );
});

test('keys of a set that are for something else are passed over, and said so', (t) => {
  const good = signingKey('ES256').jwk('good');
  const others = [{ ...good, use: 'enc' }, { ...good, alg: 'ES384' }, { kty: 'EC', crv: 'P-521' }, { kty: 'new' }];
  const path = file(t, JSON.stringify({ keys: [...others, good] }));
  const { config, warnings } = load({ tokenJwksFile: path });
  assert.is(config.tokens.keys?.length, 1);
  assert.is(warnings.filter((warning) => warning.includes('passed over')).length, others.length);
  assert.match(problemsOf({ tokenJwksFile: file(t, JSON.stringify({ keys: others })) }), 'no key of');
});

test('what cannot be a key of tokens is named, and no key is shown', (t) => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const own = generateKeyPairSync('ed25519').privateKey;
  const pem = own.export({ type: 'pkcs8', format: 'pem' }).toString();
  const twin = signingKey('EdDSA').jwk('a');
  const cases: [string, string, RegExp][] = [
    ['tokenSecretFile', 'short', /has 5 bytes/],
    ['tokenSecretFile', signingKey('RS256').shared, /is PEM, not a secret/],
    ['tokenPublicKeyFile', 'x'.repeat(40), /is not PEM/],
    ['tokenPublicKeyFile', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', /cannot be read/],
    ['tokenPublicKeyFile', pem, /has a private key/],
    ['tokenPublicKeyFile', weak, /has 1024 bits/],
    ['tokenJwksFile', 'secret words', /it is no JSON/],
    ['tokenJwksFile', '[]', /is no JWKS/],
    ['tokenJwksFile', JSON.stringify({ keys: [{ ...own.export({ format: 'jwk' }) }] }), /is a private key/],
    ['tokenJwksFile', JSON.stringify({ keys: [{ kty: 'oct', k: 'c2hvcnQ' }] }), /has 5 bytes/],
    [
      'tokenJwksFile',
      JSON.stringify({ keys: [{ ...createPublicKey(own).export({ format: 'jwk' }), kid: 7 }] }),
      /kid .* is no text/,
    ],
    ['tokenJwksFile', JSON.stringify({ keys: [twin, twin] }), /the same alg and kid/],
    ['tokenJwksFile', JSON.stringify({ keys: Array.from({ length: 101 }, () => twin) }), /100 are the most/],
  ];
  for (const [key, content, message] of cases) {
    const said = problemsOf({ [key]: file(t, content) });
    assert.match(said, message, `${key} ${message}`);
    assert.not.match(said, /secret words|MC4C|c2hvcnQ/);
  }
  assert.match(problemsOf({ tokenSecretFile: file(t, 'x'.repeat(32)), tokenJwksFile: '/nowhere' }), 'one of them');
  assert.match(problemsOf({ tokenSecretFile: file(t, 'x'.repeat(32)), tokenRoleClaim: 'sub' }), 'claims of their own');
});

test('with keys of tokens a server may listen everywhere, and the secret is shown to nobody', (t) => {
  const secret = signingKey('HS256').shared;
  const loaded = load({ tokenSecretFile: file(t, secret), host: '0.0.0.0' });
  const shown = inspect(loaded, { depth: 9 }) + JSON.stringify([loaded.config, describeConfig(loaded.config, loaded.sources)]);
  assert.not.match(shown, secret);
  assert.ok(!loaded.warnings.some((warning) => warning.includes('without a key')));
});

test('a key of the key file that looks like a token is refused beside tokens', (t) => {
  const flags = { tokenSecretFile: file(t, 'x'.repeat(32)), apiKeyFile: file(t, 'eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl') };
  assert.match(problemsOf(flags), 'has the form of a token');
});

test.run();

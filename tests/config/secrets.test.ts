/** Secrets among the settings: each can come from a file, none looks like an ordinary text, and files with secrets are known to the tests that
 *  look for secrets in logs. */

import * as assert from 'uvu/assert';
import { COMMAND_SECTIONS } from '../../src/config/command-fields.js';
import { SERVER_SECTIONS } from '../../src/config/server-fields.js';
import { SECRET_FILE_SETTINGS, SECRET_SETTINGS } from '../support/secret-watch.js';
import { suite } from '../support/suite.js';

const test = suite('config/secrets');
const sections = [...SERVER_SECTIONS, ...COMMAND_SECTIONS];
const SOUNDS_SECRET = /(?:key|secret|password|passphrase|credentials)$/i;

test('every secret setting has a twin that names a file, beside it in the same table', () => {
  let secrets = 0;
  for (const { title, fields } of sections) {
    for (const [key, field] of Object.entries(fields)) {
      if (field.secret !== true) continue;
      secrets += 1;
      assert.is(fields[`${key}File`]?.kind, 'path', `${title}: ${key} has no ${key}File`);
    }
  }
  assert.ok(secrets >= 2, 'there are some');
});

test('a text whose name sounds like a secret is marked as one', () => {
  for (const { title, fields } of sections)
    for (const [key, field] of Object.entries(fields))
      if (field.kind === 'text' && SOUNDS_SECRET.test(key)) assert.is(field.secret, true, `${title}: ${key}`);
});

test('those that look for secrets in logs know every file that has some', () => {
  assert.equal([...SECRET_SETTINGS].sort(), ['clusterKey', 'healthWebhookUrl']);
  assert.equal([...SECRET_FILE_SETTINGS].sort(), [
    'apiKeyFile',
    'backupS3CredentialsFile',
    'clusterKeyFile',
    'healthWebhookSecretFile',
    'healthWebhookUrlFile',
    'tlsKeyFile',
    'tokenJwksFile',
    'tokenPublicKeyFile',
    'tokenSecretFile',
    'traceHeadersFile',
  ]);
});

test.run();

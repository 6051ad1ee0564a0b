/** Settings of health: defaults, what contradicts itself, and secrets that nobody sees. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { describeConfig } from '../../src/config/describe.js';
import { ConfigError } from '../../src/config/resolve.js';
import { suite } from '../support/suite.js';

const test = suite('config/health-settings');

const load = (flags: Record<string, unknown>) => loadConfig({ flags, environment: {}, workingDir: '/srv' });

function problemsOf(flags: Record<string, unknown>): readonly string[] {
  try {
    load(flags);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('by default it looks every ten seconds, at 80, 85 and 90 percent, and tells nobody', () => {
  const { health } = load({}).config;
  assert.equal(
    [health.healthIntervalMs, health.healthCpuMax, health.healthMemoryMax, health.healthDiskMax, health.healthWebhookUrl],
    [10_000, 0.8, 0.85, 0.9, null],
  );
});

test('the webhook’s secret comes from a file, and neither it nor the address is ever shown', (t) => {
  const path = join(t.folder(), 'secret');
  writeFileSync(path, 'hush-hush\nfor the pager\n');
  chmodSync(path, 0o600);
  const loaded = load({ healthWebhookUrl: 'https://alerts.example/t0ken', healthWebhookSecretFile: path });
  const { healthWebhookUrl, webhookSecret } = loaded.config.health;
  assert.equal([healthWebhookUrl?.reveal(), webhookSecret?.reveal()], ['https://alerts.example/t0ken', 'hush-hush']);
  const shown = JSON.stringify([describeConfig(loaded.config, loaded.sources), loaded.config]);
  assert.not.match(shown, /t0ken|hush-hush/);
});

test('the address can come from a file too, and what is wrong with it is said without it', (t) => {
  const path = join(t.folder(), 'address');
  const put = (text: string): void => writeFileSync(path, text, { mode: 0o600 });
  put('https://alerts.example/t0ken\nfor the pager\n');
  const loaded = load({ healthWebhookUrlFile: path });
  assert.is(loaded.config.health.healthWebhookUrl?.reveal(), 'https://alerts.example/t0ken');
  assert.not.match(JSON.stringify([describeConfig(loaded.config, loaded.sources), loaded.config]), 't0ken');
  assert.match(problemsOf({ healthWebhookUrlFile: path, healthWebhookUrl: 'https://other' }).join(), 'both given');
  put('alerts.example/t0ken');
  const problems = problemsOf({ healthWebhookUrlFile: path }).join();
  assert.match(problems, 'is no http or https address');
  assert.not.match(problems, 't0ken');
  const typed = problemsOf({ healthWebhookUrl: 'alerts.example/t0ken' }).join();
  assert.match(typed, 'must be an address');
  assert.not.match(typed, 't0ken');
  assert.match(problemsOf({ healthWebhookUrlFile: `${path}-gone` }).join(), 'cannot be read');
});

test('a secret without an address, over plain http, or that no header can carry is refused', (t) => {
  const path = join(t.folder(), 'secret');
  writeFileSync(path, 'hush hush\n');
  chmodSync(path, 0o600);
  const without = problemsOf({ healthWebhookSecretFile: path });
  assert.ok(without.some((problem) => /no health_webhook_url/.test(problem)));
  const plain = problemsOf({ healthWebhookUrl: 'http://alerts.example', healthWebhookSecretFile: path });
  assert.ok(plain.some((problem) => /needs a health_webhook_url with https/.test(problem)));
  assert.ok(plain.some((problem) => /no secret that a header can carry/.test(problem)));
  assert.not.match(plain.join(), /hush/);
  assert.equal(problemsOf({ healthWebhookUrl: 'http://alerts.example' }), []);
  const missing = problemsOf({ healthWebhookUrl: 'https://a.example', healthWebhookSecretFile: '/nowhere' });
  assert.match(missing.join(), /cannot be read/);
});

test('bounds are kept', () => {
  assert.match(problemsOf({ healthCpuMax: '1.5', healthHistory: '0' }).join('\n'), /health-history.*\n.*health-cpu-max/s);
});

test.run();

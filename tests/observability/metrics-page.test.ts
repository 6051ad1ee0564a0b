/** docs/METRICS.md says what a running node measures, and that has words and lies within bounds. */

import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { measuresOfNode, metricsPage, PAGE_PATH } from './metrics-page.js';

const test = suite('observability/metrics-page');

test('the page is what the registry of a running node says', async (t) => {
  const { facts, text } = await measuresOfNode(t.folder());
  assert.is(readFileSync(PAGE_PATH, 'utf8'), metricsPage(facts), 'run: node dist/tests/observability/metrics-page.js --write');
  for (const { name, type, help } of facts) {
    assert.match(name, /^skein_[a-z0-9_]+$/);
    assert.is(type === 'counter', name.endsWith('_total'), `${name}: counters, and they alone, end in _total`);
    assert.ok(help.endsWith('.'), `${name}: ${help}`);
    assert.match(text, new RegExp(`^# TYPE ${name} ${type}$`, 'm'));
  }
  assert.is(new Set(facts.map(({ name }) => name)).size, facts.length);
});

test.run();

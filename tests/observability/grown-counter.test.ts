/** Counters of totals that others keep: they grow as the total does, also when whoever keeps it begins again. */

import * as assert from 'uvu/assert';
import { grownCounter } from '../../src/observability/grown-counter.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { suite } from '../support/suite.js';

const test = suite('observability/grown-counter');

test('a total that begins again at nothing counts on from where it was', async () => {
  const { meter, text } = createMetrics();
  const tell = grownCounter(meter, 'commits_total', 'h');
  const after = async (total: number): Promise<string | undefined> => {
    tell(total);
    return /^skein_commits_total (\d+)$/m.exec(await text())?.[1];
  };
  assert.is(await after(300), '300');
  assert.is(await after(300), '300');
  assert.is(await after(20), '320', 'another store, which has counted 20');
  assert.is(await after(0), '320');
  assert.is(await after(7), '327');
});

test.run();

/** What /metrics shows of circuit breakers. */

import * as assert from 'uvu/assert';
import { measureBreakers } from '../../src/observability/breaker-measures.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { suite } from '../support/suite.js';

const test = suite('observability/breaker-measures');

test('each dependency has its state as a number and its failures in all', async () => {
  const { meter, text } = createMetrics();
  const show = measureBreakers(meter);
  const states = ['closed', 'half_open', 'open'] as const;
  for (const [number, state] of states.entries()) {
    show('store', { state, failuresTotal: number * 3 });
    show('webhook', { state: 'closed', failuresTotal: 0 });
    const lines = (await text()).split('\n');
    assert.ok(lines.includes(`skein_circuit_breaker_state{dependency="store"} ${number}`));
    assert.ok(lines.includes(`skein_circuit_breaker_failures_total{dependency="store"} ${number * 3}`));
    assert.ok(lines.includes('skein_circuit_breaker_state{dependency="webhook"} 0'));
  }
});

test.run();

/** High and low, and when a change counts: by examples and by properties. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { HEALTH_STATUSES, type HealthStatus } from '../../src/model/health.js';
import { type Confirmed, confirm, isHigh, isShareHigh, PRESUMED_HEALTHY } from '../../src/observability/health-hysteresis.js';
import { suite } from '../support/suite.js';

const test = suite('observability/health-hysteresis');

test('a value is high from its limit on, and until it is below nine tenths of it', () => {
  const seen = [0.79, 0.8, 0.79, 0.721, 0.719, 0.75, 0.81];
  let high = false;
  const states = seen.map((value) => (high = isHigh(high, value, 0.8)));
  assert.equal(states, [false, true, true, true, false, false, true]);
});

test('a share with a limit of 1 is never high', () => {
  assert.equal([isShareHigh(false, 1, 1), isShareHigh(false, 1, 0.99)], [false, true]);
});

test('a value that trembles between the two limits changes nothing, wherever it began', (t) => {
  const trembling = fc.array(fc.double({ min: 0.9, max: 0.999_999, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(fc.boolean(), trembling, (before, values) => values.every((value) => isHigh(before, value, 1) === before)),
    { seed: t.seed() },
  );
});

const statuses = fc.constantFrom(...HEALTH_STATUSES);

function run(seen: readonly HealthStatus[], needed: number): Confirmed[] {
  let state = PRESUMED_HEALTHY;
  return seen.map((status) => (state = confirm(state, status, needed)));
}

test('a change needs so many looks in a row, and flapping changes nothing', () => {
  const shown = (seen: HealthStatus[]): string =>
    run(seen, 2)
      .map(({ status }) => status[0])
      .join('');
  assert.is(shown(['degraded', 'degraded', 'healthy', 'healthy']), 'hddh');
  assert.is(shown(['unhealthy', 'healthy', 'unhealthy', 'healthy']), 'hhhh');
  assert.is(shown(['degraded', 'unhealthy', 'unhealthy', 'unhealthy']), 'huuu', 'worse is worse; the newest counts');
});

test('what is in force changes at most once in so many looks, only to what was just seen, and only against it', (t) => {
  fc.assert(
    fc.property(fc.array(statuses, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (seen, needed) => {
      let before: HealthStatus = 'healthy';
      let last = -1;
      for (const [i, { status }] of run(seen, needed).entries()) {
        if (status === before) continue;
        assert.is(status, seen[i]);
        assert.ok(i - last >= needed, 'too soon');
        const spoke = seen.slice(i - needed + 1, i + 1);
        const old = before;
        assert.ok(spoke.every((one) => one !== old));
        before = status;
        last = i;
      }
    }),
    { seed: t.seed() },
  );
});

test('so many looks in a row that agree always win', (t) => {
  fc.assert(
    fc.property(fc.array(statuses, { maxLength: 20 }), statuses, fc.integer({ min: 1, max: 5 }), (seen, end, needed) => {
      const states = run([...seen, ...new Array<HealthStatus>(needed).fill(end)], needed);
      assert.is(states.at(-1)?.status, end);
    }),
    { seed: t.seed() },
  );
});

test.run();

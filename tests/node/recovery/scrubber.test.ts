/** The scrubber over pages that are imagined: its pace, its passes, and what cuts them off. */

import * as assert from 'uvu/assert';
import type { ScrubPlace } from '../../../src/engine/engine.js';
import { damageOf } from '../../../src/model/damage.js';
import { SkeinError } from '../../../src/model/errors.js';
import { silentLog } from '../../../src/model/log.js';
import { Scrubber, type ScrubSettings } from '../../../src/node/recovery/scrubber.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('node/recovery/scrubber');
const DAY_MS = 86_400_000;
const PACED: ScrubSettings = { bytesPerS: 1_000, intervalMs: DAY_MS };

/** Time passes where the scrubber sleeps, and nowhere else. */
class Stand {
  nowMs = 0;
  readonly slept: number[] = [];
  readonly found: string[] = [];
  readonly passed: number[] = [];
  scrubbed = 0;
  page: (place: ScrubPlace) => object = () => ({ rows: 10, bytes: 500, damage: [], next: null });
  engine: object | null = {
    care: {
      places: () => [{ table: 'tables' }, { table: 'log', fromSeq: 0 }],
      scrub: async (place: ScrubPlace) => {
        this.scrubbed += 1;
        return this.page(place);
      },
    },
  };
  readonly scrubber: Scrubber;
  #until: { readonly isReached: () => boolean; readonly reached: () => void } | null = null;

  constructor(t: TestContext, settings: ScrubSettings) {
    this.scrubber = new Scrubber({
      engine: () => this.engine as never,
      settings,
      clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      log: silentLog,
      found: ({ message }) => this.found.push(message),
      passed: (startedAtMs) => {
        this.passed.push(startedAtMs);
        if (this.#until?.isReached() === true) this.#until.reached();
      },
      sleep: async (ms, signal) => {
        this.slept.push(ms);
        this.nowMs += ms;
        if (this.#until?.isReached() === true) this.#until.reached();
        if (this.#until === null || this.#until.isReached()) await new Promise<void>((resolve) => this.#hold(resolve, signal));
      },
    });
    t.after(() => this.scrubber.stop());
  }

  #wake = (): void => {};

  #hold(resolve: () => void, signal: AbortSignal): void {
    this.#wake = resolve;
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  }

  /** Lets time pass until then. */
  async until(isReached: () => boolean): Promise<void> {
    await new Promise<void>((reached) => {
      this.#until = { isReached, reached };
      this.#wake();
    });
  }
}

test('a pass keeps its pace and comes once an interval; the first one an interval after a start that read all', async (t) => {
  const stand = new Stand(t, PACED);
  stand.scrubber.start(false);
  assert.is(stand.scrubber.status().lastCompletedAtMs, 0, 'the start has read every row');
  await stand.until(() => stand.passed.length === 1);
  assert.ok((stand.passed[0] ?? 0) >= DAY_MS);
  assert.equal(
    stand.slept.filter((ms) => ms === 500),
    [500, 500],
    'half a second for half of what may be read in a second',
  );
  await stand.until(() => stand.passed.length === 2);
  assert.ok((stand.passed[1] ?? 0) >= 2 * DAY_MS);
  const { rowsTotal, bytesTotal, lastCompletedAtMs } = stand.scrubber.status();
  assert.equal([rowsTotal, bytesTotal], [40, 2_000]);
  assert.ok((lastCompletedAtMs ?? 0) >= 2 * DAY_MS);
});

test('after a start that did not read all, a pass comes at once, without pauses, and until then there is a concern', async (t) => {
  const stand = new Stand(t, { ...PACED, intervalMs: 0 });
  stand.page = () => ({ rows: 1, bytes: 1e6, damage: [damageOf('table', 'state', 'damaged')], next: null });
  stand.scrubber.start(true);
  assert.match(stand.scrubber.concern ?? '', /being read/);
  assert.is(stand.scrubber.status().lastCompletedAtMs, null);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal([stand.slept, stand.found, stand.passed, stand.scrubber.concern], [[], ['damaged', 'damaged'], [0], null]);
});

test('while many scans wait it waits too, and a pass that is cut off begins anew after a minute', async (t) => {
  const stand = new Stand(t, PACED);
  let refusals = 2;
  stand.page = () => {
    if (refusals-- > 0) throw new SkeinError('Overloaded', 'Too many scans are waiting', { reason: 'scan_queue' });
    if (stand.passed.length === 0 && stand.scrubbed === 3) stand.engine = { ...stand.engine };
    return { rows: 1, bytes: 0, damage: [], next: null };
  };
  stand.scrubber.start(true);
  await stand.until(() => stand.passed.length === 1 && stand.scrubbed === 5);
  assert.equal(stand.slept.slice(0, 3), [1_000, 1_000, 60_000]);
});

test('a pass that is asked for comes soon, and no sooner than ten minutes behind the last one that was', async (t) => {
  const stand = new Stand(t, { ...PACED, intervalMs: 0 });
  stand.scrubber.start(false);
  assert.is(stand.scrubbed, 0, 'switched off');
  stand.scrubber.request();
  await stand.until(() => stand.passed.length === 1);
  await new Promise((resolve) => setImmediate(resolve));
  const firstMs = stand.nowMs;
  stand.scrubber.request();
  await stand.until(() => stand.passed.length === 2);
  assert.ok(stand.nowMs - firstMs >= 600_000);
});

test.run();

/** The flag of degraded hybrid searches: what sets it, and everything that clears it. */

import * as assert from 'uvu/assert';
import { Fallback } from '../../src/engine/fallback.js';
import { silentLog } from '../../src/model/log.js';
import { suite } from '../support/suite.js';

const test = suite('engine/fallback');

function start() {
  const notes: string[] = [];
  const time = { ms: 5_000 };
  const clock = { wallMs: () => 1e12 + time.ms, monotonicMs: () => time.ms };
  const note = (event: string): number => notes.push(event);
  return { fallback: new Fallback(clock, { ...silentLog, info: note, warn: note }), notes, time };
}

test('a degraded search sets it once, and only an answer of the engine that was missing clears it', () => {
  const { fallback, notes, time } = start();
  assert.equal(fallback.status, { active: false, sinceMs: null, count: 0 });
  fallback.answered('text');
  fallback.degraded('text', 'it failed');
  time.ms += 10;
  fallback.degraded('text', 'it failed again');
  fallback.answered('vector');
  assert.equal(fallback.status, { active: true, sinceMs: 1e12 + 5_000, count: 2 });
  fallback.answered('text');
  assert.equal(fallback.status, { active: false, sinceMs: null, count: 2 });
  assert.equal(notes, ['search_fallback_begins', 'search_fallback_ends']);
});

test('a minute after the newest degraded search it says nothing of now', () => {
  const { fallback, notes, time } = start();
  fallback.degraded('vector', 'it failed');
  time.ms += 59_000;
  fallback.degraded('vector', 'it failed');
  time.ms += 59_000;
  assert.is(fallback.status.active, true);
  time.ms += 1_001;
  assert.is(fallback.status.active, false);
  fallback.degraded('vector', 'it failed');
  assert.equal(fallback.status, { active: true, sinceMs: 1e12 + time.ms, count: 3 });
  assert.equal(notes, ['search_fallback_begins', 'search_fallback_ends', 'search_fallback_begins']);
});

test.run();

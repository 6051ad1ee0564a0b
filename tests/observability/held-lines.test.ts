/** Lines for a reader that is slow, hangs, tears or goes away: nobody waits, and whatever does not arrive is counted. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { HeldLines } from '../../src/observability/held-lines.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('observability/held-lines');

/** How many bytes the reader takes next time; 'full': none now; 'gone': no reader. */
type Mood = number | 'full' | 'gone';

function reader(bytesMax = 100) {
  const state: { moods: Mood[]; mood: Mood; text: string } = { moods: [], mood: 1_000, text: '' };
  const take = (bytes: Buffer, from: number): number => {
    const mood = state.moods.shift() ?? state.mood;
    if (mood === 'full') throw Object.assign(new Error('full'), { code: 'EAGAIN' });
    if (mood === 'gone') throw Object.assign(new Error('gone'), { code: 'EPIPE' });
    const taken = bytes.subarray(from, from + mood);
    state.text += taken.toString();
    return taken.length;
  };
  return { state, lines: new HeldLines({ bytesMax, take }) };
}

test('what a reader that hangs does not take is kept up to the bound, and comes in order when it reads again', async () => {
  const { state, lines } = reader();
  lines.write('first\n');
  state.mood = 'full';
  for (let i = 0; i < 50; i++) lines.write(`line ${i % 10}...\n`);
  assert.is(lines.lostLines, 40, 'ten lines of ten bytes are kept');
  state.mood = 7;
  await waitUntil(() => state.text.endsWith('line 9...\n'), { what: 'what was kept' });
  assert.is(state.text, `first\n${Array.from({ length: 10 }, (_, i) => `line ${i}...\n`).join('')}`);
});

test('every line for a reader that is gone is counted, and another reader gets whole lines', () => {
  const { state, lines } = reader();
  state.moods = [3];
  state.mood = 'gone';
  lines.write('torn line\n');
  for (let i = 0; i < 9; i++) lines.write('unread\n');
  assert.is(lines.lostLines, 10);
  state.mood = 1_000;
  lines.write('next\n');
  assert.is(state.text, 'tor\nnext\n');
  assert.is(lines.lostLines, 10);
});

test('only the end of a process waits, for what is held, and not for ever', () => {
  const { state, lines } = reader();
  state.mood = 'full';
  lines.write('held\n');
  let nowMs = 0;
  const pauses = { nowMs: () => nowMs, pause: (ms: number) => (nowMs += ms) };
  lines.flush(1_000, pauses);
  assert.ok(nowMs >= 1_000 && nowMs < 1_100, `${nowMs}`);
  state.moods = ['full', 'full'];
  state.mood = 1_000;
  lines.flush(1_000, pauses);
  assert.is(state.text, 'held\n');
});

test('whatever the reader does, whole lines arrive in order and the others are counted', (t) => {
  const mood = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constant<Mood>('full'), fc.constant<Mood>('gone'));
  fc.assert(
    fc.property(fc.array(mood, { maxLength: 200 }), fc.integer({ min: 1, max: 60 }), (moods, count) => {
      const { state, lines } = reader(40);
      state.moods = moods;
      const written = Array.from({ length: count }, (_, i) => `<line ${i}>`);
      for (const line of written) lines.write(`${line}\n`);
      state.moods = [];
      state.mood = 1_000;
      lines.flush(0, { nowMs: () => 0, pause() {} });
      const arrived = state.text.split('\n').filter((line) => line.endsWith('>'));
      assert.equal(
        arrived,
        written.filter((line) => arrived.includes(line)),
      );
      // One that lacked no more than its end when the reader went is both.
      assert.ok(arrived.length + lines.lostLines >= count && lines.lostLines <= count, `${lines.lostLines}`);
    }),
    { seed: t.seed(), numRuns: 200 },
  );
});

test.run();

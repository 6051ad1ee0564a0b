/** Questions of one worker in their order: one that comes alone is answered at once, others take turns, the background has what is left. */

import * as assert from 'uvu/assert';
import type { AskRun } from '../../src/engine/ask-run.js';
import { type AskReply, AsksInTurn } from '../../src/engine/asks-in-turn.js';
import { suite } from '../support/suite.js';

const test = suite('engine/asks-in-turn');
const LATER_MS = Date.now() + 3_600_000;

class Rig {
  readonly asks = new AsksInTurn();
  readonly done: string[] = [];
  readonly slices: string[] = [];

  readonly givenUp = new Set<string>();

  begin(name: string, slices: number, background = false, untilMs = LATER_MS): void {
    let left = slices;
    const run: AskRun = {
      advance: (budgetMs) => {
        this.slices.push(`${name} ${budgetMs}`);
        left -= 1;
        return left > 0 ? null : { health: null };
      },
    };
    const reply: AskReply = {
      answer: () => this.done.push(`${name} answered`),
      refuse: ({ type }) => this.done.push(`${name} ${type}`),
    };
    this.asks.begin(() => ({ run, background, end: () => this.done.push(`${name} ended`) }), reply, {
      untilMs,
      isGivenUp: () => this.givenUp.has(name),
    });
  }
}

test('a short question is answered at once, longer ones go on in slices, each in its turn', () => {
  const rig = new Rig();
  rig.begin('a', 1);
  rig.begin('b', 3);
  rig.begin('c', 2);
  assert.equal(rig.done, ['a ended', 'a answered']);
  for (let i = 0; i < 4; i++) rig.asks.advance(4);
  assert.equal(rig.slices.slice(2), ['c 4', 'b 4', 'c 4', 'b 4']);
  assert.equal(rig.done.slice(2), ['c ended', 'c answered', 'b ended', 'b answered']);
  assert.is(rig.asks.waiting, 0);
});

test('no stream of new questions holds up one that needed more than its first slice, nor does that one hold up them', () => {
  const rig = new Rig();
  rig.begin('long', 6);
  for (let i = 0; i < 10; i++) {
    rig.begin(`short-${i}`, 1);
    rig.begin(`more-${i}`, 1);
    rig.asks.advance(4);
  }
  const answered = rig.done.filter((name) => name.endsWith('answered'));
  assert.ok(answered.includes('long answered'), 'five more slices in ten turns');
  assert.equal(answered.slice(0, 2), ['short-0 answered', 'more-0 answered']);
});

test('a question of the background begins when nothing else is asked, in short slices', () => {
  const rig = new Rig();
  rig.begin('check', 2, true);
  assert.equal(rig.slices, []);
  rig.begin('search', 2);
  rig.asks.advance(4);
  rig.asks.advance(4);
  assert.equal(rig.slices, ['search 4', 'search 4', 'check 1']);
  rig.begin('other', 2);
  rig.asks.advance(4);
  rig.asks.advance(4);
  assert.equal(rig.slices.slice(3), ['other 4', 'other 4', 'check 1']);
  assert.equal(rig.done.slice(-2), ['check ended', 'check answered']);
});

test('a question that nobody waits for any more is ended and refused', () => {
  const rig = new Rig();
  rig.begin('late', 2, true, Date.now() - 1);
  rig.asks.advance(4);
  assert.equal(rig.done, ['late ended', 'late Timeout']);
  assert.equal(rig.slices, []);
});

test('a question that was given up is not begun, and one that runs is broken off between slices', () => {
  const rig = new Rig();
  rig.givenUp.add('late');
  rig.begin('late', 1);
  rig.begin('long', 5);
  assert.equal([rig.slices, rig.done], [['long 4'], ['late Timeout']]);
  rig.givenUp.add('long');
  rig.asks.advance(4);
  assert.equal([rig.slices, rig.done, rig.asks.waiting], [['long 4'], ['late Timeout', 'long ended', 'long Timeout'], 0]);
});

test.run();

/** Postings: every list holds what was appended, whatever grows, dies and is compacted around it. */

import * as assert from 'uvu/assert';
import { FREQUENCY_MAX, Postings } from '../../src/text-index/postings.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/postings');

function listOf(postings: Postings, term: number): [ordinal: number, frequency: number][] {
  const { ordinals, frequencies, start, count } = postings.list(term);
  return Array.from({ length: count }, (_, i) => [ordinals[start + i] as number, frequencies[start + i] as number]);
}

/** Lists as plain arrays, beside the real ones. */
class Model {
  readonly postings = new Postings();
  readonly lists: [ordinal: number, frequency: number][][] = [];
  readonly dead = new Set<number>();
  ordinal = 0;

  addTerm(): void {
    assert.is(this.postings.addTerm(), this.lists.length);
    this.lists.push([]);
  }

  addDocument(terms: readonly number[], frequency: number): void {
    const ordinal = this.ordinal++;
    for (const term of terms) {
      this.postings.append(term, ordinal, frequency);
      this.lists[term]?.push([ordinal, Math.min(frequency, FREQUENCY_MAX)]);
    }
  }

  kill(ordinal: number): void {
    if (this.dead.has(ordinal)) return;
    this.dead.add(ordinal);
    for (const [term, list] of this.lists.entries()) {
      if (!list.some(([one]) => one === ordinal)) continue;
      const deadBefore = list.filter(([one]) => one !== ordinal && this.dead.has(one)).length;
      const crossed = (deadBefore + 1) * 2 > list.length && deadBefore * 2 <= list.length;
      assert.is(this.postings.bury(term), crossed);
    }
  }

  compact(term: number): void {
    this.postings.compact(term, (ordinal) => !this.dead.has(ordinal));
    this.lists[term] = (this.lists[term] ?? []).filter(([ordinal]) => !this.dead.has(ordinal));
  }

  check(): void {
    for (const [term, list] of this.lists.entries()) {
      assert.equal(listOf(this.postings, term), list);
      const live = list.filter(([ordinal]) => !this.dead.has(ordinal)).length;
      assert.is(this.postings.documents(term), live);
      assert.is(this.postings.crowded(term), (list.length - live) * 2 > list.length);
    }
  }
}

test('lists of all lengths grow, die and shrink beside each other', (t) => {
  const random = new Random(t.seed());
  for (let round = 0; round < 20; round++) {
    const model = new Model();
    for (let step = 0; step < 300; step++) {
      const terms = model.lists.length;
      const choice = random.unit();
      if (choice < 0.1 || terms === 0) model.addTerm();
      else if (choice < 0.7) {
        // Terms with small numbers are common, the others rare.
        const has = model.lists.map((_, term) => term).filter((term) => random.boolean(1 / (1 + term / 2)));
        model.addDocument(has, random.integer(1, 400));
      } else if (choice < 0.9 && model.ordinal > 0) model.kill(random.integer(0, model.ordinal - 1));
      else model.compact(random.integer(0, terms - 1));
    }
    model.check();
  }
});

test('lists that outgrow every shared chunk keep what they have, and give their room back', () => {
  const postings = new Postings();
  const [long, short] = [postings.addTerm(), postings.addTerm()];
  const documents = 150_000;
  for (let ordinal = 0; ordinal < documents; ordinal++) {
    postings.append(long, ordinal, 1 + (ordinal % 300));
    if (ordinal % 10 === 0) postings.append(short, ordinal, 1);
  }
  const { ordinals, frequencies, start, count } = postings.list(long);
  assert.is(count, documents);
  for (let ordinal = 0; ordinal < documents; ordinal++) {
    if (ordinals[start + ordinal] !== ordinal) assert.unreachable(`ordinal ${ordinal} has been lost`);
    if (frequencies[start + ordinal] !== Math.min(255, 1 + (ordinal % 300))) assert.unreachable(`frequency of ${ordinal}`);
  }
  assert.equal(listOf(postings, short).at(-1), [149_990, 1]);
  const before = postings.memoryBytes;
  assert.ok(before < 5 * (documents * 2.1 + documents / 5 + 65_536 * 2), `${before} bytes`);
  postings.compact(long, (ordinal) => ordinal < 100);
  assert.is(listOf(postings, long).length, 100);
  assert.ok(postings.memoryBytes < before - 5 * documents);
  assert.is(listOf(postings, short).length, 15_000);
});

test('room that was given back is used again', () => {
  const postings = new Postings();
  for (let term = 0; term < 200; term++) postings.addTerm();
  const fill = (): void => {
    for (let term = 0; term < 200; term++) for (let ordinal = 0; ordinal < 100; ordinal++) postings.append(term, ordinal, 1);
  };
  fill();
  const once = postings.memoryBytes;
  for (let round = 0; round < 20; round++) {
    for (let term = 0; term < 200; term++) postings.compact(term, () => false);
    for (let term = 0; term < 200; term++) assert.is(postings.list(term).count, 0);
    fill();
  }
  assert.ok(postings.memoryBytes <= once * 1.5, `${postings.memoryBytes} after ${once}`);
});

test('ten thousand words that stand once each take little room', () => {
  const postings = new Postings();
  for (let term = 0; term < 10_000; term++) postings.append(postings.addTerm(), term, 1);
  assert.ok(postings.memoryBytes < 10_000 * 5 + 16_384 * 13 + 65_536 * 5);
});

test.run();

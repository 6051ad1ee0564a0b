/** Terms and their labels, from one label to many and back. */

import * as assert from 'uvu/assert';
import { TermIndex } from '../../src/payload-index/term-index.js';
import { suite } from '../support/suite.js';

const test = suite('payload-index/term-index');

test('a term has its labels at every size on the way up and down, and nothing is left of it at the end', () => {
  const index = new TermIndex<string>();
  index.put(5, ['other']);
  const before = index.memoryBytes;
  const labels: number[] = [];
  const check = (): void => {
    assert.equal([...index.source(['term']).labels().toUint32Array()], labels);
    assert.equal(index.source(['term']).size(), { least: labels.length, expected: labels.length, most: labels.length });
  };
  for (let label = 10; label < 110; label++) {
    index.put(label, ['term']);
    labels.push(label);
    check();
  }
  while (labels.length > 0) {
    index.remove(labels.shift() as number);
    check();
  }
  assert.is(index.memoryBytes, before);
  assert.equal([...index.terms()], ['other']);
});

test('many rare terms cost less than a bitmap each', () => {
  const index = new TermIndex<string>();
  for (let label = 0; label < 30_000; label++) index.put(label, [`rare ${label % 10_000}`]);
  assert.ok(index.memoryBytes < 30_000 * 100, `${index.memoryBytes} bytes`);
});

test('the number of a term that is gone is given to the next one', () => {
  const index = new TermIndex<string>();
  index.put(1, ['gone', 'kept']);
  index.remove(1);
  index.put(2, ['new', 'kept']);
  assert.is(index.source(['gone']).labels().size, 0);
  assert.equal([...index.source(['new']).labels().toUint32Array()], [2]);
  const counts: [string, number][] = [];
  index.visitCountsAmong(Uint32Array.of(1, 2), (term, count) => counts.push([term, count]));
  assert.equal(counts.sort(), [
    ['kept', 1],
    ['new', 1],
  ]);
});

test.run();

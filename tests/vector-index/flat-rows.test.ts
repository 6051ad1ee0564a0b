/** Flat rows: exact to the last bit, through removals and moves. */

import * as assert from 'uvu/assert';
import { DISTANCES, scorer } from '../../src/model/distance.js';
import { FlatRows } from '../../src/vector-index/flat-rows.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/flat-rows');

test('scores equal the scorer of the model bit for bit, also for zero, tiny and huge vectors', (t) => {
  const random = new Random(t.seed());
  const vectors = Array.from({ length: 50 }, (_, i) =>
    random.vector(7).map((value) => value * 10 ** (i % 9) * (i % 2 === 0 ? 1e-30 : 1e25)),
  );
  vectors.push(new Float32Array(7));
  for (const distance of DISTANCES) {
    const rows = new FlatRows(7, distance);
    for (const [label, vector] of vectors.entries()) rows.add(label, vector);
    for (const query of vectors) {
      const score = scorer(distance, query);
      const { labels, scores } = rows.search(query, 100, null);
      assert.is(labels.length, vectors.length);
      for (const [place, label] of labels.entries()) assert.ok(Object.is(scores[place], score(vectors[label] as Float32Array)));
    }
  }
});

test('keeps a copy: a vector that its owner changes later stays as it was', () => {
  const rows = new FlatRows(2, 'dot');
  const vector = Float32Array.of(1, 2);
  rows.add(1, vector);
  vector.fill(9);
  assert.equal([...rows.search(Float32Array.of(1, 1), 1, null).scores], [3]);
});

test('closes its holes when they are many, keeps the order of rows, and still finds every row', (t) => {
  const random = new Random(t.seed());
  const rows = new FlatRows(3, 'euclid');
  const vectors = Array.from({ length: 400 }, () => random.vector(3));
  for (const [label, vector] of vectors.entries()) rows.add(label, vector);
  for (let label = 0; label < 400; label++) if (label % 5 !== 0) assert.is(rows.remove(label), true);
  assert.is(rows.size, 80);
  for (let label = 0; label < 400; label += 5) {
    assert.equal([...rows.search(vectors[label] as Float32Array, 1, null).labels], [label]);
    assert.equal(rows.vectorOf(label), vectors[label]);
    assert.is(rows.oldest(), label);
    rows.remove(label);
  }
  assert.is(rows.oldest(), null);
  assert.throws(() => rows.vectorOf(0), /label 0 is not inside/);
});

test('memory of many rows is given back when all are gone, and rows come again', () => {
  const rows = new FlatRows(100, 'dot');
  const empty = rows.memoryBytes;
  for (let label = 0; label < 1_000; label++) rows.add(label, new Float32Array(100).fill(label));
  assert.ok(rows.memoryBytes > 1_000 * 400);
  for (let label = 0; label < 1_000; label++) rows.remove(label);
  assert.is(rows.memoryBytes, empty);
  rows.add(1_000, new Float32Array(100).fill(1));
  assert.equal([rows.oldest(), rows.size], [1_000, 1]);
  assert.equal([...rows.search(new Float32Array(100).fill(1), 3, null).scores], [100]);
});

test.run();

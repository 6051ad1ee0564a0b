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
      const { labels, scores } = rows.search(query, 100);
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
  assert.equal([...rows.search(Float32Array.of(1, 1), 1).scores], [3]);
});

test('closes its holes when they are many, keeps the order of rows, and still finds every row', (t) => {
  const random = new Random(t.seed());
  const rows = new FlatRows(3, 'euclid');
  const vectors = Array.from({ length: 400 }, () => random.vector(3));
  for (const [label, vector] of vectors.entries()) rows.add(label, vector);
  for (let label = 0; label < 400; label++) if (label % 5 !== 0) assert.is(rows.remove(label), true);
  assert.is(rows.size, 80);
  assert.ok(rows.rows < 200, `${rows.rows} rows are left for 80 labels`);
  let before = -1;
  for (let row = 0; row < rows.rows; row++) {
    const label = rows.labelAt(row);
    if (label === null) continue;
    assert.ok(label > before);
    before = label;
    assert.equal(rows.vectorAt(row), vectors[label]);
    assert.equal([...rows.search(vectors[label] as Float32Array, 1).labels], [label]);
  }
});

test('pinned rows stay where they are, removed ones as holes', () => {
  const rows = new FlatRows(1, 'dot');
  rows.pin();
  for (let label = 0; label < 100; label++) rows.add(label, Float32Array.of(label));
  for (let label = 0; label < 90; label++) rows.remove(label);
  assert.is(rows.rows, 100);
  assert.is(rows.labelAt(89), null);
  assert.is(rows.labelAt(90), 90);
});

test.run();

/** Pages in scroll order: bounded by number and by bytes, each going on where the one before ended. */

import * as assert from 'uvu/assert';
import type { PointId } from '../../src/model/point.js';
import { suite } from '../support/suite.js';
import { newStore, Story } from './story.js';

const test = suite('storage/points');

test('a page ends at so many points or so many bytes of payloads, holds one at least, and the next goes on behind it', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  const vector = [1, 1, 1, 1];
  const long = JSON.stringify({ text: 'x'.repeat(989) });
  story.commit(story.create('a'));
  story.commit(
    story.put(1, ...[5, 1, 3, 'a'].map((id) => ({ id, vector, payload: long })), { id: 2, vector }, { id: 'b', vector }),
  );
  const page = (after: PointId | null, limit: number, bytesMax: number): PointId[] =>
    store.pointsAfter(1, after, limit, bytesMax).map(({ id }) => id);
  assert.is(Buffer.byteLength(long), 1_000);
  assert.equal(page(null, 10, 1e9), [1, 2, 3, 5, 'a', 'b']);
  assert.equal(page(null, 10, 1_000), [1]);
  assert.equal(page(null, 10, 1_001), [1, 2, 3]);
  assert.equal(page(null, 10, 0), [1]);
  assert.equal(page(1, 2, 1e9), [2, 3]);
  assert.equal(page(3, 10, 2_000), [5, 'a']);
  assert.equal(page('a', 10, 0), ['b']);
  assert.equal(page('b', 10, 1e9), []);
});

test.run();

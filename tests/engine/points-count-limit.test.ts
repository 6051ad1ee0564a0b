/** max_points_count of a strict mode: held where the count is known for sure, over a restart, and not in the way of what adds nothing. */

import * as assert from 'uvu/assert';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { SkeinError } from '../../src/model/errors.js';
import { wholeStrictMode } from '../../src/model/strict-mode.js';
import { openTestEngine, WAIT } from '../support/open-test-engine.js';
import { suite } from '../support/suite.js';

const test = suite('engine/points-count-limit');
const row = (id: number) => ({ id, vector: [id] });

test('no write brings a collection above its points, alone, with others, or in parts of a unit; replacing goes on', async (t) => {
  const folder = t.folder();
  let opened = await openTestEngine(folder);
  t.after(() => opened.engine.stop());
  const strictMode = wholeStrictMode({ enabled: true, maxPointsCount: 3 });
  const spec = { dimension: 1, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null, strictMode } as const;
  await opened.engine.write([{ kind: 'create_collection', collection: 'c', spec }], WAIT);
  const refused = async (...ids: number[]): Promise<unknown> => {
    try {
      await opened.put('c', ids.map(row));
      return null;
    } catch (error) {
      assert.instance(error, SkeinError);
      return (error as SkeinError).details['strict_mode'];
    }
  };
  assert.is(await refused(1, 2), null);
  assert.is(await refused(3, 4), 'max_points_count');
  assert.equal((await opened.engine.count('c')).count, 2, 'nothing of it was done');
  assert.is(await refused(1, 2, 3), null);
  await opened.engine.stop();
  opened = await openTestEngine(folder);
  assert.equal(opened.engine.strictness('c')?.mode, strictMode, 'kept');
  assert.is(await refused(1, 2, 3), null);
  assert.is(await refused(4), 'max_points_count');
  const both = await Promise.all([
    opened.engine.write([{ kind: 'delete', collection: 'c', ids: [1] }], WAIT),
    refused(5),
    refused(6),
  ]);
  assert.equal(both.slice(1).filter((each) => each === null).length, 1, 'two that come together are not both let in');
  const off = { enabled: false };
  await opened.engine.write([{ kind: 'update_collection', collection: 'c', change: { strictMode: off } }], WAIT);
  assert.is(opened.engine.strictness('c'), null);
  assert.is(await refused(7, 8, 9), null);
});

test.run();

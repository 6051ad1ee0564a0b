/** Other settings of what is indexed: who waits for them is answered when they serve, everybody else is told that they do not yet. */

import * as assert from 'uvu/assert';
import type { RunningEngine } from '../../src/engine/engine.js';
import { DEFAULT_HNSW, DEFAULT_TEXT } from '../../src/model/collection.js';
import { openTestEngine, SEARCH, WAIT } from '../support/open-test-engine.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/settings-change');
const POINTS = 2_000;

async function hits(engine: RunningEngine, text: string): Promise<number> {
  return (await engine.search('c', { ...SEARCH, text, limit: POINTS, cache: false })).hits.length;
}

test('a change of text fields is applied when it serves, and until then the collection says that it is rebuilt', async (t) => {
  const { engine, put } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const text = { ...DEFAULT_TEXT, fields: ['a'] };
  const spec = { dimension: 1, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null, text } as const;
  await engine.write([{ kind: 'create_collection', collection: 'c', spec }], WAIT);
  const long = Array.from({ length: 50 }, (_, i) => `word${i}`).join(' ');
  const points = Array.from({ length: POINTS }, (_, id) => ({
    id,
    vector: [id],
    payload: { a: `alpha ${long}`, b: `beta ${long}` },
  }));
  await put('c', points);
  const status = (): string => engine.collection('c').status;
  const declare = (field: string, wait: 'indexed' | 'durable'): Promise<unknown> =>
    engine.write([{ kind: 'update_collection', collection: 'c', change: { textFields: [field] } }], { ...WAIT, wait });

  await declare('b', 'durable');
  assert.is(status(), 'rebuilding');
  await waitUntil(() => status() === 'ready', { what: 'the new text field to serve' });
  assert.equal([await hits(engine, 'alpha'), await hits(engine, 'beta')], [0, POINTS]);

  await declare('a', 'indexed');
  assert.is(status(), 'ready');
  assert.equal([await hits(engine, 'alpha'), await hits(engine, 'beta')], [POINTS, 0]);

  // The one that is waited for is overtaken by another.
  await Promise.all([declare('a', 'indexed'), declare('b', 'indexed'), declare('a', 'indexed'), declare('b', 'indexed')]);
  assert.equal([status(), await hits(engine, 'alpha'), await hits(engine, 'beta')], ['ready', 0, POINTS]);
});

test.run();

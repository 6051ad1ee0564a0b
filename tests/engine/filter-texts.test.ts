/** Texts of filters that say nothing: refused wherever filters are taken, with their place. */

import * as assert from 'uvu/assert';
import { DEFAULT_HNSW, DEFAULT_TEXT } from '../../src/model/collection.js';
import { SkeinError } from '../../src/model/errors.js';
import type { Condition, Filter } from '../../src/model/filter.js';
import { openTestEngine, SEARCH, WAIT } from '../support/open-test-engine.js';
import { suite } from '../support/suite.js';

const test = suite('engine/filter-texts');

const text = (key: string, words: string): Condition => ({ kind: 'match_text', key, text: words });
const nested = (key: string, filter: Filter): Condition => ({ kind: 'nested', key, filter });

const SPEC = {
  dimension: 2,
  distance: 'euclid',
  hnsw: DEFAULT_HNSW,
  ttlMs: null,
  text: { ...DEFAULT_TEXT, fields: ['title', 'parts.note'] },
  payloadIndexes: [{ path: 'title', type: 'keyword' }],
} as const;

test('a text of stop words alone is refused by every reader of filters, and matched where it is no text field', async (t) => {
  const { engine, put } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  await engine.write([{ kind: 'create_collection', collection: 'c', spec: SPEC }], WAIT);
  await put('c', [{ id: 1, vector: [1, 2], payload: { title: 'the fox', other: 'the fox', parts: [{ note: 'and foxes' }] } }]);

  const filter: Filter = { must: [text('title', 'the')] };
  const vector = Float32Array.of(1, 2);
  const readers: Readonly<Record<string, (filter: Filter) => Promise<unknown>>> = {
    count: (filter) => engine.count('c', filter),
    scroll: (filter) => engine.scroll('c', { filter, limit: 1, after: null, withPayload: false, withVector: false }),
    facet: (filter) => engine.facet('c', { path: 'title', filter, limit: 1, exact: true }),
    delete: (filter) => engine.deleteByFilter('c', filter, WAIT),
    search: (filter) => engine.search('c', { ...SEARCH, vector, filter }),
    groups: (filter) => engine.searchGroups('c', { ...SEARCH, vector, filter, groupBy: 'title', groupSize: 1 }),
    recall: (filter) => engine.measureRecall('c', { sample: 1, limit: 1, filter }),
  };
  for (const [name, read] of Object.entries(readers)) assert.is(await refusedAt(read(filter)), 'must[0].match.text', name);

  const { count } = readers as { count: (filter: Filter) => Promise<{ count: number }> };
  const deep: Filter = {
    minShould: { conditions: [{ kind: 'filter', filter: { mustNot: [text('title', 'and of')] } }], minCount: 1 },
  };
  assert.is(await refusedAt(count(deep)), 'min_should.conditions[0].must_not[0].match.text');
  const inside: Filter = { should: [nested('parts', { must: [text('note', 'and')] })] };
  assert.is(await refusedAt(count(inside)), 'should[0].nested.filter.must[0].match.text');
  for (const taken of [text('title', 'the fox'), text('other', 'the'), nested('parts', { must: [text('note', 'the fox')] })])
    assert.is((await count({ must: [taken] })).count, 1);
});

async function refusedAt(answer: Promise<unknown>): Promise<unknown> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof SkeinError && error.type === 'InvalidFilter') return error.details['path'];
    throw error;
  }
  return 'it was taken';
}

test.run();

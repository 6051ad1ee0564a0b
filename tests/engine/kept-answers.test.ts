/** Kept answers and the settings that they were found by: an index that comes to serve others gives other answers without an entry. */

import * as assert from 'uvu/assert';
import { Catalogue, type CatalogueEntry } from '../../src/engine/catalogue.js';
import type { SearchAnswer, SearchRequest } from '../../src/engine/engine.js';
import type { IndexReport } from '../../src/engine/index-messages.js';
import { QueryCache } from '../../src/engine/query-cache.js';
import { DEFAULT_HNSW, DEFAULT_TEXT, NOTHING_DECLARED } from '../../src/model/collection.js';
import { indexReport } from '../support/index-report.js';
import { SEARCH } from '../support/open-test-engine.js';
import { suite } from '../support/suite.js';

const test = suite('engine/kept-answers');
const REQUEST: SearchRequest = { ...SEARCH, cache: true, text: 'red' };
const ANSWER: SearchAnswer = {
  hits: [],
  complete: true,
  mode: 'text',
  degraded: false,
  tookMs: 1,
  position: { historyId: '11'.repeat(16), epoch: 1, seq: 9 },
};
const reportOf = (configurations: number): IndexReport => indexReport({ engine: 'text', nextLabel: 1, configurations });

function start(): { catalogue: Catalogue; cache: QueryCache; entry: CatalogueEntry } {
  const catalogue = new Catalogue();
  const text = { ...DEFAULT_TEXT, fields: ['title'] };
  catalogue.take(
    {
      uid: 1,
      name: 'c',
      spec: { dimension: 2, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null, createdAtMs: 1, ...NOTHING_DECLARED, text },
      nextLabel: 1,
      labelGeneration: 0,
      createdSeq: 1,
      lastSeq: 9,
      pointsCount: 1,
      dataBytes: 10,
      digest: new Uint8Array(16),
      droppedSeq: null,
    },
    0,
  );
  catalogue.report(reportOf(0));
  return { catalogue, cache: new QueryCache(1_000_000), entry: catalogue.get('c') };
}

/** Looks, and keeps an answer when there is none. @param meanwhile while it is looked for */
function ask({ cache, entry }: Pick<ReturnType<typeof start>, 'cache' | 'entry'>, meanwhile?: () => void): 'kept' | 'new' {
  const found = cache.find(entry, REQUEST);
  if ('answer' in found) return 'kept';
  meanwhile?.();
  if (found.place !== null) cache.put(entry, found.place, ANSWER);
  return 'new';
}

test('an answer is found again while the same settings serve', () => {
  const rig = start();
  assert.equal([ask(rig), ask(rig)], ['new', 'kept']);
  rig.catalogue.report({ ...reportOf(0), seq: 9, replayMs: 5 });
  assert.is(ask(rig), 'kept');
});

test('an answer that was looked for while the settings changed is not found by the new ones', () => {
  const rig = start();
  assert.is(
    ask(rig, () => rig.catalogue.report(reportOf(1))),
    'new',
  );
  assert.is(ask(rig), 'new');
});

test('a worker that counts anew does not bring back what was kept before', () => {
  const rig = start();
  assert.is(ask(rig), 'new');
  rig.catalogue.report(reportOf(1));
  assert.is(ask(rig), 'new');
  rig.catalogue.lost(1, 'text');
  rig.catalogue.report(reportOf(0));
  assert.is(ask(rig), 'new');
});

test.run();

/** The pool of index workers at its door: what is opened again does not hear what was there before it. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { IndexedCollection, IndexReport } from '../../src/engine/index-messages.js';
import { IndexPool } from '../../src/engine/index-pool.js';
import { systemClock } from '../../src/model/clock.js';
import { silentLog } from '../../src/model/log.js';
import { pointBlock } from '../support/open-test-engine.js';
import { TEST_CACHE } from '../support/open-test-store.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { writtenStore } from '../support/written-store.js';

const test = suite('engine/index-pool');
/** A graph, which is worth a checkpoint. */
const POINTS = 1_300;

test('an index that was closed while it saved reports nothing to the one that was opened in its place', async (t) => {
  const random = new Random(t.seed());
  const { path: storePath, uid, spec, write } = writtenStore(t, 4);
  const points = Array.from({ length: POINTS }, (_, id) => ({ id, vector: random.vector(4) }));
  write({ kind: 'upsert', collection: 'c', points: pointBlock(points) });
  const collection: IndexedCollection = { uid, labelGeneration: 0, spec, folder: join(t.folder(), 'checkpoints', 'default') };
  const reports: IndexReport[] = [];
  const pool = new IndexPool({
    workers: 1,
    data: { storePath, cacheBytes: TEST_CACHE.cacheBytes, engine: 'vector' },
    queueMax: 10,
    queueWaitMs: 0,
    clock: systemClock,
    log: silentLog,
    events: {
      report: (report) => reports.push(report),
      lost: (lost) => assert.unreachable(`collection ${lost} was lost`),
      fatal: (reason) => assert.unreachable(reason),
      refused: (record) => record,
    },
  });
  t.after(() => pool.stop());
  pool.open(collection);
  pool.advance([uid]);
  const placed = (): boolean => reports.some(({ phase, status }) => phase === 'ready' && status.waiting === 0);
  await waitUntil(placed, { what: 'the graph to have all points', deadlineMs: 20_000 });

  reports.length = 0;
  pool.checkpoint(uid);
  pool.close(uid);
  pool.open(collection);
  pool.advance([uid]);
  await waitUntil(placed, { what: 'the second graph to have all points', deadlineMs: 20_000 });
  assert.equal(
    reports.filter(({ saving, checkpointBytes }) => saving || checkpointBytes > 0),
    [],
  );
  assert.is(reports[0]?.phase, 'building');
});

test.run();

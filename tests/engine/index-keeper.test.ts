/** The keeper of the indexes: what it says of several engines together. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Catalogue } from '../../src/engine/catalogue.js';
import { UNGUARDED } from '../../src/engine/engine-guards.js';
import { IndexKeeper } from '../../src/engine/index-keeper.js';
import { systemClock } from '../../src/model/clock.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { silentLog } from '../../src/model/log.js';
import { TEST_CACHE } from '../support/open-test-store.js';
import { suite } from '../support/suite.js';
import { writtenStore } from '../support/written-store.js';

const test = suite('engine/index-keeper');

test('a collection settles when the indexes of all engines have, also when one of them is lost before', async (t) => {
  const { path: storePath, uid } = writtenStore(t, 2);
  const keeper = new IndexKeeper({
    workers: 1,
    data: { storePath, cacheBytes: TEST_CACHE.cacheBytes },
    checkpointsDir: join(t.folder(), 'checkpoints'),
    limits: DEFAULT_LIMITS,
    log: silentLog,
    clock: systemClock,
    catalogue: new Catalogue(),
    guards: UNGUARDED,
    onFatal: (reason) => assert.unreachable(reason),
    onRefused: (record) => record,
  });
  t.after(() => keeper.stop(0));
  let finish = (): void => {};
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  keeper.pool('vector').settle = () => slow;
  keeper.pool('text').settle = () => Promise.reject(new Error('it is lost'));
  let outcome = 'not over';
  const settled = keeper.settle(uid).catch((error: Error) => {
    outcome = error.message;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(outcome, 'not over');
  finish();
  await settled;
  assert.is(outcome, 'it is lost');
});

test.run();

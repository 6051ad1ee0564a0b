/** A refusal for damage says which point of which collection it is, whoever meets it; and no id that is not sure. */

import * as assert from 'uvu/assert';
import { placedDamage } from '../../src/engine/damage-place.js';
import type { RunningEngine } from '../../src/engine/engine.js';
import { type ErrorRecord, SkeinError } from '../../src/model/errors.js';
import type { Filter } from '../../src/model/filter.js';
import { loadDriver } from '../../src/storage/driver.js';
import { openReader } from '../../src/storage/open-store.js';
import { openTestEngine, SEARCH, type TestEngine, type TestPoint } from '../support/open-test-engine.js';
import { TEST_CACHE } from '../support/open-test-store.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/damage-place', { deadlineMs: 60_000 });
const KEY = 2 ** 31;
const POINTS: readonly TestPoint[] = Array.from({ length: 8 }, (_, i) => ({
  id: `point ${i}`,
  vector: [i + 1, i % 3, 1],
  payload: { text: `text ${i}` },
}));

interface Opened extends TestEngine {
  /** Runs SQL on a connection of its own. */
  damage(sql: string): void;
}

async function open(t: TestContext): Promise<Opened> {
  const opened = await openTestEngine(t.folder());
  t.after(() => opened.engine.stop());
  await opened.create('other', 3);
  await opened.create('c', 3);
  await opened.put('c', POINTS);
  return {
    ...opened,
    damage: (sql) => {
      const db = new (loadDriver())(opened.storePath);
      db.exec(sql);
      db.close();
    },
  };
}

async function refusalOf(work: Promise<unknown>): Promise<ErrorRecord> {
  const error = await work.then(
    () => assert.unreachable('it was answered'),
    (thrown: unknown) => thrown,
  );
  assert.instance(error, SkeinError);
  return (error as SkeinError).toRecord();
}

const WHOLE = { withPayload: true, withVector: true } as const;
const FILTER: Filter = { must: [{ kind: 'match_value', key: 'text', value: 'text 5' }] };

function placeOf({ type, details: { collection, point_id: id, table, collection_uid: uid, label } }: ErrorRecord): unknown[] {
  return [type, collection, id, table, uid, label];
}

const reads = (engine: RunningEngine) => ({
  get: () => engine.get('c', ['point 5'], WHOLE),
  scroll: () => engine.scroll('c', { limit: 100, after: null, ...WHOLE }),
  search: () => engine.search('c', { ...SEARCH, vector: Float32Array.of(6, 2, 1), limit: 8, ...WHOLE }),
});

for (const [what, table, sql] of [
  ['payload', 'points', `UPDATE points SET payload = x'7b7d' WHERE uid = 2 AND key % ${KEY} = 5`],
  ['vector', 'vectors', `UPDATE vectors SET crc = crc + 1 WHERE key = 2 * ${KEY} + 5`],
  ['head', 'points', `UPDATE points SET content_hash = zeroblob(16) WHERE uid = 2 AND key % ${KEY} = 5`],
] as const) {
  test(`reads and writes that meet a damaged ${what} name the collection and the point`, async (t) => {
    const { engine, damage, put, remove } = await open(t);
    damage(sql);
    const wanted = ['CorruptData', 'c', 'point 5', table, 2, 5];
    for (const [name, read] of Object.entries(reads(engine))) {
      const refusal = await refusalOf(read());
      assert.equal(placeOf(refusal), wanted, name);
      assert.match(refusal.message, /point "point 5" of collection 'c'/);
    }
    assert.equal(placeOf(await refusalOf(put('c', [{ id: 'point 5', vector: [1, 1, 1], payload: {} }]))), wanted);
    assert.equal(placeOf(await refusalOf(remove('c', ['point 5']))), wanted);
  });
}

test('a scan in its thread names them too', async (t) => {
  const { engine, damage } = await open(t);
  damage(`UPDATE points SET payload = x'7b7d' WHERE uid = 2 AND key % ${KEY} = 5`);
  const refusal = await refusalOf(engine.scroll('c', { limit: 2, after: null, filter: FILTER, ...WHOLE }));
  assert.equal(placeOf(refusal), ['CorruptData', 'c', 'point 5', 'points', 2, 5]);
});

test('an id of which the row itself is not sure is not told', async (t) => {
  const { engine, damage, storePath } = await open(t);
  await engine.stop();
  // The row says another id than the index of ids, which keeps leading to it by the old one.
  damage(
    `UPDATE points SET id = (SELECT id FROM points WHERE uid = 2 AND key % ${KEY} = 6), dead_seq = 1 WHERE uid = 2 AND key % ${KEY} = 5`,
  );
  const store = openReader(storePath, TEST_CACHE);
  t.after(() => store.close());
  const record: ErrorRecord = {
    type: 'CorruptData',
    message: 'a row',
    details: { table: 'points', collection_uid: 2, label: 5 },
  };
  assert.equal(placeOf(placedDamage(record, () => 'c', store)), ['CorruptData', 'c', null, 'points', 2, 5]);
});

test('what is no damage of a known collection stays as it is', async (t) => {
  const { storePath } = await open(t);
  const store = openReader(storePath, TEST_CACHE);
  t.after(() => store.close());
  for (const record of [
    { type: 'Timeout', message: 'late', details: { collection_uid: 2, label: 5 } },
    { type: 'CorruptData', message: 'a page', details: { code: 'SQLITE_CORRUPT' } },
    { type: 'CorruptData', message: 'a log row', details: { table: 'log', seq: 3 } },
  ] as const)
    assert.is(
      placedDamage(record, () => 'c', store),
      record,
    );
  const dropped: ErrorRecord = { type: 'CorruptData', message: 'a row', details: { collection_uid: 9, label: 5 } };
  assert.is(
    placedDamage(dropped, () => null, store),
    dropped,
  );
  const page: ErrorRecord = {
    type: 'CorruptData',
    message: 'sums',
    details: { table: 'digest_pages', collection_uid: 2, page: 1 },
  };
  assert.equal(placedDamage(page, () => 'c', store).details, {
    collection: 'c',
    table: 'digest_pages',
    collection_uid: 2,
    page: 1,
  });
});

test.run();

/** Care for the store: what is damaged is found and named, and written over with nothing but what is proven to have stood there. */

import * as assert from 'uvu/assert';
import { contentHash } from '../../src/codec/digest.js';
import { encodePointId } from '../../src/codec/point-id.js';
import { type CompareOf, decodeValues } from '../../src/engine/compare.js';
import type { RunningEngine } from '../../src/engine/engine.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import type { Damage } from '../../src/model/damage.js';
import { SkeinError } from '../../src/model/errors.js';
import { loadDriver } from '../../src/storage/driver.js';
import { POINT_HEAD } from '../../src/storage/point-row.js';
import { columnChecksum, rowChecksum } from '../../src/storage/row-checksum.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { openTestEngine, SEARCH, type TestEngine, type TestPoint, WAIT } from '../support/open-test-engine.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/store-care', { deadlineMs: 60_000 });
const COUNT = 60;
const KEY = 2 ** 31;

const points: readonly TestPoint[] = Array.from({ length: COUNT }, (_, i) => ({
  id: i,
  vector: [i + 1, i % 7, 1],
  payload: { text: `point ${i}` },
}));

interface Opened extends TestEngine {
  readonly folder: string;
  /** Runs SQL on a connection of its own. */
  damage(sql: string): void;
}

async function open(t: TestContext, folder = t.folder(), fill = true): Promise<Opened> {
  const opened = await openTestEngine(folder);
  t.after(() => opened.engine.stop());
  t.after(() => assert.equal(opened.fatal, []));
  if (fill) await opened.create('c', 3);
  if (fill) for (let at = 0; at < COUNT; at += 20) await opened.put('c', points.slice(at, at + 20));
  return {
    ...opened,
    folder,
    damage: (sql) => {
      const db = new (loadDriver())(opened.storePath);
      db.exec(sql);
      db.close();
    },
  };
}

function livePoints({ storePath }: Opened): unknown {
  const db = new (loadDriver())(storePath, { readonly: true });
  const count = db.prepare('SELECT count(*) FROM points WHERE dead_seq IS NULL').pluck().get();
  db.close();
  return count;
}

/** Everything that a whole pass finds. */
async function pass({ care }: RunningEngine): Promise<Damage[]> {
  const found: Damage[] = [];
  for (const start of care.places()) {
    for (let place: ReturnType<typeof care.places>[number] | null = start; place !== null; ) {
      const page: Awaited<ReturnType<typeof care.scrub>> = await care.scrub(place);
      found.push(...page.damage);
      place = page.next;
    }
  }
  return found;
}

async function valueOfPoint(engine: RunningEngine, id: number): Promise<Uint8Array> {
  const ask: CompareOf<'values'> = { kind: 'values', uid: 1, ids: [id], throughSeq: 1_000 };
  return (await engine.compare(ask)).values;
}

async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return null;
  } catch (error) {
    return error instanceof SkeinError ? (error.details['reason'] ?? error.type) : error;
  }
}

async function only(engine: RunningEngine): Promise<Damage> {
  const found = await pass(engine);
  assert.is(found.length, 1, JSON.stringify(found));
  return found[0] as Damage;
}

test('a damaged payload, vector set and head are found, and mended with what stood there and nothing else', async (t) => {
  const { engine, damage, storePath } = await open(t);
  assert.equal(await pass(engine), []);
  const { digest } = engine.log.state();
  const [right, wrong] = [await valueOfPoint(engine, 17), await valueOfPoint(engine, 18)];
  const cases = [
    ['payload', `UPDATE points SET payload = CAST(replace(payload, 'point', 'poinT') AS BLOB) WHERE key % ${KEY} = 17`],
    [
      'vectors',
      `UPDATE vectors SET vector_set = CAST(substr(vector_set, 1, length(vector_set) - 1) || x'77' AS BLOB) WHERE key % ${KEY} = 17`,
    ],
    ['vectors', `DELETE FROM vectors WHERE key % ${KEY} = 17`],
    ['head', `UPDATE points SET content_hash = zeroblob(16) WHERE key % ${KEY} = 17`],
    ['head', `UPDATE points SET payload_crc = payload_crc + 1 WHERE key % ${KEY} = 17`],
  ] as const;
  for (const [kind, sql] of cases) {
    damage(sql);
    const found = await only(engine);
    assert.equal([found.kind, found.label, found.id], [kind, 17, 17], sql);
    assert.is(await reasonOf(engine.care.mend({ kind: 'point', uid: 1, label: 17, value: wrong })), 'unproven', sql);
    assert.is(await reasonOf(engine.care.mend({ kind: 'point', uid: 1, label: 17, value: right.subarray(1) })), 'values', sql);
    assert.equal(await engine.care.look(found), found, 'nothing was changed');
    await engine.care.mend({ kind: 'point', uid: 1, label: 17, value: right });
    await engine.care.show(1);
    assert.is(await engine.care.look(found), null, sql);
  }
  const read = await engine.get('c', [17], { withPayload: true, withVector: true });
  assert.is(Buffer.from(read.points[0]?.payload ?? []).toString(), '{"text":"point 17"}');
  assert.equal(engine.log.state().digest, digest);
  await engine.stop();
  assert.equal(verifyStore(storePath, 'full').findings, []);
});

test('a head is not mended with what fits its checksum alone: the digest must ask for it', async (t) => {
  const { engine, damage, storePath } = await open(t);
  const right = await valueOfPoint(engine, 17);
  const forged = Uint8Array.from(right);
  forged[forged.length - 3] = (forged.at(-3) ?? 0) ^ 1;
  const db = new (loadDriver())(storePath, { readonly: true });
  const cells = db.prepare(`SELECT ${POINT_HEAD} FROM points WHERE key % ${KEY} = 17`).raw().get() as unknown[];
  db.close();
  const [value] = decodeValues(forged);
  assert.ok(value !== undefined);
  const { version, expiresAtMs, vectorSet, payload } = value;
  const idBytes = encodePointId(17);
  const hash = contentHash({ uid: 1, idBytes, version, expiresAtMs, vectorSet, payload });
  const numbers = [...cells.slice(0, 7), columnChecksum(payload)] as (number | null)[];
  damage(`UPDATE points SET crc = ${rowChecksum(numbers, [idBytes, hash])} WHERE key % ${KEY} = 17`);
  const found = await only(engine);
  assert.equal([found.kind, found.id], ['head', 17]);
  assert.is(await reasonOf(engine.care.mend({ kind: 'point', uid: 1, label: 17, value: forged })), 'unproven');
  assert.equal(await engine.care.look(found), found);
});

test('the own log has what stood there, as long as it goes back so far', async (t) => {
  const { engine, damage } = await open(t);
  damage(`UPDATE points SET payload = x'7b7d' WHERE key % ${KEY} = 17`);
  const { id, version } = await only(engine);
  assert.ok(id !== null && version !== null);
  assert.is(await engine.care.logged({ uid: 1, id, version: version + 1 }), null);
  assert.is(await engine.care.logged({ uid: 2, id, version }), null);
  const value = await engine.care.logged({ uid: 1, id, version });
  assert.ok(value !== null);
  await engine.care.mend({ kind: 'point', uid: 1, label: 17, value });
  assert.equal(await pass(engine), []);
});

test('a damaged row that is dead costs nothing: neither an index nor a search is less for it', async (t) => {
  const first = await open(t);
  await first.put('c', [{ id: 17, vector: [500, 1, 1], payload: {} }]);
  await first.engine.stop();
  first.damage(`UPDATE points SET prev_label = 5 WHERE key % ${KEY} = 17 AND dead_seq IS NOT NULL`);
  const { engine } = await open(t, first.folder, false);
  assert.equal(await pass(engine), []);
  const { complete, hits } = await engine.search('c', { ...SEARCH, vector: Float32Array.of(500, 1, 1), limit: COUNT });
  assert.equal([complete, hits.length, hits[0]?.id], [true, COUNT, 17]);
});

test('a write to a damaged point is refused, and no more than that', async (t) => {
  const { engine, damage, put, remove } = await open(t);
  for (const sql of [
    `DELETE FROM vectors WHERE key % ${KEY} = 17`,
    `UPDATE points SET payload = x'7b7d' WHERE key % ${KEY} = 18`,
    `UPDATE points SET content_hash = zeroblob(16) WHERE key % ${KEY} = 19`,
  ])
    damage(sql);
  for (const id of [17, 18, 19]) {
    assert.is(await reasonOf(put('c', [{ id, vector: [1, 2, 3], payload: {} }])), 'CorruptData');
    assert.is(await reasonOf(remove('c', [id])), 'CorruptData');
  }
  await put('c', [{ id: 20, vector: [1, 2, 3], payload: {} }]);
  assert.is((await pass(engine)).length, 3);
});

test('a head of which the place in the log is gone cannot be proven, and is left alone', async (t) => {
  const { engine, damage } = await open(t);
  const right = await valueOfPoint(engine, 17);
  damage(`UPDATE points SET prev_label = 3 WHERE key % ${KEY} = 17`);
  const found = await only(engine);
  assert.is(found.kind, 'head');
  assert.is(await reasonOf(engine.care.mend({ kind: 'point', uid: 1, label: 17, value: right })), 'unproven');
  assert.equal(await engine.care.look(found), found);
});

test('entries of the log are mended when the chain of hashes proves them', async (t) => {
  const { engine, damage, storePath } = await open(t);
  const { seq } = engine.log.state();
  const entries = engine.log.read(1, 100, 1e9).map(({ entry }) => entry);
  const runs = [
    ['UPDATE log SET entry = zeroblob(length(entry)) WHERE seq = 2', 2, 2],
    ['UPDATE log SET crc = crc + 1 WHERE seq IN (2, 3)', 2, 3],
    ['DELETE FROM log WHERE seq = 1', 1, 1],
    [`UPDATE log SET chain_hash = zeroblob(32) WHERE seq = ${seq}`, seq, seq],
  ] as const;
  for (const [sql, first, last] of runs) {
    damage(sql);
    const found = await only(engine);
    assert.equal([found.kind, found.seq, found.lastSeq], ['log', first, last], sql);
    const bad = entries.slice(first - 1, last).map((entry) => Uint8Array.from(entry));
    const body = bad.at(-1) as Uint8Array;
    body[body.length - 1] = (body.at(-1) ?? 0) ^ 1;
    assert.is(await reasonOf(engine.care.mend({ kind: 'log', fromSeq: first, entries: bad })), 'unproven', sql);
    await engine.care.mend({ kind: 'log', fromSeq: first, entries: entries.slice(first - 1, last) });
    assert.is(await engine.care.look(found), null, sql);
  }
  await engine.stop();
  assert.equal(verifyStore(storePath, 'full').findings, []);
});

test('digest pages are counted anew from the points', async (t) => {
  const { engine, damage, storePath } = await open(t);
  damage('UPDATE digest_pages SET sums = zeroblob(1024) WHERE key % 64 IN (3, 4)');
  const found = await pass(engine);
  assert.equal(
    found.map(({ kind }) => kind),
    found.map(() => 'digest_page'),
  );
  assert.ok(found.length > 0);
  await engine.care.recount(1);
  assert.equal(await pass(engine), []);
  await engine.stop();
  assert.equal(verifyStore(storePath, 'full').findings, []);
});

test('an index that is built over a damaged row finds all others and says what it lacks, until it is mended', async (t) => {
  const first = await open(t);
  const [right, newest] = [await valueOfPoint(first.engine, 17), await valueOfPoint(first.engine, COUNT - 1)];
  await first.engine.stop();
  // The newest one too, behind which an index finds nothing that tells how far it has come.
  first.damage(`UPDATE vectors SET crc = crc + 1 WHERE key % ${KEY} IN (17, ${COUNT - 1})`);
  const { engine } = await open(t, first.folder, false);
  const search = { ...SEARCH, vector: Float32Array.from(points[17]?.vector ?? []), limit: COUNT };
  const broken = await engine.search('c', search);
  assert.equal([broken.complete, broken.hits.length, engine.care.unread()], [false, COUNT - 2, [1]]);
  assert.match(broken.incompleteReason ?? '', /2 points are damaged/);
  await engine.care.mend({ kind: 'point', uid: 1, label: COUNT - 1, value: newest });
  await engine.care.mend({ kind: 'point', uid: 1, label: 17, value: right });
  await engine.care.show(1);
  const whole = await engine.search('c', search);
  assert.equal([whole.complete, whole.hits.length, whole.hits[0]?.id], [true, COUNT, 17]);
});

test('damage that keeps points from expiring is told', async (t) => {
  const spec = { dimension: 3, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: 1_500 } as const;
  let first: Opened;
  do {
    first = await open(t, t.folder(), false);
    await first.engine.write([{ kind: 'create_collection', collection: 'c', spec }], WAIT);
    await first.put('c', points.slice(0, 1));
    await first.engine.stop();
    // On a machine that stood still the point has expired already.
  } while (livePoints(first) === 0);
  first.damage('UPDATE digest_pages SET crc = crc + 1');
  const { engine } = await open(t, first.folder, false);
  const told: Damage[] = [];
  engine.care.onDamage((damage) => told.push(damage));
  await waitUntil(() => told.length > 0, { what: 'the sweep to meet the damage', deadlineMs: 20_000 });
  assert.equal([told[0]?.kind, told[0]?.collectionUid], ['digest_page', 1]);
});

test('idempotency keys and the small tables are read too', async (t) => {
  const { engine, damage } = await open(t);
  damage("UPDATE lineage SET history_id = 'x'");
  assert.equal(
    (await pass(engine)).map(({ kind, table }) => [kind, table]),
    [['table', 'lineage']],
  );
});

test.run();

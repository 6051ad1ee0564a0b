/** What is left when a part of the engine fails: every caller is answered, a stop comes to its end, and nothing stays open.
 *  That the server's process ends then is tests/faults/lost-thread.test.ts. */

import * as assert from 'uvu/assert';
import type { RunningEngine } from '../../src/engine/engine.js';
import type { SkeinError } from '../../src/model/errors.js';
import { loadDriver } from '../../src/storage/driver.js';
import { rowChecksum } from '../../src/storage/row-checksum.js';
import { openTestEngine, pointBlock, type TestPoint, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('engine/failing-parts');
/** Of the first label of the first collection. */
const KEY = 2 ** 31;
const PATIENT = { wait: 'indexed', timeoutMs: 120_000 } as const;

/** As another process would: the engine's own connections know nothing of it. */
function change(storePath: string, sql: string): void {
  const db = new (loadDriver())(storePath);
  db.exec(sql);
  db.close();
}

async function refusal(work: Promise<unknown>): Promise<SkeinError> {
  try {
    await work;
  } catch (error) {
    return error as SkeinError;
  }
  throw new Error('it was not refused');
}

const put = (engine: RunningEngine, points: readonly TestPoint[]): Promise<unknown> =>
  engine.write([{ kind: 'upsert', collection: 'c', points: pointBlock(points) }], PATIENT);

test('a write thread that fails leaves no write without an answer, and the engine stops', async (t) => {
  const { engine, storePath, create, fatal } = await openTestEngine(t.folder());
  await create('c', 2);
  await put(engine, [{ id: 1, vector: [1, 1] }]);
  change(storePath, "CREATE TRIGGER broken BEFORE INSERT ON vectors BEGIN SELECT RAISE(ABORT, 'it is broken'); END");
  const open = [put(engine, [{ id: 1, vector: [2, 2] }]), put(engine, [{ id: 2, vector: [3, 3] }])];
  const [first, second] = await Promise.all(open.map(refusal));
  assert.equal([first?.type, second?.type], ['Internal', 'Internal']);
  assert.match(first?.message ?? '', /write thread ended/);
  assert.is(fatal.length, 1);
  assert.is((await refusal(put(engine, [{ id: 3, vector: [4, 4] }]))).type, 'ShuttingDown');
  assert.equal(engine.status().writeQueue, { requests: 0, bytes: 0 });
  await engine.stop();
});

test('an index worker that fails ends the waits for it and refuses searches, and the engine stops', async (t) => {
  const { engine, storePath, create, nearest, fatal } = await openTestEngine(t.folder());
  await create('c', 2);
  await put(engine, [{ id: 1, vector: [1, 1] }]);
  // A damaged row is passed over; of this one no checksum tells, and no index can take it.
  const crc = rowChecksum([KEY + 1], [Uint8Array.of(0)]);
  const set = `UPDATE vectors SET vector_set = x'00', crc = ${crc} WHERE key = new.key`;
  change(storePath, `CREATE TRIGGER broken AFTER INSERT ON vectors BEGIN ${set}; END`);
  const late = await refusal(put(engine, [{ id: 2, vector: [2, 2] }]));
  assert.is(late.type, 'Timeout');
  assert.is(late.details['state'], 'durable');
  assert.is((await refusal(nearest('c', [1, 1], 1))).type, 'SearchUnavailable');
  assert.is(fatal.length, 1);
  assert.match(fatal[0] ?? '', /index worker failed/);
  await engine.stop();
});

test('an index that cannot be brought level at the start fails the start, which leaves nothing open', async (t) => {
  const folder = t.folder();
  const first = await openTestEngine(folder);
  await first.create('c', 2);
  await put(first.engine, [{ id: 1, vector: [1, 1] }]);
  await first.engine.stop();
  const db = new (loadDriver())(first.storePath, { readonly: true });
  const kept = db.prepare('SELECT vector_set FROM vectors').pluck().get() as Buffer;
  db.close();
  const setTo = (bytes: Buffer): string =>
    `UPDATE vectors SET vector_set = x'${bytes.toString('hex')}', crc = ${rowChecksum([KEY], [bytes])}`;
  // No checksum tells of it, and no index can take it.
  change(first.storePath, setTo(Buffer.of(0)));
  assert.match((await refusal(openTestEngine(folder))).message, /index worker failed/);
  change(first.storePath, setTo(kept));
  const second = await openTestEngine(folder);
  t.after(() => second.engine.stop());
  assert.equal(await second.nearest('c', [1, 1], 2), [{ id: 1, score: 0 }]);
});

test('whatever becomes of a write, its place in the queue is free again and the next one takes the next seq', async (t) => {
  const { engine, create } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { seq } = await create('c', 64);
  const random = new Random(t.seed());
  const points = pointBlock(Array.from({ length: 500 }, (_, id) => ({ id, vector: random.vector(64) })));
  const upsert = { kind: 'upsert', collection: 'c', points } as const;
  const absent = { kind: 'delete', collection: 'absent', ids: [1] } as const;
  assert.is((await refusal(engine.write([upsert, absent], WAIT))).type, 'CollectionNotFound');
  assert.equal(engine.status().writeQueue, { requests: 0, bytes: 0 });
  // The buffers were given away with the first try, so this one cannot even be sent.
  await refusal(engine.write([upsert], WAIT));
  assert.equal(engine.status().writeQueue, { requests: 0, bytes: 0 });
  await put(engine, [{ id: 1, vector: random.vector(64) }]);
  assert.is(engine.position().seq, seq + 1);
});

test('a wait for the index of a collection that is dropped meanwhile ends with the news that it is gone', async (t) => {
  const { engine, create } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  await create('c', 64);
  const random = new Random(t.seed());
  const points = pointBlock(Array.from({ length: 4_000 }, (_, id) => ({ id, vector: random.vector(64) })));
  const { position } = await engine.write([{ kind: 'upsert', collection: 'c', points }], { ...WAIT, wait: 'durable' });
  const waiting = refusal(engine.waitFor(position, 'indexed', 'c', 20_000));
  await engine.write([{ kind: 'delete_collection', collection: 'c' }], WAIT);
  assert.is((await waiting).type, 'CollectionNotFound');
});

test('below the watermark of free disk what gives space back is still taken', async (t) => {
  const folder = t.folder();
  const first = await openTestEngine(folder);
  await first.create('c', 2);
  const points = Array.from({ length: 6 }, (_, id) => ({ id, vector: [id, id], payload: { id } }));
  await put(first.engine, points);
  const { diskFreeBytes } = first.engine.status().storage;
  await first.engine.stop();
  const { engine, remove } = await openTestEngine(folder, { diskFreeBytesMin: 2 * diskFreeBytes });
  t.after(() => engine.stop());
  assert.is((await refusal(put(engine, points))).type, 'DiskLimitExceeded');
  await remove('c', [0]);
  const filter = { must: [{ kind: 'range', key: 'id', time: false, bounds: { lt: 3 } }] } as const;
  assert.equal((await engine.deleteByFilter('c', filter, WAIT)).results, [{ kind: 'delete', deleted: 2, units: 1 }]);
  assert.is((await engine.count('c')).count, 3);
  await engine.write([{ kind: 'delete_collection', collection: 'c' }], WAIT);
  assert.equal(engine.collections(), []);
});

test.run();

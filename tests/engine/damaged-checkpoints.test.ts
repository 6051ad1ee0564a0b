/** Damaged rows and checkpoints: a row that cannot be read costs its own point at every start, and no graph of its collection. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { CompareOf } from '../../src/engine/compare.js';
import type { RunningEngine } from '../../src/engine/engine.js';
import { folderOf } from '../../src/engine/opened-indexes.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { type Log, silentLog } from '../../src/model/log.js';
import type { NewCollection } from '../../src/model/operation.js';
import type { DenseVector } from '../../src/model/point.js';
import { loadDriver } from '../../src/storage/driver.js';
import { dense, type NamedPoint, namedBlock } from '../support/named-points.js';
import { openTestEngine, SEARCH, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/damaged-checkpoints', { deadlineMs: 120_000 });
const KEY = 2 ** 31;
const POINTS = 1_100;
/** The one that is damaged; it has no default vector where others have named ones. */
const LABEL = 600;
const SETTINGS = { hnsw: { ...DEFAULT_HNSW, efConstruct: 30 }, quantization: null };
const PLAIN: NewCollection = { dimension: 3, distance: 'euclid', hnsw: SETTINGS.hnsw, ttlMs: null };
const OTHER = { name: 'other', dimension: 3, distance: 'euclid', ...SETTINGS } as const;
const NAMED: NewCollection = { ...PLAIN, vectors: [OTHER] };
const TWO_NAMED: NewCollection = { ...PLAIN, dimension: null, distance: null, vectors: [OTHER, { ...OTHER, name: 'one' }] };

interface Started extends TestEngine {
  /** Of checkpoints, in their order. */
  readonly events: string[];
}

async function started(t: TestContext, folder: string): Promise<Started> {
  const events: string[] = [];
  const note: Log['info'] = (event, fields = {}) => {
    if (event.startsWith('index_checkpoint'))
      events.push(event === 'index_checkpoint_refused' ? `${event} ${fields['reason']}` : event);
  };
  const log: Log = { ...silentLog, debug: note, info: note, warn: note, error: note };
  const rig = await openTestEngine(folder, {}, 'master', 0, { log });
  t.after(() => rig.engine.stop());
  return { ...rig, events };
}

async function filled(t: TestContext, folder: string, spec: NewCollection): Promise<Started> {
  const random = new Random(t.seed());
  const rig = await started(t, folder);
  await rig.engine.write([{ kind: 'create_collection', collection: 'c', spec }], WAIT);
  const points = Array.from({ length: POINTS }, (_, id): NamedPoint => {
    const vectors = new Map<string, DenseVector>();
    if (spec.dimension !== null && (spec === PLAIN || id !== LABEL)) vectors.set('', dense(random.vector(3)));
    for (const { name } of spec.vectors ?? []) vectors.set(name, dense(random.vector(3)));
    return { id, vectors };
  });
  await rig.engine.write([{ kind: 'upsert', collection: 'c', points: namedBlock(points, 3) }], WAIT);
  await whole(rig.engine);
  return rig;
}

async function whole(engine: RunningEngine): Promise<void> {
  const isWhole = (): boolean => engine.collection('c').status === 'ready' && engine.status().index.waitingBytes === 0;
  await waitUntil(isWhole, { what: 'the graphs to be whole', deadlineMs: 60_000 });
}

function damage({ storePath }: TestEngine, sql: string): void {
  const db = new (loadDriver())(storePath);
  db.exec(sql);
  db.close();
}

async function found(engine: RunningEngine, using: string): Promise<{ complete: boolean; ids: Set<unknown>; reason: string }> {
  const ask = { ...SEARCH, vector: Float32Array.of(0, 0, 0), limit: POINTS, exact: true, cache: false };
  const { complete, hits, incompleteReason } = await engine.search('c', { ...ask, ...(using === '' ? {} : { using }) });
  return { complete, ids: new Set(hits.map(({ id }) => id)), reason: incompleteReason ?? '' };
}

test('a damaged vector row of a point without a default vector takes no checkpoint with it, and is whole again once it is mended', async (t) => {
  const folder = t.folder();
  const first = await filled(t, folder, NAMED);
  const ask: CompareOf<'values'> = { kind: 'values', uid: 1, ids: [LABEL], throughSeq: 1_000 };
  const { values: value } = await first.engine.compare(ask);
  await first.engine.stop();
  damage(first, `UPDATE vectors SET crc = crc + 1 WHERE key % ${KEY} = ${LABEL}`);
  const { engine, events } = await started(t, folder);
  await whole(engine);
  assert.equal(events, ['index_checkpoint_loaded']);
  const own = await found(engine, '');
  assert.equal([own.complete, own.ids.size], [false, POINTS - 1]);
  assert.match(own.reason, /1 points are damaged/);
  const other = await found(engine, 'other');
  assert.equal([other.complete, other.ids.size >= POINTS - 1], [false, true]);
  await engine.care.mend({ kind: 'point', uid: 1, label: LABEL, value });
  await engine.care.show(1);
  for (const using of ['', 'other']) {
    const { complete, ids } = await found(engine, using);
    assert.equal([complete, ids.size], [true, using === '' ? POINTS - 1 : POINTS]);
  }
});

for (const [what, sql] of [
  ['vectors', `UPDATE vectors SET crc = crc + 1 WHERE key % ${KEY} = ${LABEL}`],
  ['head', `UPDATE points SET prev_label = 3 WHERE key % ${KEY} = ${LABEL}`],
] as const) {
  test(`a graph that was built without a point of damaged ${what} is saved, and serves the next start`, async (t) => {
    const folder = t.folder();
    const first = await filled(t, folder, PLAIN);
    await first.engine.stop();
    damage(first, sql);
    rmSync(join(folder, 'store-1', 'checkpoints'), { recursive: true });
    const second = await started(t, folder);
    await whole(second.engine);
    assert.equal((await found(second.engine, '')).ids.size, POINTS - 1);
    await second.engine.stop();
    assert.equal(second.events, ['index_checkpoint_completed']);
    const third = await started(t, folder);
    await whole(third.engine);
    const { complete, ids } = await found(third.engine, '');
    assert.equal([complete, ids.size, ids.has(LABEL)], [false, POINTS - 1, false]);
    assert.equal(third.events, ['index_checkpoint_loaded']);
  });
}

for (const [what, spec] of [
  ['the default graph has', NAMED],
  ['another named graph has', TWO_NAMED],
] as const) {
  test(`what a named graph was built without, and ${what}, is looked for at every start until it is mended`, async (t) => {
    const folder = t.folder();
    const first = await filled(t, folder, spec);
    const label = LABEL + 1;
    const ask: CompareOf<'values'> = { kind: 'values', uid: 1, ids: [label], throughSeq: 1_000 };
    const { values: value } = await first.engine.compare(ask);
    await first.engine.stop();
    damage(first, `UPDATE vectors SET crc = crc + 1 WHERE key % ${KEY} = ${label}`);
    const checkpoints = join(folder, 'store-1', 'checkpoints', '1', 'default');
    rmSync(folderOf(checkpoints, 'other'), { recursive: true });
    for (const start of ['first', 'second']) {
      const { engine } = await started(t, folder);
      await whole(engine);
      const { complete, ids, reason } = await found(engine, 'other');
      assert.equal([complete, ids.size, ids.has(label)], [false, POINTS - 1, false], `${start} start`);
      assert.match(reason, /1 points are damaged/);
      await engine.stop();
    }
    const third = await started(t, folder);
    await whole(third.engine);
    await third.engine.care.mend({ kind: 'point', uid: 1, label, value });
    await third.engine.care.show(1);
    assert.is((await found(third.engine, 'other')).complete, true);
    await third.engine.stop();
    const last = await started(t, folder);
    await whole(last.engine);
    const mended = await found(last.engine, 'other');
    assert.equal([mended.complete, mended.ids.size], [true, POINTS]);
    assert.equal(last.events, ['index_checkpoint_loaded'], 'nothing is refused');
  });
}

test.run();

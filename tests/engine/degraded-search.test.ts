/** What a search is worth when an index worker fails, stands still or dies: real threads, real faults (engine/engine-fault.ts).
 *
 *  A hybrid search is answered by the engine that is left, within the same request; nothing hangs beyond its time; writes go on; and all
 *  of it ends by itself once the fault is gone. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { EndedSearch, RunningEngine, SearchAnswer, SearchRequest } from '../../src/engine/engine.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import type { SkeinError } from '../../src/model/errors.js';
import type { Limits } from '../../src/model/limits.js';
import { shiftedTime } from '../resilience/shifted-time.js';
import { openTestEngine, pointBlock, SEARCH, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { rejectionOf as refusal } from '../support/refusal.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { besideStall, openedByStall, timed } from './beside-stall.js';

const test = suite('engine/degraded-search');
const FAULTS = join(mkdtempSync(join(tmpdir(), 'skein-fault-')), 'faults');
// Read by the threads that an engine starts, so it must be there before the first of them.
process.env['SKEIN_TEST_ENGINE_FAULT'] = FAULTS;
process.on('exit', () => rmSync(join(FAULTS, '..'), { recursive: true, force: true }));

const plant = (...lines: readonly string[]): void => writeFileSync(FAULTS, lines.join('\n'));
const heal = (): void => rmSync(FAULTS, { force: true });

const FAILURES_MAX = 3;
/** No breaker lets a question through before a test lets so much time pass. */
const RESET_MS = 60_000;
const LIMITS: Partial<Limits> = { searchBreakerFailuresMax: FAILURES_MAX, searchBreakerResetMs: RESET_MS };
/** For engines that are to run into it. The others have seconds: a busy machine stands still for a while. */
const STALLING: Partial<Limits> = { searchEngineTimeoutMs: 500 };
const REQUEST_MS = 25_000;
/** Far less than a search may take by itself, far more than the time of an engine. */
const SOON_MS = 10_000;
const HYBRID: SearchRequest = { ...SEARCH, cache: false, vector: Float32Array.of(1, 0), text: 'red', timeoutMs: REQUEST_MS };
const VECTOR: SearchRequest = { ...SEARCH, cache: false, vector: Float32Array.of(1, 0), timeoutMs: REQUEST_MS };
const TEXT: SearchRequest = { ...SEARCH, cache: false, text: 'red', timeoutMs: REQUEST_MS };

interface Rig extends TestEngine {
  /** Lets time pass for the breakers. */
  pass(ms: number): void;
}

async function start(t: TestContext, limits: Partial<Limits> = {}): Promise<Rig> {
  heal();
  const rig = await openTestEngine(t.folder(), { ...LIMITS, ...limits });
  t.after(() => rig.engine.stop());
  t.after(heal);
  await declare(rig, 'c');
  await rig.put('c', [
    { id: 1, vector: [1, 0], payload: { title: 'a red house' } },
    { id: 2, vector: [0, 1], payload: { title: 'a blue door' } },
    { id: 3, vector: [1, 1], payload: { title: 'red doors' } },
  ]);
  return { ...rig, pass: shiftedTime(t) };
}

function declare({ engine }: TestEngine, collection: string) {
  const text = { fields: ['title'], language: 'english', stopWords: 'default', k1: 1.2, b: 0.75 } as const;
  const spec = { dimension: 2, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null, text } as const;
  return engine.write([{ kind: 'create_collection', collection, spec }], WAIT);
}

const ids = ({ hits }: SearchAnswer): unknown[] => hits.map(({ id }) => id);

const searching = (engine: RunningEngine) => engine.status().search;

async function untilWhole({ engine, pass }: Rig): Promise<void> {
  pass(RESET_MS);
  await waitUntil(async () => (await outcome(engine, HYBRID)) === 'hybrid', { what: 'both engines answer again' });
}

test('a hybrid search without a fault is answered by both, and nothing says otherwise', async (t) => {
  const { engine } = await start(t);
  const answer = await engine.search('c', HYBRID);
  assert.equal([answer.mode, answer.degraded], ['hybrid', false]);
  assert.equal(searching(engine).fallback, { active: false, sinceMs: null, count: 0 });
  for (const side of ['vector', 'text'] as const) {
    const { breaker, failures, restarts, loading } = searching(engine)[side];
    assert.equal({ breaker, failures, restarts, loading }, { breaker: 'closed', failures: 0, restarts: 0, loading: 0 });
  }
});

for (const { broken, left, found } of [
  { broken: 'text', left: 'vector', found: [1, 3, 2] },
  { broken: 'vector', left: 'text', found: [3, 1] },
] as const) {
  test(`when the ${broken} index fails, the ${left} index answers, its breaker opens, and all is well again without it`, async (t) => {
    const rig = await start(t);
    const { engine } = rig;
    plant(`${broken} fail`);
    for (let i = 1; i <= FAILURES_MAX; i++) {
      assert.is(searching(engine)[broken].breaker, 'closed');
      const answer = await engine.search('c', HYBRID);
      assert.equal([answer.mode, answer.degraded], [left, true]);
      assert.equal(new Set(ids(answer)), new Set(found));
      assert.is(searching(engine).fallback.active, true);
      assert.is(searching(engine).fallback.count, i);
      assert.is(searching(engine)[broken].failures, i);
    }
    assert.is(searching(engine)[broken].breaker, 'open');
    assert.is((await engine.search('c', HYBRID)).mode, left);
    assert.is(searching(engine)[broken].failures, FAILURES_MAX, 'it was not asked any more');
    const alone = await refusal(engine.search('c', broken === 'text' ? TEXT : VECTOR));
    assert.is(alone.type, 'SearchUnavailable');
    heal();
    await untilWhole(rig);
    assert.is(searching(engine)[broken].breaker, 'closed');
    assert.is(searching(engine).fallback.active, false);
    assert.is(searching(engine)[left].failures, 0);
  });

  test(`a ${broken} index that stands still costs a hybrid search no more than the time of an engine, and holds no write`, async (t) => {
    const rig = await start(t, STALLING);
    const { engine, put } = rig;
    plant(`${broken} stall`);
    const { answers, ms } = await openedByStall(engine, broken, HYBRID);
    assert.ok(answers.length > 0 && ms < SOON_MS, `${answers.length} answers within ${ms} ms each`);
    for (const { mode, degraded } of answers) assert.equal([mode, degraded], [left, true]);
    const { failuresTotal } = searching(engine)[broken];
    assert.is((await besideStall(() => engine.search('c', HYBRID))).mode, left);
    assert.is(searching(engine)[broken].failuresTotal, failuresTotal, 'an open breaker costs no time');
    // It waits for the index that answers, not for the one that stands still.
    await put('c', [{ id: 4, vector: [1, 0], payload: { title: 'red red' } }]);
    assert.ok(ids(await besideStall(() => engine.search('c', HYBRID))).includes(4));
    heal();
    await untilWhole(rig);
    const single = await engine.search('c', { ...(broken === 'text' ? TEXT : VECTOR), notBeforeSeq: engine.position().seq });
    assert.ok(ids(single).includes(4), 'what was written meanwhile is there');
  });

  test(`when the ${broken} worker dies, the ${left} index answers until it is back`, async (t) => {
    const rig = await start(t);
    const { engine, put, fatal } = rig;
    plant(`${broken} end`);
    const answer = await engine.search('c', HYBRID);
    assert.equal([answer.mode, answer.degraded], [left, true]);
    assert.is(searching(engine)[broken].restarts, 1);
    await put('c', [{ id: 5, vector: [1, 0], payload: { title: 'red' } }]);
    await untilWhole(rig);
    assert.is(searching(engine)[broken].breaker, 'closed');
    assert.is(searching(engine)[broken].loading, 0);
    assert.is(searching(engine).fallback.active, false);
    assert.ok(ids(await engine.search('c', broken === 'text' ? TEXT : VECTOR)).includes(5));
    assert.equal(fatal, []);
  });
}

test('when both engines fail a search says so of both, and reads and writes go on', async (t) => {
  const rig = await start(t);
  const { engine, put } = rig;
  plant('text fail', 'vector fail');
  const refused = await refusal(engine.search('c', HYBRID));
  assert.is(refused.type, 'SearchUnavailable');
  const failed = refused.details['failed'] as readonly { engine: string; message: string }[];
  assert.equal(
    failed.map(({ engine: name }) => name),
    ['vector', 'text'],
  );
  for (const { message } of failed) assert.match(message, /a test made/);
  await put('c', [{ id: 9, vector: [0, 0] }]);
  assert.is((await engine.count('c')).count, 4);
  const { points } = await engine.get('c', [9], { withPayload: false, withVector: true });
  assert.is(points.length, 1);
  heal();
  await untilWhole(rig);
});

test('both engines standing still end as SearchUnavailable within the time of an engine', async (t) => {
  const rig = await start(t, STALLING);
  plant('text stall', 'vector stall');
  const { answer, ms } = await timed(refusal(rig.engine.search('c', HYBRID)));
  assert.is(answer.type, 'SearchUnavailable');
  assert.ok(ms < SOON_MS, `${ms} ms`);
  heal();
  await untilWhole(rig);
});

test('a search of one engine that stands still ends with its own time, then at once, then works again', async (t) => {
  const { engine, pass } = await start(t, STALLING);
  plant('vector stall');
  const asked = { ...VECTOR, timeoutMs: 600 };
  for (let i = 0; i < FAILURES_MAX; i++) assert.is((await refusal(engine.search('c', asked))).type, 'Timeout');
  const { answer, ms } = await timed(refusal(engine.search('c', VECTOR)));
  assert.is(answer.type, 'SearchUnavailable');
  assert.ok(ms < SOON_MS, `${ms} ms`);
  heal();
  pass(RESET_MS);
  await waitUntil(async () => (await outcome(engine, VECTOR)) === 'vector', { what: 'the vector index answers again' });
});

test('each search is told as it ends: what it asked for, how long it took, what answered, how it failed', async (t) => {
  heal();
  const ended: EndedSearch[] = [];
  const rig = await openTestEngine(t.folder(), LIMITS, 'master', 0, { onSearch: (search) => ended.push(search) });
  t.after(() => rig.engine.stop());
  t.after(heal);
  await declare(rig, 'c');
  await rig.put('c', [{ id: 1, vector: [1, 0], payload: { title: 'red' } }]);
  for (const request of [VECTOR, TEXT, HYBRID, { ...VECTOR, exact: true }]) await rig.engine.search('c', request);
  plant('text fail');
  await rig.engine.search('c', HYBRID);
  await refusal(rig.engine.search('c', TEXT));
  await refusal(rig.engine.search('absent', TEXT));
  assert.equal(
    ended.map(({ mode, degradedTo, error }) => [mode, degradedTo, error]),
    [
      ['vector', null, null],
      ['text', null, null],
      ['hybrid', null, null],
      ['exact', null, null],
      ['hybrid', 'vector', null],
      ['text', null, 'SearchUnavailable'],
      ['text', null, 'CollectionNotFound'],
    ],
  );
  for (const { tookMs } of ended) assert.ok(tookMs >= 0 && tookMs < REQUEST_MS);
});

async function outcome(engine: RunningEngine, request: SearchRequest): Promise<string> {
  try {
    return (await engine.search('c', request)).mode;
  } catch (error) {
    return (error as SkeinError).type;
  }
}

test('a search of an engine whose worker dies is SearchUnavailable, and the next ones find it restarted', async (t) => {
  const { engine } = await start(t);
  plant('vector end');
  assert.is((await refusal(engine.search('c', VECTOR))).type, 'SearchUnavailable');
  await waitUntil(async () => (await outcome(engine, VECTOR)) === 'vector', { what: 'the worker is back' });
  assert.is(searching(engine).vector.restarts, 1);
  assert.is(searching(engine).vector.failuresTotal, 1, 'what was refused while it was loading is no failure of the engine');
});

test('however many searches a dying worker takes with it, that is one failure, and its breaker stays closed', async (t) => {
  const { engine } = await start(t);
  plant('vector end');
  const refused = await Promise.all(Array.from({ length: 4 * FAILURES_MAX }, () => outcome(engine, VECTOR)));
  assert.equal([...new Set(refused)], ['SearchUnavailable']);
  assert.equal([searching(engine).vector.breaker, searching(engine).vector.failures], ['closed', 1]);
  await waitUntil(async () => (await outcome(engine, VECTOR)) === 'vector', { what: 'the worker is back' });
});

test('a worker that dies again and again ends in a fatal word, and later questions are refused', async (t) => {
  const { engine, fatal } = await start(t, { searchBreakerFailuresMax: 1_000 });
  for (let deaths = 0; deaths < 4; deaths++) {
    await waitUntil(async () => (await outcome(engine, VECTOR)) === 'vector', { what: 'the worker is back' });
    plant('vector end');
    await refusal(engine.search('c', VECTOR));
  }
  assert.is(fatal.length, 1);
  assert.match(fatal[0] ?? '', /index worker (ended|failed)/);
  assert.is(searching(engine).vector.restarts, 3);
  assert.is(await outcome(engine, VECTOR), 'SearchUnavailable');
  assert.is(await outcome(engine, HYBRID), 'text');
});

test('callers with hardly any time do not open a breaker for the others', async (t) => {
  const { engine } = await start(t);
  plant('vector stall');
  for (let i = 0; i < 4 * FAILURES_MAX; i++) await refusal(engine.search('c', { ...VECTOR, timeoutMs: 5 }));
  assert.is(searching(engine).vector.breaker, 'closed');
  heal();
  assert.is(await outcome(engine, VECTOR), 'vector');
});

test('a text index that is being built for points that were there keeps no hybrid search waiting, and stops no other collection', async (t) => {
  const rig = await start(t, STALLING);
  const { engine } = rig;
  await rig.create('late', 2);
  await rig.put('late', [{ id: 1, vector: [1, 0], payload: { title: 'red' } }]);
  plant('text stall');
  // Holds the thread of the texts, so that nothing new is built in it.
  const holding = refusal(engine.search('c', { ...TEXT, timeoutMs: 50 }));
  const change = { textFields: ['title'] };
  const late = await refusal(
    engine.write([{ kind: 'update_collection', collection: 'late', change }], { wait: 'indexed', timeoutMs: 1_500 }),
  );
  assert.is(late.type, 'Timeout', 'what cannot serve in time is no success');
  await waitUntil(() => searching(engine).text.loading === 1, { what: 'the change to be durable' });
  for (let i = 0; i < 2 * FAILURES_MAX; i++) {
    const { answer, ms } = await besideStall(() => timed(engine.search('late', HYBRID)));
    assert.equal([answer.mode, answer.degraded], ['vector', true]);
    assert.ok(ms < SOON_MS, `${ms} ms`);
  }
  assert.is((await holding).type, 'Timeout');
  assert.is(searching(engine).text.breaker, 'closed');
  assert.is(searching(engine).text.loading, 1);
  heal();
  assert.equal(ids(await engine.search('late', TEXT)), [1]);
  assert.is((await engine.search('late', HYBRID)).mode, 'hybrid');
});

test('a collection that is dropped under a waiting search is not found, and that is no failure of the engine', async (t) => {
  const { engine } = await start(t);
  plant('vector stall');
  const waiting = refusal(engine.search('c', VECTOR));
  await engine.write([{ kind: 'delete_collection', collection: 'c' }], WAIT);
  const { answer, ms } = await timed(waiting);
  assert.is(answer.type, 'CollectionNotFound');
  assert.ok(ms < SOON_MS, `${ms} ms`);
  assert.is(searching(engine).vector.failures, 0);
});

test('text fields that are taken away under a waiting search leave its collection there', async (t) => {
  const { engine } = await start(t);
  const declareText = (textFields: readonly string[]): Promise<unknown> =>
    engine.write([{ kind: 'update_collection', collection: 'c', change: { textFields } }], { ...WAIT, wait: 'durable' });
  plant('text stall');
  const text = refusal(engine.search('c', TEXT));
  const hybrid = outcome(engine, HYBRID);
  await declareText([]);
  assert.equal([(await text).type, await hybrid], ['SearchUnavailable', 'vector']);
  assert.is(await outcome(engine, TEXT), 'InvalidRequest');
  assert.is(searching(engine).text.failures, 0);
  // The old index goes while the new one is there: what it still says must not count as that of the new one.
  await declareText(['title']);
  assert.is(searching(engine).text.loading, 1);
  const patient = { ...HYBRID, timeoutMs: 1_000 };
  assert.is((await besideStall(() => engine.search('c', patient))).mode, 'vector');
  heal();
  assert.is(await outcome(engine, TEXT), 'text');
  assert.is(await outcome(engine, HYBRID), 'hybrid');
});

test('an index that was behind when its breaker let a search through is waited for, as the position of the search asks', async (t) => {
  const { engine, put, pass } = await start(t, STALLING);
  plant('text stall');
  await openedByStall(engine, 'text', HYBRID);
  // It waits for the vectors alone.
  const { position } = await put('c', [{ id: 4, vector: [1, 0], payload: { title: 'red green' } }]);
  const asked = { ...TEXT, text: 'green', notBeforeSeq: position.seq };
  const answers: Promise<unknown>[] = [];
  pass(RESET_MS);
  await waitUntil(
    async () => {
      answers.push(engine.search('c', asked).then(ids, ({ type }: SkeinError) => type));
      return searching(engine).text.breaker === 'half_open';
    },
    { what: 'a search to try' },
  );
  heal();
  for (const answer of await Promise.all(answers))
    assert.ok(answer === 'SearchUnavailable' || JSON.stringify(answer) === '[4]', JSON.stringify(answer));
  assert.equal(ids(await engine.search('c', asked)), [4]);
});

test('a position that an index does not reach in time is said, and a hybrid search takes the other engine', async (t) => {
  const { engine, put } = await start(t, STALLING);
  const { position } = await put('c', [{ id: 4, vector: [1, 0], payload: { title: 'red' } }]);
  const behind = { notBeforeSeq: position.seq };
  plant('text stall');
  const stalled = refusal(engine.search('c', { ...TEXT, timeoutMs: 50 }));
  const points = pointBlock([{ id: 5, vector: [1, 0], payload: { title: 'red' } }]);
  await engine.write([{ kind: 'upsert', collection: 'c', points }], { ...WAIT, wait: 'durable' });
  const hybrid = await besideStall(() => engine.search('c', { ...HYBRID, notBeforeSeq: engine.position().seq }));
  assert.equal([hybrid.mode, hybrid.degraded], ['vector', true]);
  assert.ok(ids(hybrid).includes(5));
  heal();
  await stalled;
  assert.ok(ids(await engine.search('c', { ...TEXT, ...behind })).includes(4));
});

test('groups of hybrid hits wait once for an engine that does not answer, and take no threshold for its scores', async (t) => {
  const { engine, put } = await start(t, STALLING);
  await put(
    'c',
    Array.from({ length: 300 }, (_, i) => ({ id: 10 + i, vector: [i, i], payload: { title: 'red', g: i < 290 ? 'first' : i } })),
  );
  const { offset: _, ...rest } = HYBRID;
  const groups = { ...rest, groupBy: 'g', groupSize: 2, limit: 8, scoreThreshold: 0.01 };
  const whole = () => engine.searchGroups('c', { ...groups, scoreThreshold: 0 });
  await waitUntil(async () => !(await besideStall(whole)).degraded, { what: 'both to answer' });
  assert.is((await besideStall(whole)).groups.length, 8);
  plant('text stall');
  let before = 0;
  const answer = await besideStall(() => {
    before = searching(engine).text.failuresTotal;
    return engine.searchGroups('c', groups);
  });
  assert.equal([answer.groups.length, answer.complete, answer.mode, answer.degraded], [8, true, 'vector', true]);
  assert.is(searching(engine).text.failuresTotal, before + 1, 'later rounds did not ask it');
});

test('a worker that says nothing for seconds is known to stand still, and its breaker opens for callers with little time too', async (t) => {
  const { engine, pass } = await start(t);
  plant('vector stall');
  const holding = refusal(engine.search('c', { ...VECTOR, timeoutMs: 50 }));
  await waitUntil(async () => searching(engine).vector.stalled === 1, { what: 'the silence to be heard', deadlineMs: 20_000 });
  await waitUntil(() => searching(engine).text.stalled === 0, { what: 'the other to be heard' });
  for (let i = 0; i < FAILURES_MAX; i++) await refusal(engine.search('c', { ...VECTOR, timeoutMs: 5 }));
  assert.is(searching(engine).vector.breaker, 'open');
  heal();
  await holding;
  await waitUntil(async () => searching(engine).vector.stalled === 0, { what: 'the worker to be heard' });
  // Nobody searches.
  pass(2 * RESET_MS);
  await waitUntil(async () => searching(engine).vector.breaker === 'closed', { what: 'the breaker to close by itself' });
});

test('an engine stops although one of its workers stands still', async (t) => {
  heal();
  const rig = await openTestEngine(t.folder(), LIMITS);
  t.after(heal);
  await declare(rig, 'c');
  plant('text stall');
  await refusal(rig.engine.search('c', { ...TEXT, timeoutMs: 50 }));
  await rig.engine.stop();
});

test.run();

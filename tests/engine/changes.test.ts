/** The change feed of an engine: order, exact resumption at every change, snapshots under writes, selections, and places that are gone or lost. */

import * as assert from 'uvu/assert';
import type { Change, ChangePage, ChangeSelection, ChangeStart, RunningEngine } from '../../src/engine/engine.js';
import { Cancellation } from '../../src/model/cancellation.js';
import { type ChangePlace, decodeChangeToken, encodeChangeToken, placeAt } from '../../src/model/change-place.js';
import type { Filter } from '../../src/model/filter.js';
import { openReader } from '../../src/storage/open-store.js';
import { follow, logOf } from '../support/follow-log.js';
import { openTestEngine, pointBlock, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { TEST_CACHE } from '../support/open-test-store.js';
import { Random } from '../support/random.js';
import { rejectionOf } from '../support/refusal.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/changes', { deadlineMs: 60_000 });
const ALL: ChangeSelection = {
  collection: null,
  scope: null,
  filter: null,
  withPayload: true,
  withVector: false,
  withLeaves: true,
};
const EVEN: Filter = { must: [{ kind: 'match_value', key: 'even', value: true }] };
const BEGINNING = placeAt({ historyId: 'cd'.repeat(16), epoch: 1, seq: 0 });

async function open(t: TestContext, limits = {}): Promise<TestEngine> {
  const opened = await openTestEngine(t.folder(), limits);
  t.after(() => opened.engine.stop());
  return opened;
}

/** Before everything in the log of this data. */
function beginningOf(engine: RunningEngine): ChangePlace {
  return placeAt({ ...engine.position(), seq: 0 });
}

/** Pages from a start to the end of the log as it then is. */
async function* pages(engine: RunningEngine, start: ChangeStart, selection = ALL): AsyncGenerator<ChangePage> {
  let page = await engine.changes.begin(start, selection, 1_000);
  for (;;) {
    yield page;
    const { place } = page;
    page = await engine.changes.next(place, selection, 0);
    if (page.place === place) return;
  }
}

async function feed(engine: RunningEngine, start: ChangeStart, selection = ALL): Promise<Change[]> {
  const all: Change[] = [];
  for await (const { changes } of pages(engine, start, selection)) all.push(...changes);
  return all;
}

function shown({ event, seq }: Change): unknown[] {
  const { kind, ...rest } = event;
  if ('point' in event) {
    const { id, payload } = event.point;
    return [seq, kind, event.collection, id, payload === null ? null : JSON.parse(Buffer.from(payload).toString() || '{}')];
  }
  return [seq, kind, ...Object.values(rest).filter((value) => typeof value !== 'object')];
}

const placeOf = (change: Change | undefined): ChangePlace => decodeChangeToken(change?.token ?? '', 'token');

test('everything that happens to data is told, in the order of the log, one change for each point', async (t) => {
  const { engine, create, put, remove } = await open(t);
  await create('a', 2);
  await put('a', [
    { id: 1, vector: [1, 0], payload: { x: 1 } },
    { id: 'two', vector: [2, 0] },
  ]);
  await engine.write(
    [
      { kind: 'put_alias', alias: 'z', collection: 'a' },
      { kind: 'patch', collection: 'a', patches: [{ id: 1, payload: Buffer.from('{"y":2}') }] },
    ],
    WAIT,
  );
  await remove('a', [1, 9]);
  await engine.write([{ kind: 'delete_alias', alias: 'z' }], WAIT);
  await engine.write([{ kind: 'update_collection', collection: 'a', change: { ttlMs: 5 } }], WAIT);
  await engine.write([{ kind: 'delete_collection', collection: 'a' }], WAIT);
  const changes = await feed(engine, beginningOf(engine));
  assert.equal(changes.map(shown), [
    [1, 'create_collection', 'a'],
    [2, 'upsert', 'a', 1, { x: 1 }],
    [2, 'upsert', 'a', 'two', {}],
    [3, 'put_alias', 'z', 'a'],
    [4, 'upsert', 'a', 1, { x: 1, y: 2 }],
    [5, 'delete', 'a', 1],
    [6, 'delete_alias', 'z'],
    [7, 'update_collection', 'a'],
    [8, 'delete_collection', 'a'],
  ]);
  assert.ok(changes.every(({ timeMs }) => timeMs !== null && Math.abs(timeMs - Date.now()) < 60_000));
});

test('a feed that is taken up behind any of its changes goes on with the next one', async (t) => {
  const { engine, create, put, remove } = await open(t);
  const random = new Random(t.seed());
  await create('a', 2);
  await create('b', 2);
  for (let i = 0; i < 8; i++) {
    const points = Array.from({ length: random.integer(1, 5) }, (_, at) => ({ id: at, vector: [i, at], payload: { i } }));
    await put(random.boolean() ? 'a' : 'b', points);
    if (random.boolean(0.3)) await remove('a', [0, 1]);
  }
  for (const selection of [ALL, { ...ALL, collection: 'a' }, { ...ALL, filter: EVEN, withLeaves: false }]) {
    for (const start of [beginningOf(engine), 'snapshot'] as const) {
      const whole = (await feed(engine, start, selection)).map(({ token, ...rest }) => ({
        token,
        shown: shown({ token, ...rest }),
      }));
      for (const [at, { token }] of whole.entries()) {
        const rest = await feed(engine, decodeChangeToken(token, 'from'), selection);
        assert.equal(
          rest.map(shown),
          whole.slice(at + 1).map((change) => change.shown),
        );
        assert.equal(
          rest.map((change) => change.token),
          whole.slice(at + 1).map((change) => change.token),
        );
      }
    }
  }
});

/** What a reader has who keeps what it is told; a point may not be told twice as of one entry. */
class Copy {
  readonly collections = new Map<string, Map<unknown, string>>();
  readonly #told = new Set<string>();

  take(change: Change): void {
    const { event, seq } = change;
    if (event.kind === 'create_collection')
      this.collections.set(event.collection, this.collections.get(event.collection) ?? new Map());
    if (event.kind === 'delete_collection') this.collections.delete(event.collection);
    if (event.kind !== 'upsert' && event.kind !== 'delete') return;
    const id = event.kind === 'upsert' ? event.point.id : event.id;
    const told = JSON.stringify([event.collection, id, seq]);
    assert.not.ok(this.#told.has(told), `${told} was told twice`);
    this.#told.add(told);
    const points = this.collections.get(event.collection);
    if (event.kind === 'delete') points?.delete(id);
    else points?.set(id, Buffer.from(event.point.payload ?? []).toString());
  }
}

async function stateOf(engine: RunningEngine): Promise<Map<string, Map<unknown, string>>> {
  const all = new Map<string, Map<unknown, string>>();
  for (const { name } of engine.collections()) {
    const { points } = await engine.scroll(name, { limit: 10_000, after: null, withPayload: true, withVector: false });
    all.set(name, new Map(points.map(({ id, payload }) => [id, Buffer.from(payload ?? []).toString()])));
  }
  return all;
}

const sorted = (all: ReadonlyMap<string, Map<unknown, string>>): unknown[] =>
  [...all].map(([name, points]) => [name, [...points].map(String).sort()]).sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));

test('a snapshot that is read while writes go on, broken off again and again, and the log behind it make the state', async (t) => {
  const { engine, create, put, remove } = await open(t);
  const random = new Random(t.seed());
  const names = ['a', 'b', 'c'];
  for (const name of names) await create(name, 2);
  const write = async (): Promise<void> => {
    const name = names[random.integer(0, 2)] as string;
    const kind = random.integer(0, 19);
    if (kind === 0) {
      await engine.write([{ kind: 'delete_collection', collection: name }], WAIT);
      await create(name, 2);
    } else if (kind < 7)
      await remove(
        name,
        [random.integer(0, 1_399), random.integer(0, 1_399)].filter((id, at, all) => all.indexOf(id) === at),
      );
    else
      await put(
        name,
        Array.from({ length: random.integer(1, 20) }, (_, at) => ({
          id: (random.integer(0, 69) * 20 + at) % 1_400,
          vector: [at, 1],
          payload: { n: random.integer(0, 99) },
        })),
      );
  };
  for (const name of names)
    await put(
      name,
      Array.from({ length: 700 }, (_, id) => ({ id: id * 2, vector: [id, 0], payload: { n: id } })),
    );
  const copy = new Copy();
  let start = 'snapshot' as ChangeStart;
  for (let rounds = 0; rounds < 25; rounds++) {
    let left = random.integer(1, 600);
    for await (const page of pages(engine, start)) {
      const changes: Change[] = [...page.changes];
      for (const change of changes.slice(0, left)) copy.take(change);
      // Broken off in the middle of a page, between two, or at the end of the log.
      start = changes.length > left ? placeOf(changes[left - 1]) : page.place;
      left -= changes.length;
      if (left <= 0) break;
      if (random.boolean()) await write();
    }
    await write();
  }
  for await (const page of pages(engine, start)) for (const change of page.changes) copy.take(change);
  assert.equal(sorted(copy.collections), sorted(await stateOf(engine)));
});

test('a filter is held against the new state: what does not pass it is told as a leave, or not at all', async (t) => {
  const { engine, create, put, remove } = await open(t);
  await create('a', 2);
  await put(
    'a',
    [1, 2, 3].map((id) => ({ id, vector: [id, 0], payload: { even: id % 2 === 0 } })),
  );
  await put('a', [{ id: 2, vector: [2, 0], payload: { even: false } }]);
  await remove('a', [1]);
  const told = async (selection: Partial<ChangeSelection>, start: ChangeStart = beginningOf(engine)) =>
    (await feed(engine, start, { ...ALL, filter: EVEN, withPayload: false, ...selection })).map(shown).slice(1);
  const two = [2, 'upsert', 'a', 2, null];
  const gone = [4, 'delete', 'a', 1];
  assert.equal(await told({}), [[2, 'leave', 'a', 1], two, [2, 'leave', 'a', 3], [3, 'leave', 'a', 2], gone]);
  assert.equal(await told({ withLeaves: false }), [two, gone]);
  await put('a', [{ id: 4, vector: [4, 0], payload: { even: true } }]);
  assert.equal(await told({}, 'snapshot'), [
    [5, 'create_collection', 'a'],
    [5, 'upsert', 'a', 4, null],
    [5, 'snapshot_end'],
  ]);
});

test('a feed of one collection, or of a scope, tells of nothing else', async (t) => {
  const { engine, create, put } = await open(t);
  for (const name of ['films', 'film', 'books']) {
    await create(name, 2);
    await put(name, [{ id: name, vector: [1, 1] }]);
    await engine.write([{ kind: 'put_alias', alias: `${name}-now`, collection: name }], WAIT);
  }
  const told = async (selection: Partial<ChangeSelection>, start: ChangeStart): Promise<unknown[]> =>
    (await feed(engine, start, { ...ALL, ...selection })).map((change) => shown(change).slice(1, 3).join(' '));
  const films = ['create_collection films', 'upsert films'];
  for (const start of [beginningOf(engine), 'snapshot'] as const) {
    const inSnapshot = (events: string[]): string[] =>
      start === 'snapshot' ? ['snapshot_begin', ...events, 'snapshot_end'] : events;
    assert.equal(await told({ collection: 'films' }, start), inSnapshot(films));
    assert.equal(
      await told({ scope: ['films', 'b*'] }, start),
      inSnapshot([...films, 'create_collection books', 'upsert books']),
    );
    assert.equal(await told({ scope: ['books'], collection: 'films' }, start), inSnapshot([]));
    assert.is((await told({}, start)).filter((event) => String(event).startsWith('put_alias')).length, 3);
  }
});

test('a feed begins at a collection that is there, not at an alias, and with a filter that says something', async (t) => {
  const { engine, create } = await open(t);
  await create('a', 2);
  await engine.write([{ kind: 'put_alias', alias: 'z', collection: 'a' }], WAIT);
  await engine.write([{ kind: 'update_collection', collection: 'a', change: { textFields: ['t'] } }], WAIT);
  const refused = async (start: ChangeStart, selection: Partial<ChangeSelection>) =>
    (await rejectionOf(engine.changes.begin(start, { ...ALL, ...selection }, 0))).type;
  assert.is(await refused('now', { collection: 'b' }), 'CollectionNotFound');
  assert.is(await refused('snapshot', { collection: 'b' }), 'CollectionNotFound');
  assert.is(await refused('now', { collection: 'z' }), 'InvalidRequest');
  assert.is(await refused(beginningOf(engine), { collection: 'z' }), 'InvalidRequest');
  const told = async (scope: readonly string[] | null) =>
    (await rejectionOf(engine.changes.begin('now', { ...ALL, collection: 'z', scope }, 0))).message;
  assert.match(await told(null), /follow 'a' itself/);
  assert.match(await told(['a', 'z']), /follow 'a' itself/);
  assert.match(await told(['z']), /follow a collection by its own name/);
  const stopWords: Filter = { must: [{ kind: 'match_text', key: 't', text: 'the' }] };
  assert.is(await refused('now', { collection: 'a', filter: stopWords }), 'InvalidFilter');
  assert.equal(await engine.changes.begin(beginningOf(engine), { ...ALL, collection: 'gone' }, 0), {
    changes: [],
    place: beginningOf(engine),
  });
});

test('a collection that was dropped and is purged keeps its name as long as the log tells of it', async (t) => {
  const { engine, storePath, create, put } = await open(t);
  await create('a', 2);
  await put('a', [{ id: 1, vector: [1, 1] }]);
  const start = await engine.changes.begin('now', ALL, 0);
  await put('a', [{ id: 2, vector: [1, 1], payload: { even: true } }]);
  await engine.write([{ kind: 'delete_collection', collection: 'a' }], WAIT);
  await create('b', 2);
  const reads = openReader(storePath, TEST_CACHE);
  t.after(() => reads.close());
  await waitUntil(() => reads.labelsFrom(1, 0, 1, 1).length === 0, { what: 'the points are purged' });
  for (const selection of [ALL, { ...ALL, collection: 'a', filter: EVEN }]) {
    const told = (await feed(engine, start.place, selection)).map((change) => shown(change).slice(1, 3));
    assert.equal(told.slice(0, 2), [
      ['upsert', 'a'],
      ['delete_collection', 'a'],
    ]);
  }
});

test('who comes too late is told what the oldest place is, in the log and in a snapshot', async (t) => {
  const { engine, create, put } = await open(t, { logRetentionMs: 0, logRetentionBytes: 0, logBytesHardMax: 2_000 });
  await create('a', 2);
  const snapshot = await engine.changes.begin('snapshot', ALL, 0);
  const start = await engine.changes.begin('now', ALL, 0);
  for (let id = 0; id < 40; id++) await put('a', [{ id, vector: [id, 0], payload: { text: 'x'.repeat(100) } }]);
  await waitUntil(() => engine.log.state().logMinSeq > start.place.afterSeq + 1, { what: 'the log was pruned' });
  for (const { place } of [start, snapshot]) {
    const refused = await rejectionOf(engine.changes.next(place, ALL, 0));
    assert.is(refused.type, 'ChangesGone');
    assert.is((await rejectionOf(engine.changes.begin(place, ALL, 0))).type, 'ChangesGone');
    const { place: oldest } = await engine.changes.begin(decodeChangeToken(String(refused.details['oldest']), 'oldest'), ALL, 0);
    assert.is((await engine.changes.next(oldest, ALL, 0)).place.afterSeq, engine.position().seq);
  }
});

test('a replica tells what its master tells, under the same tokens, and waits for what it has not yet', async (t) => {
  const master = await open(t);
  await master.create('a', 2);
  for (let id = 0; id < 4; id++)
    await master.put('a', [
      { id, vector: [id, 0] },
      { id: id + 10, vector: [id, 1] },
    ]);
  const rows = logOf(master.storePath);
  const opened = await openTestEngine(t.folder(), {}, 'replica');
  t.after(() => opened.engine.stop());
  await follow(opened.engine, rows.slice(0, -1), [2]);
  const told = await feed(master.engine, beginningOf(master.engine));
  const copied = await feed(opened.engine, beginningOf(master.engine));
  assert.equal(
    copied.map(({ token }) => token),
    told.slice(0, -2).map(({ token }) => token),
  );
  const ahead = placeOf(told.at(-2));
  assert.is((await rejectionOf(opened.engine.changes.begin(ahead, ALL, 20))).type, 'ReplicaBehind');
  const waiting = opened.engine.changes.begin(ahead, ALL, 20_000).then(({ place }) => feed(opened.engine, place));
  await follow(opened.engine, rows.slice(-1), [2]);
  assert.equal((await waiting).map(shown), told.slice(-1).map(shown));
});

test('what was read of a state that is lost is lost, also where the log itself does not show it', async (t) => {
  const master = await open(t);
  await master.create('a', 2);
  await master.put(
    'a',
    [1, 2, 3].map((id) => ({ id, vector: [id, 0] })),
  );
  const opened = await openTestEngine(t.folder(), {}, 'replica');
  t.after(() => opened.engine.stop());
  await follow(opened.engine, logOf(master.storePath), [2]);
  const begun = await master.engine.changes.begin('snapshot', ALL, 0);
  // The replica never gets this delete, and the reader, who looks after it, never gets the point.
  await master.remove('a', [2]);
  let { place } = begun;
  const told: Change[] = [];
  while (place.scan !== null) {
    const page = await master.engine.changes.next(place, ALL, 0);
    told.push(...page.changes);
    place = page.place;
  }
  assert.equal(
    told
      .map(shown)
      .filter(([, kind]) => kind === 'upsert')
      .map(([, , , id]) => id),
    [1, 3],
  );
  await opened.engine.log.setRole('master', 2);
  await opened.engine.log.beginHistory({ historyId: 'ef'.repeat(16), epoch: 2, nodeId: '01'.repeat(16) });
  for (const at of [placeOf(told.at(-2)), placeOf(told.at(-1))])
    assert.is((await rejectionOf(opened.engine.changes.begin(at, ALL, 0))).type, 'PositionLost');
  assert.is((await rejectionOf(opened.engine.changes.begin(BEGINNING, ALL, 0))).type, 'PositionLost');
  assert.is((await opened.engine.changes.begin(begun.place, ALL, 0)).place, begun.place);
});

test('who waits at the end hears of the next commit at once, and of nothing when time is over or nobody waits any more', async (t) => {
  const { engine, create, put } = await open(t);
  await create('a', 2);
  const { place } = await engine.changes.begin('now', ALL, 0);
  assert.is((await engine.changes.next(place, ALL, 10)).place, place);
  const cancellation = new Cancellation();
  const given = engine.changes.next(place, ALL, 60_000, cancellation);
  cancellation.cancel();
  assert.is((await rejectionOf(given)).type, 'Timeout');
  const next = engine.changes.next(place, { ...ALL, collection: 'b' }, 60_000);
  await put('a', [{ id: 1, vector: [1, 1] }]);
  const page = await next;
  assert.equal([[...page.changes].length, encodeChangeToken(page.place)], [0, encodeChangeToken(placeAt(engine.position()))]);
});

test('vectors and ends of life are told where they are asked for', async (t) => {
  const { engine, create } = await open(t);
  await create('a', 2);
  const points = { ...pointBlock([{ id: 1, vector: [0.5, -2] }]), expiresAt: Float64Array.of(4e12) };
  await engine.write([{ kind: 'upsert', collection: 'a', points }], WAIT);
  for (const start of [beginningOf(engine), 'snapshot'] as const) {
    const told = await feed(engine, start, { ...ALL, withVector: true, withPayload: false });
    const upsert = told.find(({ event }) => event.kind === 'upsert')?.event;
    assert.ok(upsert?.kind === 'upsert');
    assert.equal(
      { ...upsert.point, vector: [...(upsert.point.vector ?? [])] },
      { id: 1, payload: null, vector: [0.5, -2], expiresAtMs: 4e12 },
    );
  }
});

test.run();

/** Atomic batches and import streams as HTTP_API.md §§4 and 7 promise them, tried from outside. */
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { type Answer, COLLECTIONS, float32, invalidAt, outside, refused } from './outside.js';

const { test, call, pack } = outside('acceptance/batch-and-import');

async function collection(name: string): Promise<string> {
  assert.is((await call('PUT', `${COLLECTIONS}/${name}`, { dimension: 2, distance: 'cosine' })).status, 201);
  return `${COLLECTIONS}/${name}`;
}

const batch = <Body>(...operations: unknown[]): Promise<Answer<Body>> => call<Body>('POST', '/v1/batch', { operations });
const countOf = async (c: string): Promise<number> => (await call<{ count: number }>('POST', `${c}/points/count`, {})).body.count;

test('a batch over collections is one unit that answers for each operation', async () => {
  const c = await collection('old');
  const done = await batch<{ results: Record<string, unknown>[]; seq: number; position: string; write_concern: object }>(
    { create_collection: { collection: 'fresh', dimension: 2, distance: 'dot' } },
    { upsert: { collection: 'fresh', points: [{ id: 1, vector: [1, 1] }] } },
    { upsert: { collection: 'old', points: [{ id: 'x', vector: [1, 1] }] } },
    { patch: { collection: 'fresh', points: [{ id: 1, payload: { a: 1 } }] } },
    { delete: { collection: 'old', ids: ['x', 'none'] } },
  );
  assert.is(done.status, 200);
  assert.is(done.body.results[0]?.['name'], 'fresh');
  assert.equal(done.body.results.slice(1), [{ upserted: 1 }, { upserted: 1 }, { patched: 1 }, { deleted: 1 }]);
  assert.equal(
    [done.body.position, done.body.write_concern],
    [done.headers['x-skein-position'], { required: 1, acknowledged: 1 }],
  );
  assert.equal((await call<{ payload: object }>('GET', `${COLLECTIONS}/fresh/points/1`)).body.payload, { a: 1 });
  assert.is(await countOf(c), 0);
  const dropped = await batch<{ results: object[] }>({ delete_collection: { collection: 'fresh' } });
  assert.equal(dropped.body.results, [{ deleted: true }]);
  refused(await call('GET', `${COLLECTIONS}/fresh`), 404, 'CollectionNotFound');
  const points = [{ id: 77, vector: float32(5, 6) }];
  assert.is((await pack('POST', '/v1/batch', { operations: [{ upsert: { collection: 'old', points } }] })).status, 200);
  assert.equal((await call<{ vector: number[] }>('GET', `${c}/points/77`)).body.vector, [5, 6]);
});

test('when one operation is refused, none of the batch has happened', async () => {
  const c = await collection('whole');
  const first = { upsert: { collection: 'whole', points: [{ id: 1, vector: [1, 1] }] } };
  const create = { create_collection: { collection: 'never', dimension: 2, distance: 'dot' } };
  const upsert = (points: object[]) => ({ upsert: { collection: 'whole', points } });
  for (const [last, status, type, details] of [
    [upsert([{ id: 2, vector: [0, 0] }]), 400, 'ZeroVector', { point_id: 2 }],
    [upsert([{ id: 2, vector: [1] }]), 400, 'DimensionMismatch', { point_id: 2, expected: 2, got: 1 }],
    [upsert([{ id: 2, vector: [1, null] }]), 400, 'InvalidVector', { point_id: 2, component: 1 }],
    [upsert([{ id: 3, vector: [1, 1], if_version: 9 }]), 409, 'VersionConflict', { id: 3, expected: 9 }],
    [{ upsert: { collection: 'nowhere', points: [] } }, 404, 'CollectionNotFound', { collection: 'nowhere' }],
    [{ patch: { collection: 'whole', points: [{ id: 'none' }] } }, 404, 'PointNotFound', { id: 'none' }],
    [
      { create_collection: { collection: 'whole', dimension: 2, distance: 'dot' } },
      409,
      'CollectionAlreadyExists',
      { collection: 'whole' },
    ],
    [{ delete_collection: { collection: 'nowhere' } }, 404, 'CollectionNotFound', { collection: 'nowhere' }],
    [{ upsert: { collection: 'a/b', points: [] } }, 400, 'InvalidCollectionName', { collection: 'a/b' }],
  ] as const) {
    refused(await batch(first, create, last), status, type, details);
  }
  for (const [last, path] of [
    [{}, 'operations[2]'],
    [null, 'operations[2]'],
    [{ rename: {} }, 'operations[2].rename'],
    [{ ...first, ...create }, 'operations[2]'],
    [{ upsert: { points: [] } }, 'operations[2].upsert.collection'],
    [{ upsert: { collection: 'whole', points: [], odd: 1 } }, 'operations[2].upsert.odd'],
    [
      { create_collection: { collection: 'q', dimension: 2, distance: 'dot', quantization: {} } },
      'operations[2].create_collection.quantization.type',
    ],
  ] as const) {
    invalidAt(await batch(first, create, last), path);
  }
  assert.is(await countOf(c), 0);
  refused(await call('GET', `${COLLECTIONS}/never`), 404, 'CollectionNotFound');
});

interface Outcome {
  readonly imported: number;
  readonly failed: {
    readonly line: number;
    readonly error: { readonly type: string; readonly details: Record<string, unknown> };
  }[];
  readonly failed_count: number;
  readonly position: string;
}

async function load(c: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Outcome> {
  const answer = await call<string>('POST', `${c}/points/import`, body, { 'content-type': 'application/x-ndjson', ...headers });
  assert.is(answer.status, 200);
  assert.match(answer.headers['content-type'] ?? '', /ndjson/);
  return JSON.parse(answer.bytes.toString().trimEnd().split('\n').at(-1) ?? '') as Outcome;
}

const line = (id: unknown, vector: unknown, more: object = {}): string => JSON.stringify({ id, vector, ...more });

test('an import keeps the good lines and names each bad one by its number', async () => {
  const c = await collection('lines');
  const long = 'x'.repeat(257);
  const outcome = await load(
    c,
    [
      ...[line(1, [1, 2]), '', 'garbage', line(2, [1]), line(3, [0, 0]), line(4, [1, null]), line(5, [1, 1], { odd: 1 })],
      ...[line(long, [1, 1]), line(6, [1, 1], { if_version: 5 }), '[]', `${line('crlf', [1, 1])}\r`, '{"id":8,"vector":[1,1]'],
    ].join('\n'),
  );
  assert.equal([outcome.imported, outcome.failed_count], [2, 9]);
  const failed = [...outcome.failed].sort((one, other) => one.line - other.line);
  assert.equal(
    failed.map((failure) => [failure.line, failure.error.type]),
    [
      ...[
        [3, 'InvalidJson'],
        [4, 'DimensionMismatch'],
        [5, 'ZeroVector'],
        [6, 'InvalidVector'],
        [7, 'InvalidRequest'],
      ],
      ...[
        [8, 'InvalidRequest'],
        [9, 'VersionConflict'],
        [10, 'InvalidRequest'],
        [12, 'InvalidJson'],
      ],
    ],
  );
  assert.equal([failed[1]?.error.details['point_id'], failed[3]?.error.details['component']], [2, 1]);
  const fresh = await call('GET', `${c}/points/crlf`, undefined, { 'x-skein-min-position': outcome.position });
  assert.is(fresh.status, 200);
});

test('an import of nothing, of gzip and of broken UTF-8', async () => {
  const c = await collection('oddities');
  for (const nothing of ['', '\n\n\n', '   \n']) assert.equal((await load(c, nothing)).imported, 0);
  assert.is((await load(c, gzipSync(line(1, [1, 1])), { 'content-encoding': 'gzip' })).imported, 1);
  const broken = Buffer.concat([
    Buffer.from('{"id":"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from(`","vector":[1,2]}\n${line(2, [1, 1])}`),
  ]);
  const outcome = await load(c, broken);
  assert.equal([outcome.imported, outcome.failed[0]?.line, outcome.failed[0]?.error.type], [1, 1, 'InvalidJson']);
  const type = { 'content-type': 'text/plain' };
  refused(await call('POST', `${c}/points/import`, line(1, [1, 1]), type), 415, 'UnsupportedMediaType');
  const nowhere = `${COLLECTIONS}/nowhere/points/import`;
  refused(await call('POST', nowhere, line(1, [1, 1]), { 'content-type': 'application/x-ndjson' }), 404, 'CollectionNotFound');
});

test('the first thousand failures are told and all are counted', async () => {
  const c = await collection('hopeless');
  const outcome = await load(c, Array.from({ length: 1_500 }, () => 'bad').join('\n'));
  assert.equal([outcome.imported, outcome.failed.length, outcome.failed_count], [0, 1_000, 1_500]);
});

test('a stream may be larger than any body, a line may not, and what comes behind a long line is kept', async () => {
  const c = await collection('large');
  const filler = 'y'.repeat(300_000);
  const lines = Array.from({ length: 120 }, (_, id) => line(id, [1, 1], { payload: { filler } }));
  const body = Buffer.from(lines.join('\n'));
  assert.ok(body.length > 33 * 1024 * 1024);
  assert.is((await load(c, body)).imported, 120);
  const tooLong = await load(
    c,
    `${line('long', [1, 1], { payload: { a: 'x'.repeat(17 * 1024 * 1024) } })}\n${line('behind', [1, 1])}`,
  );
  assert.equal([tooLong.imported, tooLong.failed[0]?.line, tooLong.failed[0]?.error.type], [1, 1, 'PayloadTooLarge']);
  const tooBig = await load(
    c,
    `${line('big', [1, 1], { payload: { a: 'x'.repeat(2 * 1024 * 1024) } })}\n${line('after', [1, 1])}`,
  );
  assert.equal(
    [tooBig.imported, tooBig.failed[0]?.error.type, tooBig.failed[0]?.error.details['point_id']],
    [1, 'PayloadTooLarge', 'big'],
  );
  assert.is(await countOf(c), 122);
});

test.run();

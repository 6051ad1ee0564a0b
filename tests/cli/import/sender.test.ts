/** The sender: what is stored, in which order, how far the file is done, and which point is to blame. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { ImportRecord, RefusedRecord } from '../../../src/cli/import/record.js';
import { Sender, type SenderSettings } from '../../../src/cli/import/sender.js';
import type { PointId } from '../../../src/model/point.js';
import { type PointInput, SkeinApiError } from '../../../src/sdk/index.js';
import { suite } from '../../support/suite.js';

const beginning = { next: 0, imported: 0, refused: 0 };

function point(index: number, id: PointId = index, value = index): ImportRecord {
  return { kind: 'point', index, place: index + 1, id, vector: new Float32Array([value]), bytes: 10 };
}

function apiError(type: string, details: object = {}): SkeinApiError {
  return new SkeinApiError({
    type,
    message: `${type} it is`,
    status: 400,
    details: details as Record<string, unknown>,
    retryable: false,
    requestId: null,
    retryAfterMs: null,
  });
}

/** A server that keeps points, refuses those with a negative value, and answers when `gate` lets it. */
function fakeServer(options: { readonly namesCulprit?: boolean; readonly gate?: (call: number) => Promise<void> } = {}) {
  const stored = new Map<PointId, number>();
  const calls: PointId[][] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  const send = async (points: readonly PointInput[]): Promise<void> => {
    const call = calls.push(points.map(({ id }) => id));
    underWay += 1;
    mostUnderWay = Math.max(mostUnderWay, underWay);
    try {
      await (options.gate?.(call) ?? Promise.resolve());
      const bad = points.find(({ vector }) => (vector?.[0] ?? 0) < 0);
      if (bad !== undefined) throw apiError('InvalidVector', options.namesCulprit === true ? { point_id: bad.id } : {});
      for (const { id, vector } of points) stored.set(id, vector?.[0] ?? 0);
    } finally {
      underWay -= 1;
    }
  };
  return { stored, calls, send, mostUnderWay: () => mostUnderWay };
}

function settings(send: SenderSettings['send'], more: Partial<SenderSettings> = {}): SenderSettings {
  return { batchPoints: 3, batchBytes: 1_000, inFlightMax: 2, send, onRefused: () => undefined, ...more };
}

async function addAll(sender: Sender, records: readonly ImportRecord[]): Promise<void> {
  for (const record of records) await sender.add(record);
}

/** Lets everything that can go on go on. */
function turns(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const test = suite('cli/import/sender');

test('points travel in batches of at most so many points and bytes, several at once and no more', async () => {
  const server = fakeServer({ gate: turns });
  const sender = new Sender(settings(server.send, { batchBytes: 25 }), beginning);
  await addAll(
    sender,
    Array.from({ length: 9 }, (_, i) => point(i)),
  );
  await sender.finish();
  assert.equal(server.calls, [[0, 1], [2, 3], [4, 5], [6, 7], [8]]);
  assert.is(server.mostUnderWay(), 2);
  assert.equal(sender.done, { next: 9, imported: 9, refused: 0 });
});

test('of points with one id the last one in the file wins, whatever the batches and the server’s haste', async (t) => {
  const records = fc.array(fc.nat(5), { maxLength: 40 }).map((ids) => ids.map((id, index) => point(index, id)));
  const delays = fc.array(fc.nat(3), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(
      records,
      delays,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      async (given, waits, batchPoints, inFlightMax) => {
        const gate = async (call: number): Promise<void> => {
          for (let i = waits[call % waits.length] ?? 0; i > 0; i--) await turns();
        };
        const server = fakeServer({ gate });
        const sender = new Sender(settings(server.send, { batchPoints, inFlightMax }), beginning);
        await addAll(sender, given);
        await sender.finish();
        const expected = new Map(
          given.flatMap((record) => (record.kind === 'point' ? [[record.id, record.index] as const] : [])),
        );
        assert.equal([...server.stored].sort(), [...expected].sort());
        assert.ok(
          server.calls.every((ids) => new Set(ids).size === ids.length),
          'one id twice in a batch',
        );
        assert.equal(sender.done, { next: given.length, imported: given.length, refused: 0 });
      },
    ),
    { numRuns: 60, seed: t.seed() },
  );
});

test('"7" and 7 are two ids', async () => {
  const server = fakeServer();
  const sender = new Sender(settings(server.send), beginning);
  await addAll(sender, [point(0, 7), point(1, '7')]);
  await sender.finish();
  assert.equal(server.calls, [[7, '7']]);
});

test('a refused batch is taken apart until each bad point stands alone, named or not, and the others are stored', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 20 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 8 }),
      async (bad, namesCulprit, batchPoints) => {
        const server = fakeServer({ namesCulprit });
        const refused: RefusedRecord[] = [];
        const sender = new Sender(settings(server.send, { batchPoints, onRefused: (record) => refused.push(record) }), beginning);
        await addAll(
          sender,
          bad.map((isBad, index) => point(index, `p${index}`, isBad ? -1 : index)),
        );
        await sender.finish();
        const places = bad.flatMap((isBad, index) => (isBad ? [index + 1] : []));
        assert.equal(
          refused.map(({ place }) => place).sort((a, b) => a - b),
          places,
        );
        assert.is(server.stored.size, bad.length - places.length);
        assert.equal(sender.done, { next: bad.length, imported: bad.length - places.length, refused: places.length });
        assert.ok(refused.every(({ problem }) => problem === 'InvalidVector: InvalidVector it is'));
      },
    ),
    { numRuns: 60, seed: t.seed() },
  );
});

test('records that the reader refused are counted where they stand', async () => {
  const server = fakeServer();
  const refused: RefusedRecord[] = [];
  const sender = new Sender(settings(server.send, { onRefused: (record) => refused.push(record) }), {
    next: 5,
    imported: 4,
    refused: 1,
  });
  await addAll(sender, [
    { kind: 'refused', index: 5, place: 6, problem: 'a' },
    point(6),
    { kind: 'refused', index: 7, place: 8, problem: 'b' },
  ]);
  await sender.finish();
  assert.equal(
    refused.map(({ problem }) => problem),
    ['a', 'b'],
  );
  assert.equal(sender.done, { next: 8, imported: 5, refused: 3 });
});

test('the mark does not pass a batch that is still under way, or one that failed', async () => {
  const gates = new Map<number, () => void>();
  const server = fakeServer({ gate: (call) => new Promise<void>((resolve) => gates.set(call, resolve)) });
  const sender = new Sender(settings(server.send, { batchPoints: 1, inFlightMax: 3 }), beginning);
  await addAll(sender, [point(0), point(1), point(2)]);
  gates.get(2)?.();
  await turns();
  assert.equal(sender.done, beginning);
  assert.is(sender.importedNow, 1);
  gates.get(1)?.();
  await turns();
  assert.equal(sender.done, { next: 2, imported: 2, refused: 0 });
});

test('an error that is not the points’ fault stops the sender, and what was stored before it counts', async () => {
  let calls = 0;
  const send = async (): Promise<void> => {
    calls += 1;
    if (calls === 2) throw apiError('Unauthorized');
  };
  const sender = new Sender(settings(send, { batchPoints: 1, inFlightMax: 1 }), beginning);
  let thrown: unknown = null;
  try {
    await addAll(sender, [point(0), point(1), point(2), point(3)]);
    await sender.finish();
  } catch (error) {
    thrown = error;
  }
  await sender.settle();
  assert.ok(thrown instanceof SkeinApiError && thrown.type === 'Unauthorized');
  assert.equal(sender.done, { next: 1, imported: 1, refused: 0 });
  assert.is(calls, 2);
});

test.run();

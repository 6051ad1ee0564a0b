/** Imports from a server that answers as Chroma does. */
import * as assert from 'uvu/assert';
import { chromaOrigin } from '../../../../src/cli/import/foreign/chroma.js';
import { ForeignServer } from '../../../../src/cli/import/foreign/foreign-server.js';
import type { Origin } from '../../../../src/cli/import/origin.js';
import { FileProblem, type ImportRecord } from '../../../../src/cli/import/record.js';
import { suite, type TestContext } from '../../../support/suite.js';
import { fakeChroma } from './fake-stores.js';

const test = suite('cli/import/foreign/chroma');

async function originOf(t: TestContext, url: string): Promise<Origin> {
  const server = new ForeignServer({ url, headers: {}, timeoutMs: 10_000, signal: new AbortController().signal });
  t.after(() => server.close());
  const place = { tenant: 'default_tenant', database: 'default_database', notePath: 'note' };
  return chromaOrigin({ ...place, server, url, collection: 'there', pagePoints: 1_000 });
}

test('records become points: metadata and documents the payload, the space the distance', async (t) => {
  const chroma = await fakeChroma(t, {
    configuration_json: { hnsw: { space: 'cosine', max_neighbors: 24, ef_construction: 80 } },
  });
  chroma.records = Array.from({ length: 700 }, (_, i) => ({
    id: `id ${i}`,
    embedding: i === 5 ? null : [i, 1],
    metadata: i === 6 ? { document: 'mine' } : i % 2 === 0 ? { i, ok: true } : null,
    document: i % 5 === 1 ? `text ${i}` : null,
  }));
  const origin = await originOf(t, chroma.url);
  assert.equal(origin.settings, { distance: 'cosine', distanceKnown: true, dimension: 2, hnsw: { m: 24, efConstruct: 80 } });
  const source = await origin.open({ next: 0 });
  const records: ImportRecord[] = [];
  for await (const group of source.records()) records.push(...group);
  assert.equal(
    records.map(({ index }) => index),
    Array.from({ length: 700 }, (_, i) => i),
  );
  const shown = records
    .slice(4, 8)
    .map((record) => (record.kind === 'point' ? [record.id, record.payload, [...(record.vector ?? [])]] : record.problem));
  assert.equal(shown, [
    ['id 4', { i: 4, ok: true }, [4, 1]],
    '(id "id 5") has no embedding',
    '(id "id 6") has a document and, in its metadata, another field of that name',
    ['id 7', {}, [7, 1]],
  ]);
  assert.equal((records[11]?.kind === 'point' && records[11].payload) as unknown, { document: 'text 11' });
  assert.is(source.readShare(), 1);
  // From a place in the middle.
  const rest: ImportRecord[] = [];
  for await (const group of (await origin.open({ next: 650 })).records()) rest.push(...group);
  assert.equal([rest.length, rest[0]?.index], [50, 650]);
});

test('distances of other forms of collections are found, and records that go away meanwhile are noticed', async (t) => {
  for (const [about, distance] of [
    [{ configuration_json: { spann: { space: 'ip' } } }, 'dot'],
    [{ configuration_json: {}, metadata: { 'hnsw:space': 'cosine' } }, 'cosine'],
    [{ configuration_json: null }, 'euclid'],
  ] as const) {
    const chroma = await fakeChroma(t, about);
    assert.is((await originOf(t, chroma.url)).settings.distance, distance);
  }
  const chroma = await fakeChroma(t, {});
  const record = (i: number) => ({ id: `${i}`, embedding: [i, 1], metadata: null, document: null });
  chroma.records = Array.from({ length: 600 }, (_, i) => record(i));
  const origin = await originOf(t, chroma.url);
  let caught: unknown = null;
  try {
    for await (const group of (await origin.open({ next: 0 })).records())
      if (group[0]?.index === 0) chroma.records = chroma.records.slice(10);
  } catch (error) {
    caught = error;
  }
  assert.instance(caught, FileProblem);
  assert.match(String(caught), 'it had 600 records at the beginning and has 590 now, and 590 were read');
});

test.run();

/** Small servers that answer as Qdrant and Chroma do to what an import asks of them. */

import { type Received, type Reply, type StubServer, stubServer } from '../../../sdk/stub-server.js';
import type { TestContext } from '../../../support/suite.js';

export interface FakePoint {
  /** As JSON: it may be larger than a number. */
  readonly id: string;
  readonly vector: unknown;
  readonly payload: unknown;
}

interface QdrantState {
  points: FakePoint[];
  /** Called before each answer; what it returns is answered instead. */
  disturb: (request: Received) => Reply | null;
}

export type FakeQdrant = StubServer & QdrantState;

/** @param config of the collection `there`, as GET tells it beside the counts */
export async function fakeQdrant(t: TestContext, config: object, schema: object = {}): Promise<FakeQdrant> {
  const order = (id: string): bigint => (id.startsWith('"') ? 2n ** 64n + BigInt(`0x${id.replaceAll(/["-]/g, '')}`) : BigInt(id));
  const fake: QdrantState = { points: [], disturb: () => null };
  const server = await stubServer(t, (request) => {
    const { path, body, bytes } = request;
    const disturbed = fake.disturb(request);
    if (disturbed !== null) return disturbed;
    if (path === '/collections/there')
      return json({
        result: { status: 'green', points_count: fake.points.length, config, payload_schema: schema },
        status: 'ok',
        time: 0,
      });
    if (path === '/collections/there/aliases')
      return json({ result: { aliases: [{ alias_name: 'other', collection_name: 'there' }] } });
    if (path !== '/collections/there/points/scroll')
      return { ...json({ status: { error: 'Not found: Collection `x` doesn’t exist!' }, time: 0 }), status: 404 };
    const { limit } = body as { limit: number };
    // As a number of JSON it might have lost digits.
    const [, offset] = /"offset":("[^"]*"|\d+)/.exec(bytes.toString()) ?? [];
    const sorted = fake.points.toSorted((a, b) => (order(a.id) < order(b.id) ? -1 : 1));
    const rest = offset === undefined ? sorted : sorted.filter(({ id }) => order(id) >= order(offset));
    const points = rest
      .slice(0, limit)
      .map(({ id, vector, payload }) => `{"id":${id},"payload":${JSON.stringify(payload)},"vector":${JSON.stringify(vector)}}`);
    return text(
      `{"result":{"points":[${points.join(',')}],"next_page_offset":${rest[limit]?.id ?? 'null'}},"status":"ok","time":0.1}`,
    );
  });
  return Object.assign(fake, server);
}

export interface FakeRecord {
  readonly id: string;
  readonly embedding: readonly number[] | null;
  readonly metadata: object | null;
  readonly document: string | null;
}

export interface FakeChroma extends StubServer {
  records: FakeRecord[];
}

export async function fakeChroma(t: TestContext, about: object): Promise<FakeChroma> {
  const fake = { records: [] as FakeRecord[] };
  const base = '/api/v2/tenants/default_tenant/databases/default_database/collections';
  const server = await stubServer(t, ({ path, body }) => {
    const place = { tenant: 'default_tenant', database: 'default_database', log_position: 0, version: 0 };
    if (path === `${base}/there`) return json({ id: 'u-1', name: 'there', dimension: 2, metadata: null, ...place, ...about });
    if (path === `${base}/u-1/count`) return json(fake.records.length);
    if (path !== `${base}/u-1/get`)
      return { ...json({ error: 'NotFoundError', message: 'Collection [x] does not exists' }), status: 404 };
    const { limit, offset } = body as { limit: number; offset: number };
    const page = fake.records.slice(offset, offset + limit);
    return json({
      ids: page.map(({ id }) => id),
      embeddings: page.map(({ embedding }) => embedding),
      metadatas: page.map(({ metadata }) => metadata),
      documents: page.map(({ document }) => document),
      uris: page.map(() => null),
      include: ['embeddings', 'metadatas', 'documents', 'uris'],
    });
  });
  return Object.assign(fake, server);
}

export function json(body: unknown): Reply {
  return text(JSON.stringify(body));
}

function text(body: string): Reply {
  return { body, headers: { 'content-type': 'application/json' } };
}

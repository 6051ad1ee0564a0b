/** The server over HTTP: searches and single-point upserts on 1 and 16 connections, as JSON and as msgpack, answers with payload.
 *
 *  The figure that counts: 768 dimensions, msgpack, 16 connections, against hnswlib-node alone on one thread at the same ef, measured
 *  before and after. Client and server share the machine, so the client's own work is inside the server's figures. */

import { atLeast, type Bench, type BenchResult, type Cell, type Progress, scaled, scaledMs } from './support/bench.js';
import { ClusterStream, type Shape } from './support/clusters.js';
import { drive } from './support/load.js';
import { fill } from './support/loaded-collection.js';
import { type RawProcess, withRaw } from './support/raw-process.js';
import { type Form, searchAll, searchRequests, upsertRequests } from './support/requests.js';
import { type ServerProcess, withServer } from './support/server-process.js';
import { findTruth, recallOfRows } from './support/truth.js';

const EF = 64;
const COLLECTION = 'http';
const FORMS: readonly Form[] = ['json', 'msgpack'];
const CONNECTIONS = [1, 16];
const SINGLE_POINTS = 2_000;
const SEARCH_RATIO_MIN = 0.8;

export const http: Bench = {
  name: 'http',
  about: 'searches and upserts over HTTP, against hnswlib-node alone on one thread',
  async run(progress) {
    const shapes = [
      { count: scaled(50_000, 2_000), dimension: 128 },
      { count: scaled(50_000, 2_000), dimension: 768 },
    ];
    const results: BenchResult[] = [];
    for (const shape of shapes) results.push(await runShape(shape, progress));
    return {
      tables: results.flatMap(({ tables }) => tables),
      figures: results.flatMap(({ figures }) => figures),
      notes: ['client and server share the cores; raw runs alone, before and after the searches'],
    };
  },
};

function runShape(shape: Shape, progress: Progress): Promise<BenchResult> {
  return withRaw((raw) =>
    withServer(async (server) => {
      const name = `${shape.count.toLocaleString('en-US')} × ${shape.dimension}`;
      progress(`${name}: filling`);
      const stream = new ClusterStream(shape.dimension);
      const base = stream.take(shape.count);
      await raw.build(shape);
      await fill(server, base, { collection: COLLECTION });
      progress(`${name}: searching`);
      const searches = await search(server, raw, stream);
      progress(`${name}: recall and upserts`);
      const { queries } = stream;
      const connection = await server.connect();
      const plan = { collection: COLLECTION, form: 'msgpack', ef: EF } as const;
      const hits = await searchAll(connection, searchRequests(queries, plan), 'msgpack');
      connection.close();
      const ids = hits.map((answer) => answer.map(({ id }) => id));
      const recall = recallOfRows(findTruth(base, queries, 'euclid', 10), base, queries, ids);
      const upserts = await upsert(server, stream);
      return {
        tables: [
          {
            title: `http ${name}: search, ef ${EF}, limit 10, with payload; raw alone ${Math.round(searches.rawPerSecond)} /s`,
            columns: ['form', 'connections', '/s', 'p50 ms', 'p95 ms', 'p99 ms', '/ raw'],
            rows: searches.rows,
          },
          {
            title: `http ${name}: upsert of one point, durable and indexed`,
            columns: ['form', 'connections', '/s', 'p50 ms', 'p95 ms', 'p99 ms'],
            rows: upserts,
          },
        ],
        figures: [
          {
            name: `search over HTTP ${name}, msgpack, 16 connections / raw`,
            value: searches.ratio,
            unit: '',
            ...(shape.dimension === 768 ? { bound: atLeast(SEARCH_RATIO_MIN) } : {}),
          },
          { name: `search over HTTP ${name}, recall@10 at ef ${EF}`, value: recall, unit: '' },
        ],
        notes: [],
      };
    }),
  );
}

async function search(server: ServerProcess, raw: RawProcess, { queries }: ClusterStream) {
  const forMs = scaledMs(5_000);
  const before = await raw.search(EF, forMs);
  const measured: { form: Form; connections: number; perSecond: number; cells: Cell[] }[] = [];
  for (const form of FORMS) {
    const requests = searchRequests(queries, { collection: COLLECTION, form, ef: EF });
    for (const connections of CONNECTIONS) {
      const load = await drive({ port: server.port, connections, requests, forMs, warmUpMs: forMs / 5 });
      const { p50, p95, p99 } = load.latencies;
      measured.push({ form, connections, perSecond: load.perSecond, cells: [form, connections, load.perSecond, p50, p95, p99] });
    }
  }
  const after = await raw.search(EF, forMs);
  const rawPerSecond = (before.perSecond + after.perSecond) / 2;
  const best = measured.find(({ form, connections }) => form === 'msgpack' && connections === 16);
  return {
    rawPerSecond,
    ratio: (best?.perSecond ?? 0) / rawPerSecond,
    rows: measured.map(({ cells, perSecond }) => [...cells, perSecond / rawPerSecond]),
  };
}

async function upsert(server: ServerProcess, stream: ClusterStream): Promise<Cell[][]> {
  const rows: Cell[][] = [];
  let firstId = 1_000_000;
  for (const form of FORMS) {
    for (const connections of CONNECTIONS) {
      const idFrom = firstId;
      firstId += SINGLE_POINTS;
      const fresh = stream.take(SINGLE_POINTS);
      const requests = upsertRequests(fresh, { collection: COLLECTION, form, size: 1, idOf: (row) => idFrom + row });
      const load = await drive({ port: server.port, connections, requests, forMs: scaledMs(3_000) });
      const { p50, p95, p99 } = load.latencies;
      rows.push([form, connections, load.perSecond, p50, p95, p99]);
    }
  }
  return rows;
}

/** Routes of distance matrices: a draw of points, and for each the nearest of the others in it, exactly. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { comparePointIds, type PointId } from '../../../model/point.js';
import type { Room } from '../../room.js';
import { collectionOf } from '../../routes/collections.js';
import type { DialectRoute } from '../dialect-route.js';
import { sendResult } from '../envelope.js';
import { filterOf } from '../filter.js';
import { countOf, formOf, textOf } from '../form.js';
import { mustNameNoShard } from '../shard-key.js';
import { targetOf, vectorNamed } from '../vector-names.js';
import { beginQueries, tellPosition } from './begin-query.js';
import { searchOf } from './order-points.js';
import type { QueryContext } from './query-context.js';
import { ABOUT_QUERIES } from './query-routes.js';
import { runStage } from './run-stage.js';
import type { Stage } from './stages.js';

const SAMPLE = 10;
const LIMIT = 3;
const SAMPLE_MAX = 1_000;
const NEIGHBOURS_MAX = 100;
/** Searches that are asked at once. */
const SEARCHES_AT_ONCE = 8;

interface Row {
  readonly id: PointId;
  readonly near: readonly { readonly id: PointId; readonly score: number }[];
}

export function matrixRoutes(room: Room): DialectRoute[] {
  return [
    matrixRoute(room, 'pairs', (rows) => ({
      pairs: rows.flatMap(({ id, near }) => near.map((one) => ({ a: id, b: one.id, score: one.score }))),
    })),
    matrixRoute(room, 'offsets', offsets),
  ];
}

function matrixRoute(room: Room, form: 'pairs' | 'offsets', resultOf: (rows: readonly Row[]) => object): DialectRoute {
  return {
    ...ABOUT_QUERIES,
    path: `/collections/:collection/points/search/matrix/${form}`,
    operationId: form === 'pairs' ? 'qdrantSearchMatrixPairs' : 'qdrantSearchMatrixOffsets',
    summary: 'Draw points and find the nearest of each among the others',
    handle: async (request, reply) => sendResult(request, reply, resultOf(await matrixOf(room, request, reply))),
  };
}

async function matrixOf(room: Room, request: FastifyRequest, reply: FastifyReply): Promise<readonly Row[]> {
  const fields = formOf(await room.bodies.read(request, { kind: 'plain' }), '', [
    'sample',
    'limit',
    'filter',
    'using',
    'shard_key',
  ]);
  const { sample = SAMPLE, limit = LIMIT, filter, using } = fields;
  mustNameNoShard({ shard_key: fields['shard_key'] });
  const stage: Stage = {
    ...{
      path: '',
      prefetch: [],
      query: { kind: 'sample' },
      efSearch: null,
      exact: false,
      scoreThreshold: null,
      lookupFrom: null,
    },
    using: using === undefined ? '' : textOf(using, 'using'),
    filter: filter === undefined ? null : filterOf(filter, 'filter'),
    limit: countOf(sample, 'sample', 2, Math.min(SAMPLE_MAX, room.limits.searchLimitMax)),
  };
  const neighbours = countOf(limit, 'limit', 1, NEIGHBOURS_MAX);
  const shown = { withPayload: false, payload: null, vectors: false } as const;
  const context = await beginQueries(room, request, collectionOf(request), [{ stage, offset: 0, shown }]);
  targetOf(context.collection, stage.using, 'using');
  const rows = await rowsOf(context, stage, neighbours);
  tellPosition(reply, context);
  return rows;
}

async function rowsOf(context: QueryContext, stage: Stage, neighbours: number): Promise<readonly Row[]> {
  const { engine, collection, budget } = context;
  const holding: Stage = { ...stage, filter: withVector(stage) };
  const drawn = await runStage(context, holding, { withPayload: false, withVector: [stage.using] });
  const points = drawn.filter((hit) => vectorNamed(hit, stage.using) !== null).sort((a, b) => comparePointIds(a.id, b.id));
  if (points.length < 2) return [];
  const ids = points.map(({ id }) => id);
  const rows: Row[] = [];
  for (let from = 0; from < points.length; from += SEARCHES_AT_ONCE) {
    const some = points.slice(from, from + SEARCHES_AT_ONCE).map(async (point): Promise<Row> => {
      const vector = vectorNamed(point, stage.using);
      if (vector === null) throw new Error('a point was drawn without its vector');
      const filter = { must: [{ kind: 'has_id', ids } as const] };
      const answer = await engine.search(
        collection.name,
        searchOf(context, { stage, filter, among: ids }, vector, neighbours + 1),
        budget,
      );
      return { id: point.id, near: answer.hits.filter(({ id }) => id !== point.id).slice(0, neighbours) };
    });
    rows.push(...(await Promise.all(some)));
  }
  return rows;
}

/** Only points that have the vector are drawn. */
function withVector({ filter, using }: Stage): Stage['filter'] {
  const has = { kind: 'has_vector', name: using } as const;
  return { must: filter === null ? [has] : [has, { kind: 'filter', filter }] };
}

function offsets(rows: readonly Row[]): object {
  const placeOf = new Map(rows.map(({ id }, place) => [id, place]));
  const cells = rows.flatMap(({ near }, row) => near.map(({ id, score }) => ({ row, column: placeOf.get(id) ?? 0, score })));
  return {
    offsets_row: cells.map(({ row }) => row),
    offsets_col: cells.map(({ column }) => column),
    scores: cells.map(({ score }) => score),
    ids: rows.map(({ id }) => id),
  };
}

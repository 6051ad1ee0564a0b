/** The dialect's pages of points, in the order of their ids or of a payload field. The offset of a page is the id of its first point. */

import type { Engine, FoundPoint, SearchHit } from '../../engine/engine.js';
import type { Filter } from '../../model/filter.js';
import type { PointId } from '../../model/point.js';
import type { Position } from '../../model/position.js';
import type { FieldOrder } from '../../model/rank-rule.js';
import { spanned } from '../../model/tracer.js';
import { DialectScrollBody } from '../../wire/qdrant-parts.js';
import { setPosition } from '../answer.js';
import { plainAsked } from '../asked.js';
import type { Room } from '../room.js';
import { collectionOf } from '../routes/collections.js';
import { whileWanted } from '../search-request.js';
import { dialectCheck, readChecked } from './body.js';
import type { DialectRoute } from './dialect-route.js';
import { sendLongResult } from './envelope.js';
import { filterOf } from './filter.js';
import { rangeMistake, wrongInput } from './mistakes.js';
import { fieldOrder, orderValue, readOrder } from './order-by.js';
import { beginRead } from './parameters.js';
import { askedId } from './point-id.js';
import { selectionOf, writeRecords } from './record.js';
import { shownOf } from './selection.js';
import { mustNameNoShard } from './shard-key.js';

const LIMIT = 10;
const NOTHING_SHOWN = { withPayload: false, withVector: false } as const;
const checkScroll = dialectCheck(DialectScrollBody);

interface PageAsked {
  readonly limit: number;
  readonly limitMax: number;
  readonly offset: PointId | null;
  readonly filter?: Filter;
  readonly withPayload: boolean;
  readonly withVector: ReturnType<typeof selectionOf>['withVector'];
}

interface Page {
  readonly points: readonly FoundPoint[];
  readonly next: PointId | null;
  readonly position: Position;
  /** What stands beside each point. */
  readonly scored?: (point: FoundPoint) => Readonly<Record<string, number>>;
}

export function scrollRoute(room: Room): DialectRoute {
  return {
    method: 'POST',
    path: '/collections/:collection/points/scroll',
    timed: true,
    operationId: 'qdrantScrollPoints',
    needs: 'read',
    tag: 'points',
    work: 'read',
    summary: 'Read points page by page',
    body: DialectScrollBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const body = await readChecked(room, request, checkScroll);
      mustNameNoShard(body);
      const { scrollLimitMax } = room.limits;
      const limit = body.limit ?? LIMIT;
      if (limit > scrollLimitMax) throw rangeMistake('limit', `at most ${scrollLimitMax} points in a page`);
      const shown = shownOf(body, { withPayload: true });
      const filter = body.filter === undefined ? {} : { filter: filterOf(body.filter, 'filter') };
      const order =
        body.order_by === undefined ? null : fieldOrder(readOrder(body.order_by, 'order_by'), engine.collection(collection));
      if (order !== null && body.offset !== undefined)
        throw wrongInput('pages in the order of a field begin with start_from, not with the id of a point', 'offset');
      const offset = body.offset === undefined ? null : await offsetOf(engine, collection, body.offset);
      room.strict.read(collection, { limit, ...filter });
      plainAsked(request, { limit, with_payload: shown.withPayload, with_vector: shown.vectors !== false }, filter.filter);
      await beginRead(room, request, engine, null);
      const form = { shown, collection: engine.collection(collection) };
      const asked = whileWanted({ limit, limitMax: scrollLimitMax, offset, ...filter, ...selectionOf(shown) }, request, room);
      const page = await spanned(request.span, 'rows', () =>
        order === null ? pageById(engine, collection, asked) : pageInOrder(engine, collection, asked, order),
      );
      setPosition(reply, page.position);
      return sendLongResult(room, request, reply, page.points, function* (out) {
        out.openObject(2);
        out.key('points');
        yield* writeRecords(out, page.points, form, page.scored);
        out.key('next_page_offset');
        out.value(page.next);
        out.closeObject();
      });
    },
  };
}

/** A page begins where the one before said, also at a text that the dialect would write in another way. @throws InvalidRequest */
async function offsetOf(engine: Engine, collection: string, given: unknown): Promise<PointId> {
  const { id, spelled } = askedId(given, 'offset');
  if (spelled === null) return id;
  const { points } = await engine.get(collection, [spelled, id], NOTHING_SHOWN);
  const ids = new Set(points.map((point) => point.id));
  // Where both are gone, the page begins where the caller says that it was.
  return ids.has(id) && !ids.has(spelled) ? id : spelled;
}

async function pageById(engine: Engine, collection: string, { offset, limit, limitMax, ...rest }: PageAsked): Promise<Page> {
  const first = offset === null ? [] : await pointsAt(engine, collection, offset, rest);
  const left = limit - first.length;
  // One more than is wanted: its id is where the next page begins.
  const most = Math.min(left + 1, limitMax);
  const after = offset === null ? null : offset;
  const { points, next, position } = await engine.scroll(collection, { ...rest, after, limit: most });
  const shown = [...first, ...points.slice(0, left)];
  const more = points[left];
  if (more !== undefined) return { points: shown, next: more.id, position };
  if (next === null) return { points: shown, next: null, position };
  const follow = await engine.scroll(collection, { ...rest, ...NOTHING_SHOWN, after: next, limit: 1 });
  return { points: shown, next: follow.points[0]?.id ?? null, position };
}

/** The point with this id where it matches, else none. */
async function pointsAt(
  engine: Engine,
  collection: string,
  id: PointId,
  rest: Omit<PageAsked, 'offset' | 'limit' | 'limitMax'>,
): Promise<readonly FoundPoint[]> {
  const must = [
    { kind: 'has_id', ids: [id] } as const,
    ...(rest.filter === undefined ? [] : [{ kind: 'filter', filter: rest.filter } as const]),
  ];
  return (await engine.scroll(collection, { ...rest, filter: { must }, after: null, limit: 1 })).points;
}

async function pageInOrder(engine: Engine, collection: string, { limit, ...rest }: PageAsked, rule: FieldOrder): Promise<Page> {
  const { filter, withPayload, withVector } = rest;
  const { hits, position } = await engine.rank(collection, {
    ...rest,
    rule,
    limit,
    withPayload,
    withVector,
    ...(filter && { filter }),
  });
  const scored = (point: FoundPoint) => ({ order_value: orderValue((point as SearchHit).score, rule) });
  return { points: hits, next: null, position, scored };
}

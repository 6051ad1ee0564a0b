/** The dialect's pages of points, in the order of their ids or of a payload field. The offset of a page is the id of its first point. */

import type { CollectionInfo, Engine, FoundPoint, SearchHit } from '../../engine/engine.js';
import type { PayloadIndexType } from '../../model/collection.js';
import type { Filter } from '../../model/filter.js';
import { parseInstant } from '../../model/instant.js';
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
import { formMistake, rangeMistake, wrongInput } from './mistakes.js';
import { beginRead } from './parameters.js';
import { placeInPayload } from './payload-path.js';
import { isObject } from './plain-object.js';
import { readableId } from './point-id.js';
import { selectionOf, writeRecords } from './record.js';
import { shownOf } from './selection.js';
import { mustNameNoShard } from './shard-key.js';

const LIMIT = 10;
/** Of a millisecond: instants are told in them. */
const MICROSECONDS = 1_000;
const NOTHING_SHOWN = { withPayload: false, withVector: false } as const;
const RANGED: ReadonlySet<PayloadIndexType> = new Set<PayloadIndexType>(['integer', 'float', 'datetime']);
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
      const order = body.order_by === undefined ? null : orderOf(body.order_by, engine.collection(collection));
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
  const canonical = readableId(given, 'offset');
  if (typeof given !== 'string' || given === canonical) return canonical;
  const filter = { must: [{ kind: 'has_id', ids: [given] } as const] };
  const { points } = await engine.scroll(collection, { ...NOTHING_SHOWN, filter, after: null, limit: 1 });
  return points[0]?.id ?? canonical;
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
  const scored = (point: FoundPoint) => ({ order_value: (point as SearchHit).score * (rule.time ? MICROSECONDS : 1) });
  return { points: hits, next: null, position, scored };
}

/** `"key"` or `{key, direction?, start_from?}`. As in the dialect the field has an index of numbers or instants, which says what its values are.
 *  @throws InvalidRequest, InvalidFilter */
function orderOf(value: unknown, { payloadIndexes }: CollectionInfo): FieldOrder {
  const given = typeof value === 'string' ? { key: value } : value;
  if (!isObject(given)) throw formMistake('order_by', 'must be a key, or {"key": …}');
  const { key, direction = 'asc', start_from: start = null, ...others } = given;
  const [other] = Object.keys(others);
  if (other !== undefined) throw formMistake(`order_by.${other}`, 'unknown field');
  if (direction !== null && direction !== 'asc' && direction !== 'desc')
    throw formMistake('order_by.direction', 'must be asc or desc');
  const place = placeInPayload(key, 'order_by.key');
  const index = payloadIndexes.find(({ path, type }) => path === place.key && RANGED.has(type));
  if (index === undefined)
    throw wrongInput(`no index of integers, floats or datetimes has the field ${place.key}; make one to order by it`, 'order_by');
  const time = index.type === 'datetime';
  return { kind: 'order', ...place, time, descending: direction === 'desc', from: startOf(start, time) };
}

function startOf(start: unknown, time: boolean): number | null {
  if (start === null) return null;
  const from = time && typeof start === 'string' ? parseInstant(start) : start;
  if (typeof from === 'number' && Number.isFinite(from) && time === (typeof start === 'string')) return from;
  throw formMistake('order_by.start_from', time ? 'must be an RFC 3339 instant' : 'must be a number');
}

/** What a request for the change feed asks for. Must not know: how changes are sent. */

import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ChangeSelection, ChangeStart } from '../../engine/engine.js';
import { decodeChangeToken } from '../../model/change-place.js';
import { checkCollectionName } from '../../model/collection.js';
import { invalidFilter, messageOf } from '../../model/errors.js';
import type { Filter } from '../../model/filter.js';
import { parseFilter } from '../../wire/filter.js';
import type { FilterBody } from '../../wire/http-bodies.js';
import { mustBeInScope } from '../access/authorization.js';
import { principalOf } from '../access/principal.js';
import { type Freshness, flag, freshness, queryOf, READ_PARAMETERS } from '../parameters.js';
import { ReadQuery } from '../query-schemas.js';
import type { Room } from '../room.js';

export interface WantedChanges {
  readonly start: ChangeStart;
  readonly selection: ChangeSelection;
  /** How long a replica may take to get to the place. */
  readonly reachMs: number;
  /** Null: however old the state of a replica is. */
  readonly freshness: Freshness | null;
}

const PARAMETERS = ['from', 'collection', 'filter', 'with_payload', 'with_vector', 'with_leaves'] as const;
/** https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header */
const LAST_EVENT_ID = 'last-event-id';
const REACH_MS = 1_000;

export const ChangesQuery = Type.Object(
  {
    from: Type.Optional(
      Type.String({
        description:
          'now (the default): what happens from now on; snapshot: the current state first; a token of a change or of a position: what comes behind it.',
      }),
    ),
    collection: Type.Optional(
      Type.String({ description: 'The name of a collection, not an alias. Without it: all, and aliases.' }),
    ),
    filter: Type.Optional(Type.String({ description: 'A filter as JSON, held against the new state of each point.' })),
    with_payload: Type.Optional(Type.Boolean({ description: 'Default true.' })),
    with_vector: Type.Optional(Type.Boolean({ description: 'Default false.' })),
    with_leaves: Type.Optional(
      Type.Boolean({ description: 'Default true: tell also of writes to points that do not pass the filter, as leave.' }),
    ),
    ...ReadQuery.properties,
  },
  { additionalProperties: false },
);

export const ChangesHeaders = Type.Object({
  [LAST_EVENT_ID]: Type.Optional(Type.String({ description: 'Where a broken feed goes on; stands over from.' })),
});

/** @throws InvalidRequest, InvalidFilter, InvalidCollectionName, Forbidden */
export function wantedChanges(request: FastifyRequest, { limits }: Pick<Room, 'limits'>): WantedChanges {
  const query = queryOf(request, [...PARAMETERS, ...READ_PARAMETERS]);
  const principal = principalOf(request);
  const collection = query['collection'] === undefined ? null : checkCollectionName(query['collection']);
  if (collection !== null) mustBeInScope(principal, 'read', collection);
  const fresh = freshness(request, query, {}, limits);
  return {
    start: startOf(query['from'], request.headers[LAST_EVENT_ID]),
    selection: {
      collection,
      scope: principal.scope,
      filter: query['filter'] === undefined ? null : filterOf(String(query['filter'])),
      withPayload: flag(query, 'with_payload', true),
      withVector: flag(query, 'with_vector', false),
      withLeaves: flag(query, 'with_leaves', true),
    },
    reachMs: query['max_wait_ms'] === undefined ? Math.min(REACH_MS, limits.waitMsMax) : Number(query['max_wait_ms']),
    freshness: fresh,
  };
}

function startOf(from: unknown, lastEventId: unknown): ChangeStart {
  if (typeof lastEventId === 'string' && lastEventId !== '') return decodeChangeToken(lastEventId, LAST_EVENT_ID);
  if (from === undefined || from === 'now') return 'now';
  return from === 'snapshot' ? 'snapshot' : decodeChangeToken(String(from), 'from');
}

function filterOf(text: string): Filter {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw invalidFilter('', `is not JSON: ${messageOf(error)}`);
  }
  return parseFilter(body as FilterBody);
}

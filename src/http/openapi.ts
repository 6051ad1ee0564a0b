/** The OpenAPI 3.1 document: made once from the route table, served at /openapi.json; the page at /docs shows it. */

import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { CONDITION_SCHEMA, FILTER_SCHEMA } from '../wire/filter-body.js';
import { ErrorBody } from '../wire/http-bodies.js';
import { BODY_TYPES } from './body-type.js';
import type { Route } from './route-table.js';

const DESCRIPTION =
  'Every answer carries x-request-id, every answer about data x-skein-position, every read of data x-skein-staleness-ms where it is known. Bodies are JSON or MessagePack (content-type, accept: ' +
  'application/msgpack); there a vector may be binary: little-endian float32, 4 · dimension bytes. Unknown fields are refused.';

/** Registers the plugin; call before the routes are added. */
export async function addOpenApi(app: FastifyInstance, version: string): Promise<void> {
  app.addSchema({ ...ErrorBody, $id: 'Error' });
  app.addSchema(FILTER_SCHEMA);
  app.addSchema(CONDITION_SCHEMA);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Skein', version, description: DESCRIPTION, license: { name: 'MIT' } },
      tags: [
        { name: 'collections' },
        { name: 'points' },
        { name: 'search' },
        { name: 'replication' },
        { name: 'keys' },
        { name: 'server' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          apiKey: { type: 'apiKey', in: 'header', name: 'api-key' },
        },
      },
      security: [{ bearer: [] }, { apiKey: [] }],
    },
    refResolver: { buildLocalReference: (schema) => String(schema['$id']) },
  });
}

/** What the document says of a route. */
export function routeSchema(route: Route): FastifySchema {
  const names = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1] as string);
  const ELSEWHERE = { description: 'This node is a replica; Location is the same path on the master.', $ref: 'Error#' };
  const ANY_FAILURE = { description: 'The request failed; `type` says how.', $ref: 'Error#' };
  return {
    ...({ operationId: route.operationId, summary: route.summary, tags: [route.tag] } as FastifySchema),
    ...(names.length === 0 ? {} : { params: Type.Object(Object.fromEntries(names.map((name) => [name, parameter(name)]))) }),
    ...(route.query === undefined ? {} : { querystring: route.query }),
    ...(route.headers === undefined ? {} : { headers: route.headers }),
    ...(route.body === undefined ? {} : { body: route.body, consumes: [...(route.bodyTypes ?? BODY_TYPES)] }),
    produces: [...(route.answerTypes ?? BODY_TYPES)],
    ...(route.needs === 'none' ? { security: [] } : {}),
    ...({ 'x-needs': route.needs } as object),
    response: {
      ...(route.master === true ? { 307: ELSEWHERE } : {}),
      [route.status ?? 200]: { description: 'Done.', ...route.answer },
      ...(route.mayOnlyBegin === true ? { 202: { description: 'Begun: how it ends is in the log.', ...route.answer } } : {}),
      '4XX': ANY_FAILURE,
      '5XX': ANY_FAILURE,
    },
  };
}

function parameter(name: string): TSchema {
  if (name === 'collection' || name === 'alias') {
    const description = name === 'alias' ? 'An alias.' : 'The name of a collection, or an alias of it.';
    return Type.String({ pattern: '^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$', description });
  }
  if (name === 'key') return Type.String({ description: 'The id of an access key.' });
  if (name === 'replica') return Type.String({ description: 'The node id of a replica.' });
  return Type.String({ description: 'A point id. Digits alone are the integer; id_type=string makes them the string.' });
}

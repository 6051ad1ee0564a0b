/** Requests of the HTTP API as bytes, in both forms, made before a clock starts; and the reading of their answers. */

import { floatBytes, packMessage, unpackMessage } from '../../src/codec/msgpack.js';
import type { Distance } from '../../src/model/distance.js';
import { payloadOf, rowOf, type VectorRows } from './clusters.js';
import type { HttpConnection, PreparedRequest, RawHttpAnswer } from './http-connection.js';

export type Form = 'json' | 'msgpack';

const TYPES: Readonly<Record<Form, string>> = { json: 'application/json', msgpack: 'application/msgpack' };

/** @param body plain data; null for none */
export function prepare(method: string, path: string, form: Form, body: unknown): PreparedRequest {
  const bytes =
    body === null ? Buffer.alloc(0) : form === 'json' ? Buffer.from(JSON.stringify(body)) : Buffer.from(packMessage(body));
  const head =
    `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: ${TYPES[form]}\r\n` +
    (body === null ? '\r\n' : `content-type: ${TYPES[form]}\r\ncontent-length: ${bytes.length}\r\n\r\n`);
  return { bytes: Buffer.concat([Buffer.from(head, 'latin1'), bytes]) };
}

function vectorBody(vector: Float32Array, form: Form): unknown {
  return form === 'json' ? Array.from(vector) : floatBytes(vector);
}

export function createRequest(name: string, dimension: number, distance: Distance): PreparedRequest {
  return prepare('PUT', `/v1/collections/${name}`, 'json', { dimension, distance });
}

export interface UpsertPlan {
  readonly collection: string;
  readonly form: Form;
  /** Points in one request. */
  readonly size: number;
  /** The id of row n; default n. */
  readonly idOf?: (row: number) => number;
  /** Query string with its question mark. */
  readonly query?: string;
}

/** All rows in requests of `size` points, in order, each point with its 100-byte payload. */
export function upsertRequests(rows: VectorRows, plan: UpsertPlan): PreparedRequest[] {
  const { collection, form, size, idOf = (row) => row, query = '' } = plan;
  const requests: PreparedRequest[] = [];
  for (let from = 0; from < rows.count; from += size) {
    const points = Array.from({ length: Math.min(size, rows.count - from) }, (_, place) => {
      const id = idOf(from + place);
      return { id, vector: vectorBody(rowOf(rows, from + place), form), payload: payloadOf(id) };
    });
    requests.push(prepare('PUT', `/v1/collections/${collection}/points${query}`, form, { points }));
  }
  return requests;
}

export interface SearchPlan {
  readonly collection: string;
  readonly form: Form;
  readonly limit?: number;
  /** Left out: the collection's own. */
  readonly ef?: number;
  readonly exact?: boolean;
  readonly withPayload?: boolean;
}

export function searchRequests(queries: VectorRows, plan: SearchPlan): PreparedRequest[] {
  const { collection, form, limit = 10, ef, exact, withPayload } = plan;
  return Array.from({ length: queries.count }, (_, query) =>
    prepare('POST', `/v1/collections/${collection}/points/search`, form, {
      vector: vectorBody(rowOf(queries, query), form),
      limit,
      cache: false,
      ...(ef === undefined ? {} : { ef_search: ef }),
      ...(exact === undefined ? {} : { exact }),
      ...(withPayload === undefined ? {} : { with_payload: withPayload }),
    }),
  );
}

/** @throws Error with the server's own words when the status is not 2xx */
export function readAnswer(answer: RawHttpAnswer, form: Form): Readonly<Record<string, unknown>> {
  if (answer.status >= 300) throw new Error(`${answer.status}: ${answer.body.toString('utf8').slice(0, 500)}`);
  return (form === 'json' ? JSON.parse(answer.body.toString('utf8')) : unpackMessage(answer.body)) as Record<string, unknown>;
}

export async function ask(connection: HttpConnection, request: PreparedRequest, form: Form = 'json') {
  return readAnswer(await connection.send(request), form);
}

export function get(connection: HttpConnection, path: string) {
  return ask(connection, prepare('GET', path, 'json', null));
}

export interface HitBody {
  readonly id: number;
  readonly score: number;
}

/** The hits of every query, one after the other. */
export async function searchAll(
  connection: HttpConnection,
  requests: readonly PreparedRequest[],
  form: Form,
): Promise<HitBody[][]> {
  const answers: HitBody[][] = [];
  for (const request of requests) {
    const { hits } = await ask(connection, request, form);
    answers.push([...(hits as readonly HitBody[])]);
  }
  return answers;
}

/** Chroma as an origin: the records of a collection, page by page, over version 2 of its HTTP API.
 *
 *    GET …/collections/{name} ─► id, dimension, distance      POST …/collections/{id}/get {limit, offset} ─► ids, embeddings, metadatas, documents
 *
 *  Metadata becomes the payload, a document its field `document`, a URI its field `uri`. Chroma pages by offset alone: what is deleted there during
 *  the import moves others forward, past the reader; so the count at the beginning and at the end are compared, and a difference is a failure.
 *  Source: the OpenAPI document that a Chroma server (1.x) shows at /openapi.json; tried against 1.0.0. Must not know: our servers. */

import type { Payload } from '../../../model/point.js';
import type { Distance } from '../../../sdk/index.js';
import type { Origin, OriginPlace, OriginSettings } from '../origin.js';
import { idOf, RecordProblem, vectorOf } from '../point-fields.js';
import { FileProblem, type ImportRecord, POINT_OVERHEAD_BYTES, type RecordSource } from '../record.js';
import { roundedIntegers, roundedNumberIn } from './exact-numbers.js';
import type { ForeignServer } from './foreign-server.js';
import { arrayOf, at, isObject, type JsonObject, objectOf, wholeNumber } from './json-shape.js';

const ELSEWHERE = 'name the collection with --source-collection, and where it is with --tenant and --database';

export interface ChromaOptions {
  readonly server: ForeignServer;
  readonly url: string;
  readonly collection: string;
  readonly tenant: string;
  readonly database: string;
  readonly notePath: string;
  readonly pagePoints: number;
}

/** What the hosted Chroma gives at most. */
const PAGE_POINTS_MAX = 300;
const DISTANCES: Readonly<Record<string, Distance>> = { cosine: 'cosine', ip: 'dot', l2: 'euclid' };
const COLUMNS = ['embeddings', 'metadatas', 'documents', 'uris'] as const;

/** @throws FileProblem when there is no such collection */
export async function chromaOrigin(options: ChromaOptions): Promise<Origin> {
  const { server, url, collection, tenant, database, notePath } = options;
  const path = `/api/v2/tenants/${encodeURIComponent(tenant)}/databases/${encodeURIComponent(database)}/collections`;
  const about = objectOf(await server.describe(`${path}/${encodeURIComponent(collection)}`, ELSEWHERE), 'the collection');
  const records = `${path}/${encodeURIComponent(String(about['id']))}`;
  const total = wholeNumber((await server.ask(`${records}/count`)).body) ?? 0;
  return {
    name: `chroma collection ${collection}`,
    notePath,
    identity: {
      origin: 'chroma',
      source: url,
      source_collection: collection,
      source_id: String(about['id']),
      source_count: total,
    },
    settings: settingsOf(about),
    losses: lossesOf(about),
    open: (place) => Promise.resolve(paged(options, records, total, place)),
    close: () => Promise.resolve(server.close()),
  };
}

function settingsOf(about: JsonObject): OriginSettings {
  const { distance, hnsw } = indexOf(about);
  const dimension = wholeNumber(about['dimension']);
  const m = wholeNumber(at(hnsw, 'max_neighbors'));
  const efConstruct = wholeNumber(at(hnsw, 'ef_construction'));
  return {
    ...{ distance, distanceKnown: true },
    ...(dimension === null ? {} : { dimension }),
    ...(m === null || m < 2 || efConstruct === null || efConstruct < 1 ? {} : { hnsw: { m, efConstruct } }),
  };
}

/** @throws FileProblem for a distance that is not here */
function indexOf(about: JsonObject): { readonly distance: Distance; readonly hnsw: unknown } {
  const configuration = about['configuration_json'];
  const hnsw = at(configuration, 'hnsw');
  const space = at(hnsw, 'space') ?? at(configuration, 'spann', 'space') ?? at(about, 'metadata', 'hnsw:space') ?? 'l2';
  const distance = DISTANCES[String(space)];
  if (distance === undefined) throw new FileProblem(`its distance ${String(space)} is none of cosine, ip and l2`);
  return { distance, hnsw };
}

function lossesOf(about: JsonObject): string[] {
  const { distance } = indexOf(about);
  const meanings: Readonly<Record<Distance, string>> = {
    cosine: 'Chroma tells 1 − cosine similarity as its distance; scores here are the similarity itself, higher is nearer',
    dot: 'Chroma tells 1 − dot product as its distance; scores here are the product itself, higher is nearer',
    euclid: 'Chroma tells squared distances; scores here are the distances themselves',
  };
  const embedding = at(about, 'configuration_json', 'embedding_function', 'type') === 'known';
  return [
    meanings[distance],
    'documents become the payload field "document"; "text_fields" with PATCH makes them searchable',
    ...(embedding ? ['its embedding function does not come along: searches bring their vectors'] : []),
  ];
}

function paged({ server, pagePoints }: ChromaOptions, path: string, total: number, place: OriginPlace): RecordSource {
  const limit = Math.min(pagePoints, PAGE_POINTS_MAX);
  let read = place.next;
  return {
    placeWord: 'point',
    readShare: () => Math.min(1, read / Math.max(1, total)),
    async *records() {
      read = place.next;
      for (;;) {
        const { text, body } = await server.ask(`${path}/get`, JSON.stringify({ limit, offset: read, include: COLUMNS }));
        const group = recordsOf(text, objectOf(body, 'a page of records'), read);
        if (group.length === 0) break;
        read += group.length;
        yield group;
      }
      const now = wholeNumber((await server.ask(`${path}/count`)).body) ?? 0;
      if (now !== total || now !== read)
        throw new FileProblem(
          `it had ${total} records at the beginning and has ${now} now, and ${read} were read: it was written to meanwhile, and some may be missing; import again while nobody writes`,
        );
    },
  };
}

function recordsOf(text: string, body: JsonObject, start: number): ImportRecord[] {
  const ids = arrayOf(body['ids'], 'the ids of a page');
  const columns = COLUMNS.map((name) => arrayOf(body[name] ?? [], `the ${name} of a page`));
  const rounded = roundedIntegers(text);
  const bytes = Math.ceil(text.length / Math.max(1, ids.length)) + POINT_OVERHEAD_BYTES;
  return ids.map((id, i): ImportRecord => {
    const where = { index: start + i, place: start + i + 1 };
    const [embedding, metadata, document, uri] = columns.map((column) => column[i] ?? null);
    try {
      const payload = payloadOf(metadata, { document, uri });
      const lost = roundedNumberIn(payload, rounded);
      if (lost !== null)
        throw new RecordProblem(`has an integer near ${lost} in its metadata, beyond ±2^53, which JSON numbers cannot hold`);
      if (embedding === null || embedding === undefined) throw new RecordProblem('has no embedding');
      return { kind: 'point', ...where, id: idOf(id, 'id'), vector: vectorOf(embedding, 'embedding'), payload, bytes };
    } catch (error) {
      if (!(error instanceof RecordProblem)) throw error;
      return { kind: 'refused', ...where, problem: `(id ${JSON.stringify(id)}) ${error.message}` };
    }
  });
}

/** @throws RecordProblem when a document has no place beside the metadata */
function payloadOf(metadata: unknown, beside: Readonly<Record<string, unknown>>): Payload {
  const fields: Record<string, unknown> = isObject(metadata) ? { ...metadata } : {};
  for (const [name, value] of Object.entries(beside)) {
    if (value === null || value === undefined) continue;
    if (Object.hasOwn(fields, name)) throw new RecordProblem(`has a ${name} and, in its metadata, another field of that name`);
    fields[name] = value;
  }
  return fields as Payload;
}

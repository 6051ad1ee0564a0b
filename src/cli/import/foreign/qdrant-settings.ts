/** A Qdrant collection's description as settings of ours, and in sentences what has no place here. Pure.
 *  Source: https://qdrant.tech/documentation/concepts/collections/ (GET /collections/{name}). */

import type { Distance, PayloadIndex, PayloadIndexType } from '../../../sdk/index.js';
import type { OriginSettings } from '../origin.js';
import { FileProblem } from '../record.js';
import { at, isObject, type JsonObject, objectOf, wholeNumber } from './json-shape.js';

export interface QdrantPlan {
  /** Name of the vector that becomes the default one; '' where it has none. */
  readonly vectorName: string;
  readonly settings: OriginSettings;
  readonly losses: readonly string[];
  readonly pointsCount: number;
}

/** What the server takes (docs/HTTP_API.md §3). */
const GRAPH = { mMin: 2, mMax: 256, efConstructMax: 10_000 };

const DISTANCES: Readonly<Record<string, Distance>> = { Cosine: 'cosine', Dot: 'dot', Euclid: 'euclid' };
const INDEX_TYPES: Readonly<Record<string, PayloadIndexType>> = {
  keyword: 'keyword',
  uuid: 'keyword',
  integer: 'integer',
  float: 'float',
  bool: 'bool',
  datetime: 'datetime',
  geo: 'geo',
};

/** @param result of GET /collections/{name}  @throws FileProblem when nothing of its vectors can be stored here */
export function planOf(result: unknown): QdrantPlan {
  const params = objectOf(at(result, 'config', 'params'), 'the collection');
  const losses: string[] = [];
  const [vectorName, vector] = defaultVector(params, losses);
  const distance = DISTANCES[String(vector['distance'])];
  if (distance === undefined)
    throw new FileProblem(`its distance ${String(vector['distance'])} is none of cosine, dot and euclid, which are here`);
  if (distance === 'cosine') losses.push('Qdrant keeps vectors of cosine collections at length 1, and so they come here');
  const { payloadIndexes, textFields } = indexesOf(at(result, 'payload_schema'), losses);
  otherLosses(result, vector, losses);
  return {
    vectorName,
    settings: {
      ...{ dimension: wholeNumber(vector['size']) ?? 0, distance, distanceKnown: true, payloadIndexes, textFields },
      ...hnswOf(at(result, 'config', 'hnsw_config'), vector['hnsw_config'], losses),
    },
    losses,
    pointsCount: wholeNumber(at(result, 'points_count')) ?? 0,
  };
}

/** The unnamed vector, or the first that has a name. */
function defaultVector(params: JsonObject, losses: string[]): readonly [string, JsonObject] {
  const vectors = objectOf(params['vectors'] ?? {}, 'the vectors of the collection');
  const named =
    wholeNumber(vectors['size']) === null
      ? Object.entries(vectors).filter(([, vector]) => isObject(vector))
      : [['', vectors] as const];
  const single = named.filter(([, vector]) => at(vector, 'multivector_config') === null);
  const [first, ...others] = single;
  if (first === undefined)
    throw new FileProblem(
      'it has no vector that could be stored here: several vectors per point under one name are not known here',
    );
  const [name, vector] = first;
  if (name !== '') losses.push(`its vector ${JSON.stringify(name)} becomes the vector of the collection, without that name`);
  const left = [...others, ...named.filter((one) => !single.includes(one))].map(([other]) => other);
  const sparse = Object.keys(isObject(params['sparse_vectors']) ? params['sparse_vectors'] : {});
  for (const other of [...left, ...sparse]) losses.push(`its vector ${JSON.stringify(other)} does not come along`);
  return [name, objectOf(vector, 'the vector of the collection')];
}

function indexesOf(schema: unknown, losses: string[]): { payloadIndexes: PayloadIndex[]; textFields: string[] } {
  const payloadIndexes: PayloadIndex[] = [];
  const textFields: string[] = [];
  for (const [field, described] of Object.entries(isObject(schema) ? schema : {})) {
    const type = String(at(described, 'data_type'));
    const path = field.replaceAll('[]', '');
    const known = INDEX_TYPES[type];
    if (/["[\]]/.test(path) || (known === undefined && type !== 'text'))
      losses.push(`its index of payload field ${field} (${type}) is not made here`);
    else if (known === undefined) textFields.push(path);
    else payloadIndexes.push({ path, type: known });
  }
  return { payloadIndexes, textFields };
}

function hnswOf(ofCollection: unknown, ofVector: unknown, losses: string[]): Pick<OriginSettings, 'hnsw'> {
  const m = wholeNumber(at(ofVector, 'm')) ?? wholeNumber(at(ofCollection, 'm'));
  const efConstruct = wholeNumber(at(ofVector, 'ef_construct')) ?? wholeNumber(at(ofCollection, 'ef_construct'));
  if (m === null || efConstruct === null) return {};
  if (m >= GRAPH.mMin && m <= GRAPH.mMax && efConstruct >= 1 && efConstruct <= GRAPH.efConstructMax)
    return { hnsw: { m, efConstruct } };
  losses.push(`its graph (m ${m}, ef_construct ${efConstruct}) is built with the defaults here`);
  return {};
}

function otherLosses(result: unknown, vector: JsonObject, losses: string[]): void {
  const config = at(result, 'config');
  if (at(config, 'quantization_config') !== null || at(vector, 'quantization_config') !== null)
    losses.push('its quantization does not come along; "quantization" of a collection is declared when it is made');
  if (at(config, 'strict_mode_config', 'enabled') === true)
    losses.push('its strict mode does not come along; "strict_mode" is declared with PATCH');
  if (at(config, 'params', 'sharding_method') === 'custom') losses.push('its shard keys do not come along');
  const datatype = at(vector, 'datatype');
  if (datatype !== null && datatype !== 'float32')
    losses.push(`its vectors are ${JSON.stringify(datatype)} there and float32 here`);
}

/** A Qdrant collection's description as settings of ours, and in sentences what has no place here. Pure.
 *  Source: https://qdrant.tech/documentation/concepts/collections/ (GET /collections/{name}). */

import type { DenseVectorSettings, Distance, PayloadIndex, PayloadIndexType, SparseVectorSettings } from '../../../sdk/index.js';
import type { OriginSettings } from '../origin.js';
import { FileProblem } from '../record.js';
import { at, isObject, type JsonObject, objectOf, wholeNumber } from './json-shape.js';
import { type ForeignText, textReading } from './qdrant-text.js';

export interface QdrantPlan {
  /** Names of the vectors that come along; '' is the one without a name. */
  readonly names: ReadonlySet<string>;
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
  const graph = at(result, 'config', 'hnsw_config');
  const dense = denseVectors(params, graph, losses);
  const sparse = sparseVectors(params);
  // One that was made without any vector has payloads alone; that can be here as well.
  if (dense.size + Object.keys(sparse).length === 0 && losses.length > 0)
    throw new FileProblem(
      'it has no vector that could be stored here: several vectors per point under one name are not known here',
    );
  const { payloadIndexes, texts } = indexesOf(at(result, 'payload_schema'), losses);
  const text = textReading(texts, losses);
  otherLosses(result, losses);
  const unnamed = dense.get('');
  const named = Object.fromEntries([...dense].filter(([name]) => name !== ''));
  return {
    names: new Set([...dense.keys(), ...Object.keys(sparse)]),
    settings: {
      ...{ distanceKnown: true, payloadIndexes, textFields: texts.map(({ path }) => path), ...unnamed },
      ...(text === null ? {} : { text }),
      ...(unnamed !== undefined && Object.keys(named).length === 0 ? {} : { vectors: named }),
      ...(Object.keys(sparse).length === 0 ? {} : { sparseVectors: sparse }),
    },
    losses,
    pointsCount: wholeNumber(at(result, 'points_count')) ?? 0,
  };
}

/** By name; '' for the one without. @throws FileProblem for a distance that is not here */
function denseVectors(params: JsonObject, graph: unknown, losses: string[]): ReadonlyMap<string, DenseVectorSettings> {
  const vectors = objectOf(params['vectors'] ?? {}, 'the vectors of the collection');
  const named = wholeNumber(vectors['size']) === null ? Object.entries(vectors) : [['', vectors] as const];
  const found = new Map<string, DenseVectorSettings>();
  for (const [name, vector] of named) {
    if (!isObject(vector)) continue;
    const what = name === '' ? 'its vector' : `its vector ${JSON.stringify(name)}`;
    if (at(vector, 'multivector_config') !== null) {
      losses.push(`${what} does not come along: it is several vectors per point`);
      continue;
    }
    const distance = DISTANCES[String(vector['distance'])];
    if (distance === undefined)
      throw new FileProblem(
        `the distance ${String(vector['distance'])} of ${what} is none of cosine, dot and euclid, which are here`,
      );
    if (distance === 'cosine') losses.push(`${what} comes as Qdrant keeps it for cosine: with length 1`);
    if (at(vector, 'quantization_config') !== null) losses.push(`the quantization of ${what} does not come along`);
    const datatype = at(vector, 'datatype');
    if (datatype !== null && datatype !== 'float32') losses.push(`${what} is ${JSON.stringify(datatype)} there and float32 here`);
    found.set(name, { dimension: wholeNumber(vector['size']) ?? 0, distance, ...hnswOf(graph, vector['hnsw_config'], losses) });
  }
  return found;
}

function sparseVectors(params: JsonObject): Readonly<Record<string, SparseVectorSettings>> {
  const sparse = isObject(params['sparse_vectors']) ? params['sparse_vectors'] : {};
  return Object.fromEntries(
    Object.entries(sparse).map(([name, one]) => [name, at(one, 'modifier') === 'idf' ? { modifier: 'idf' as const } : {}]),
  );
}

function indexesOf(schema: unknown, losses: string[]): { payloadIndexes: PayloadIndex[]; texts: ForeignText[] } {
  const payloadIndexes: PayloadIndex[] = [];
  const texts: ForeignText[] = [];
  for (const [field, described] of Object.entries(isObject(schema) ? schema : {})) {
    const type = String(at(described, 'data_type'));
    const path = field.replaceAll('[]', '');
    const known = INDEX_TYPES[type];
    if (/["[\]]/.test(path) || (known === undefined && type !== 'text'))
      losses.push(`its index of payload field ${field} (${type}) is not made here`);
    else if (known === undefined) texts.push({ path, params: at(described, 'params') });
    else payloadIndexes.push({ path, type: known });
  }
  return { payloadIndexes, texts };
}

function hnswOf(ofCollection: unknown, ofVector: unknown, losses: string[]): Pick<DenseVectorSettings, 'hnsw'> {
  const m = wholeNumber(at(ofVector, 'm')) ?? wholeNumber(at(ofCollection, 'm'));
  const efConstruct = wholeNumber(at(ofVector, 'ef_construct')) ?? wholeNumber(at(ofCollection, 'ef_construct'));
  if (m === null || efConstruct === null) return {};
  if (m >= GRAPH.mMin && m <= GRAPH.mMax && efConstruct >= 1 && efConstruct <= GRAPH.efConstructMax)
    return { hnsw: { m, efConstruct } };
  losses.push(`its graph (m ${m}, ef_construct ${efConstruct}) is built with the defaults here`);
  return {};
}

function otherLosses(result: unknown, losses: string[]): void {
  const config = at(result, 'config');
  if (at(config, 'quantization_config') !== null)
    losses.push('its quantization does not come along; "quantization" of a collection is declared when it is made');
  if (at(config, 'strict_mode_config', 'enabled') === true)
    losses.push('its strict mode does not come along; "strict_mode" is declared with PATCH');
  if (at(config, 'params', 'sharding_method') === 'custom') losses.push('its shard keys do not come along');
}

/** A collection as the dialect shows it. Figures that this server has no counterpart of are those of one segment on one node.
 *  Must not know: routes. */

import type { CollectionInfo, Engine } from '../../engine/engine.js';
import type { Cancellation } from '../../model/cancellation.js';
import { DEFAULT_VECTOR } from '../../model/point.js';
import { shownStrictMode } from '../../wire/http-bodies.js';
import { shownText } from './text-settings.js';
import { shownDense, shownQuantization } from './vector-settings.js';

/** How often the log is brought to disk: with every commit. */
const FLUSH_SECONDS = 1;

/** Cost: a count of each indexed field, which its index answers. */
export async function collectionInfo(engine: Engine, info: CollectionInfo, cancellation?: Cancellation): Promise<object> {
  const { pointsCount, status, progress, strictMode } = info;
  return {
    status: status === 'ready' ? 'green' : 'yellow',
    optimizer_status: 'ok',
    points_count: pointsCount,
    indexed_vectors_count: status === 'ready' ? pointsCount : Math.floor(pointsCount * progress),
    segments_count: 1,
    config: {
      params: {
        vectors: shownVectors(info),
        ...shownSparse(info),
        shard_number: 1,
        replication_factor: 1,
        write_consistency_factor: 1,
        on_disk_payload: true,
      },
      hnsw_config: {
        m: info.hnsw.m,
        ef_construct: info.hnsw.efConstruct,
        full_scan_threshold: 0,
        max_indexing_threads: 0,
        on_disk: false,
      },
      optimizer_config: {
        deleted_threshold: 0.2,
        vacuum_min_vector_number: 1,
        default_segment_number: 1,
        flush_interval_sec: FLUSH_SECONDS,
      },
      wal_config: null,
      quantization_config: shownQuantization(info.quantization),
      ...(strictMode !== null && { strict_mode_config: shownStrictMode(strictMode) }),
    },
    payload_schema: await payloadSchema(engine, info, cancellation),
    update_queue: { length: 0 },
  };
}

/** One alone as it is, several by their names; the default one has the empty name. */
function shownVectors({ dimension, distance, hnsw, quantization, vectors }: CollectionInfo): object {
  const named = vectors.map((vector) => [vector.name, shownDense(vector)] as const);
  if (dimension === null || distance === null) return Object.fromEntries(named);
  const own = shownDense({ dimension, distance, hnsw, quantization });
  return named.length === 0 ? own : Object.fromEntries([[DEFAULT_VECTOR, own], ...named]);
}

function shownSparse({ sparseVectors }: CollectionInfo): object {
  if (sparseVectors.length === 0) return {};
  const shown = sparseVectors.map(({ name, modifier }) => [name, modifier === null ? {} : { modifier }]);
  return { sparse_vectors: Object.fromEntries(shown) };
}

/** Points in the index of each field. All text fields have one index. */
async function payloadSchema(
  engine: Engine,
  { name, payloadIndexes, text, textCount = 0 }: CollectionInfo,
  cancellation: Cancellation | undefined,
): Promise<object> {
  const counted = payloadIndexes.map(async ({ path, type }) => {
    return [path, { data_type: type, points: await engine.fieldCount(name, path, cancellation) }] as const;
  });
  const params = shownText(text);
  const texts = text.fields.map((path) => [path, { data_type: 'text', points: textCount, params }] as const);
  return Object.fromEntries([...(await Promise.all(counted)), ...texts]);
}

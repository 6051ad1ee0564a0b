/** All benches by name, in the order in which they run when none is named. */

import { backup } from '../backup.js';
import { bulkLoad } from '../bulk_load.js';
import { changes } from '../changes.js';
import { churn } from '../churn.js';
import { coreOperations } from '../core_operations.js';
import { embedded } from '../embedded.js';
import { filteredSearch } from '../filtered_search.js';
import { health } from '../health.js';
import { http } from '../http.js';
import { hybrid } from '../hybrid.js';
import { memory } from '../memory.js';
import { observabilityCost } from '../observability_cost.js';
import { overload } from '../overload.js';
import { quantization } from '../quantization.js';
import { queryCache } from '../query_cache.js';
import { realData } from '../real_data.js';
import { replicationCatchUp } from '../replication_catch_up.js';
import { replicationFanOut } from '../replication_fan_out.js';
import { replicationFrozen } from '../replication_frozen.js';
import { replicationJoin } from '../replication_join.js';
import { replicationStatistics } from '../replication_statistics.js';
import { replicationStream } from '../replication_stream.js';
import { replicationWriteConcern } from '../replication_write_concern.js';
import { restart } from '../restart.js';
import { securityCost } from '../security_cost.js';
import { sparse } from '../sparse.js';
import { storage } from '../storage.js';
import { textSearch } from '../text_search.js';
import { tracingCost } from '../tracing_cost.js';
import type { Bench } from './bench.js';

const ONE_NODE: readonly Bench[] = [
  realData,
  coreOperations,
  storage,
  http,
  embedded,
  bulkLoad,
  memory,
  restart,
  churn,
  health,
  overload,
  observabilityCost,
];
/** Filters, texts, both, and what they cost. */
export const SEARCH: readonly Bench[] = [filteredSearch, textSearch, sparse, hybrid, quantization, queryCache];
/** Several nodes share the machine. */
export const REPLICATION: readonly Bench[] = [
  replicationStream,
  replicationCatchUp,
  replicationJoin,
  replicationWriteConcern,
  replicationFanOut,
  replicationFrozen,
  replicationStatistics,
];
/** What is kept, and how it comes back. */
const KEEPING: readonly Bench[] = [backup, changes];
/** What watching, and knowing who asks, costs. */
const WATCHING: readonly Bench[] = [tracingCost, securityCost];
export const BENCHES: readonly Bench[] = [...ONE_NODE, ...SEARCH, ...REPLICATION, ...KEEPING, ...WATCHING];

/** @param names whole names, or beginnings (core for core_operations, replication for all of it); none for all
 *  @returns null when a name fits no bench */
export function findBenches(names: readonly string[]): Bench[] | null {
  if (names.length === 0) return [...BENCHES];
  const found = names.map((name) => BENCHES.filter((bench) => bench.name.startsWith(name)));
  return found.every(({ length }) => length > 0) ? [...new Set(found.flat())] : null;
}

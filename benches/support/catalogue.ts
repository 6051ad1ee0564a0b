/** All benches by name, in the order in which they run when none is named. */

import { bulkLoad } from '../bulk_load.js';
import { churn } from '../churn.js';
import { coreOperations } from '../core_operations.js';
import { http } from '../http.js';
import { memory } from '../memory.js';
import { realData } from '../real_data.js';
import { restart } from '../restart.js';
import { storage } from '../storage.js';
import type { Bench } from './bench.js';

export const BENCHES: readonly Bench[] = [realData, coreOperations, storage, http, bulkLoad, memory, restart, churn];

/** @param names whole names, or beginnings of one (core for core_operations); none for all
 *  @returns null when a name fits no bench */
export function findBenches(names: readonly string[]): Bench[] | null {
  if (names.length === 0) return [...BENCHES];
  const found = names.map((name) => BENCHES.find((bench) => bench.name.startsWith(name)));
  return found.every((bench) => bench !== undefined) ? found : null;
}

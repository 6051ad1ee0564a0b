/** Vector indexes in which nothing waits for its place in the graph. */

import type { VectorIndex } from '../../src/vector-index/vector-index.js';

/** Moves everything that waits into the graph and does nothing else: without any time, work() moves one point. */
export function fill(index: VectorIndex): void {
  while (index.status().waiting > 0) index.work(0);
}

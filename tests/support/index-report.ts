/** What an index worker tells of an index with nothing special about it. */

import type { IndexReport } from '../../src/engine/index-messages.js';

export function indexReport(change: Partial<IndexReport>): IndexReport {
  return {
    uid: 1,
    engine: 'vector',
    phase: 'ready',
    seq: 9,
    nextLabel: 9,
    status: {
      kind: 'graph',
      live: 4_000,
      tombstones: 0,
      unranked: 0,
      memoryBytes: 0,
      waiting: 0,
      growing: 0,
      rebuilds: 0,
      payloadProgress: 1,
    },
    nextProgress: 1,
    configurations: 0,
    settings: '',
    replayMs: 0,
    rebuildMs: 10_000,
    checkpointBytes: 0,
    saving: false,
    saveFailed: false,
    damaged: 0,
    ...change,
  };
}

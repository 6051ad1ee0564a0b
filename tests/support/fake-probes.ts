/** Probes of an engine that is not there: every part answers, unless a test says otherwise. */

import type { EngineProbes, EngineStatus, IndexProbe } from '../../src/engine/engine.js';

export const IDLE_PROBE: IndexProbe = { asked: 0, answered: 0, busy: 0, points: 0, latencyMs: null, failure: null };

/** Asks what the engine says of itself: an engine with collections has one thread, which answers. */
export function fakeProbes(status: () => EngineStatus): EngineProbes {
  return {
    index: (engine) => {
      const { collections } = status().search[engine];
      const points = status().points;
      return Promise.resolve(collections === 0 ? IDLE_PROBE : { ...IDLE_PROBE, asked: 1, answered: 1, points, latencyMs: 1 });
    },
    store: () => ({ seq: status().position.seq, whole: true, latencyMs: 0.02 }),
    digest: () => {
      const { collections, position } = status();
      const bucketsWhole = collections === 0 ? null : true;
      return Promise.resolve({ seq: position.seq, digest: 'dd'.repeat(16), collections, whole: true, bucketsWhole });
    },
  };
}

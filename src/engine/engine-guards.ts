/** What the process as a whole lets an engine do: grow, open files, keep others waiting. Handed in by whoever looks after the process.
 *  Must not know: how memory, handles and time are measured. */

export interface EngineGuards {
  /** Asked before every write that adds something. @throws MemoryLimitExceeded (nothing was done) */
  admitGrowth(): void;
  /** Asked before a thread is started that opens files. @returns how to give them back @throws Overloaded (handles) */
  acquireHandles(count: number): () => void;
  /** The longest wait in a queue that is no sign of too much; 0: queues have only their fixed bounds. */
  readonly queueWaitMs: number;
}

/** Whoever runs an engine by itself. */
export const UNGUARDED: EngineGuards = { admitGrowth: () => {}, acquireHandles: () => () => {}, queueWaitMs: 0 };

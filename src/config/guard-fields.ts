/** What keeps the process whole under too much work, and how it ends: each guard can be switched off by its own setting. */

import type { FieldTable } from './field.js';

const MIB = 1024 * 1024;

export const GUARD_FIELDS = {
  maxMemoryBytes: {
    kind: 'bytes',
    min: 64 * MIB,
    words: ['auto', 'off'],
    default: 'auto',
    doc: 'Resident memory above which caches are cleared and, when that does not help, writes are refused with MemoryLimitExceeded; reads and deletes go on. auto: 90 % of what the container or the machine has. off: never.',
  },
  maxHandles: {
    kind: 'integer',
    unit: 'handles',
    min: 64,
    max: 10_000_000,
    words: ['auto', 'off'],
    default: 'auto',
    doc: 'Open files and connections, a reserve included, above which new connections and threads are refused with Overloaded. auto: what the system lets the process open. off: never.',
  },
  requestTimeoutMs: {
    kind: 'duration',
    min: 0,
    default: 30_000,
    doc: 'How long an ordinary request may take, unless it asks for a longer wait itself; then it is answered with Timeout and given up. Import streams and administration have times of their own. 0: no limit.',
  },
  shedLoopDelayMs: {
    kind: 'duration',
    min: 0,
    default: 250,
    doc: 'While the event loop runs later than this, a growing share of reads and writes is refused with Overloaded. 0: never.',
  },
  shedQueueWaitMs: {
    kind: 'duration',
    min: 0,
    default: 200,
    doc: 'While even the shortest wait of searches or of scans is longer than this, and than a few of their kind take, fewer may wait; what is more is refused with Overloaded. 0: queues have only their fixed bounds.',
  },
  drainDelayMs: {
    kind: 'duration',
    min: 0,
    default: 0,
    doc: 'How long a stop goes on serving after /health/ready says draining, so that load balancers can look elsewhere. At most what shutdown_timeout_ms leaves: a third of it, or it less 20 s.',
  },
  handoverAtStop: {
    kind: 'boolean',
    default: false,
    doc: 'A master that is stopped first hands its mastership to a connected voter that has everything, if there is one.',
  },
} as const satisfies FieldTable;

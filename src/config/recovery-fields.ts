/** The settings of the care for the store: the slow reading of every row, and what a start does about damage. */

import type { FieldTable } from './field.js';

const MIB = 1024 * 1024;

export const RECOVERY_FIELDS = {
  scrubBytesPerS: {
    kind: 'bytes',
    min: 64 * 1024,
    default: 4 * MIB,
    doc: 'Pace of the scrub, which reads every row for its checksum: so many bytes a second. The pass after a quick start takes no pauses.',
  },
  scrubIntervalMs: {
    kind: 'duration',
    min: 0,
    default: 86_400_000,
    doc: 'From the end of a scrub to the beginning of the next; 0: none but the one after a quick start.',
  },
  recoverAtStart: {
    kind: 'choice',
    choices: ['off', 'rows', 'resync'],
    default: 'rows',
    doc: 'What a start does about a damaged store. off: it refuses. rows: where single rows are damaged and all else is sound it starts, refuses those rows and repairs them. resync: as rows, and a replica whose store is beyond that moves it to quarantine/ and takes its data from its master again.',
  },
} as const satisfies FieldTable;

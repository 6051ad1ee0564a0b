/** The settings of what is written down of administrative calls. */

import type { FieldTable } from './field.js';

const MIB = 1024 * 1024;

export const SECURITY_FIELDS = {
  auditLogFile: {
    kind: 'path',
    default: null,
    doc: 'File for administrative calls, one JSON object per line; without it they are in the log, as the event audit.',
  },
  auditLogFileBytesMax: {
    kind: 'bytes',
    min: 64 * 1024,
    default: 100 * MIB,
    doc: 'A file of administrative calls that has so many bytes is followed by a new one.',
  },
  auditLogFilesMax: {
    kind: 'integer',
    unit: 'files',
    min: 0,
    max: 1_000,
    default: 10,
    doc: 'Full files of administrative calls that are kept beside the one that is written.',
  },
} as const satisfies FieldTable;

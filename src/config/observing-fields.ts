/** The settings of what shows how a server does: the file of the log, metrics, slow queries. */

import type { FieldTable } from './field.js';

const MIB = 1024 * 1024;

export const OBSERVING_FIELDS = {
  logFile: {
    kind: 'path',
    default: null,
    doc: 'File for the log, one JSON object per line, instead of standard error.',
  },
  logFileBytesMax: {
    kind: 'bytes',
    min: 64 * 1024,
    default: 100 * MIB,
    doc: 'A log file that has so many bytes is followed by a new one.',
  },
  logFilesMax: {
    kind: 'integer',
    unit: 'files',
    min: 0,
    max: 1_000,
    default: 10,
    doc: 'Full log files that are kept beside the one that is written, as .1 (the newest), .2 and so on.',
  },
  metrics: {
    kind: 'boolean',
    default: true,
    doc: 'Measure, and serve the measures at /metrics. Without, nothing is measured and the path is not there.',
  },
  slowQueryMs: {
    kind: 'duration',
    min: 0,
    default: 500,
    doc: 'Requests for points that take as long are kept for GET /v1/slow-queries, logged and counted; 0: none. PATCH /v1/slow-queries changes it while the server runs.',
  },
  slowQueriesMax: {
    kind: 'integer',
    unit: 'requests',
    min: 1,
    max: 10_000,
    default: 200,
    doc: 'How many slow queries are kept; the oldest make room.',
  },
  slowQueryContent: {
    kind: 'boolean',
    default: false,
    doc: 'Keep with a slow query also what it asked for: texts, and the values in its filter. They are data of your users.',
  },
} as const satisfies FieldTable;

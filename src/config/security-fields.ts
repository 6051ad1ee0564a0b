/** The settings of what is written down of administrative calls, and of who is answered while nobody needs a key. */

import type { FieldTable } from './field.js';

const MIB = 1024 * 1024;

export const SECURITY_FIELDS = {
  allowedHosts: {
    kind: 'text',
    default: null,
    doc: 'While no key is asked for: further names, separated by commas, under which the server is called. Others are refused, so that no web page reaches it through a browser; addresses, names without a dot and private names are always allowed.',
  },
  corsOrigins: {
    kind: 'text',
    default: null,
    doc: 'Origins of web pages that may call the server from a browser, separated by commas, such as https://app.example.com; without it none. * lets pages of every origin read answers; while no key is asked for, only those that are named may call at all.',
  },
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

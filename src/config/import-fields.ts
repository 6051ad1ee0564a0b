/** The settings of `skein import`: of the file, or the store of another make, that it takes points from. */

import { CLIENT_FIELDS, JSON_FIELD } from './client-fields.js';
import type { FieldTable, ValuesOf } from './field.js';

const FILE_FIELDS = {
  format: {
    kind: 'choice',
    choices: ['ndjson', 'json', 'fvecs', 'bvecs', 'csv', 'parquet'],
    default: null,
    doc: 'Format of the file; by default told by the end of its name.',
  },
  dimension: {
    kind: 'integer',
    unit: '',
    min: 1,
    max: 65_535,
    default: null,
    doc: 'Dimension of a collection that must be created, by default that of the file; one that is there must have it.',
  },
  distance: {
    kind: 'choice',
    choices: ['cosine', 'dot', 'euclid'],
    default: null,
    doc: 'Distance of a collection that must be created, cosine unless given, euclid for fvecs and bvecs; one that is there must have it.',
  },
  idOffset: {
    kind: 'integer',
    unit: '',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    default: 0,
    doc: 'Added to the row numbers that become ids.',
  },
  idColumn: { kind: 'text', default: 'id', doc: 'Column (csv, parquet, pgvector) or field (json, ndjson) that holds the id.' },
  vectorColumn: {
    kind: 'text',
    default: 'vector',
    doc: 'Column or field that holds the vector; csv also takes columns v0, v1, ….',
  },
} as const satisfies FieldTable;

const FOREIGN_FIELDS = {
  from: {
    kind: 'choice',
    choices: ['qdrant', 'chroma', 'pgvector'],
    default: null,
    doc: 'Store of another make to take the points from, instead of a file.',
  },
  source: {
    kind: 'text',
    default: null,
    doc: 'With --from: its address, such as http://host:6333 or postgres://user@host/database. Never with a password in the flag.',
  },
  sourceKeyFile: {
    kind: 'path',
    default: null,
    doc: 'With --from: file whose first line is the key, or the password, that it asks for.',
  },
  sourceCollection: {
    kind: 'text',
    default: null,
    doc: 'With --from qdrant or chroma: name of the collection there, by default the same.',
  },
  table: {
    kind: 'text',
    default: null,
    doc: 'With --from pgvector: the table, as SQL names it; by default that of the name of the collection.',
  },
  tenant: { kind: 'text', default: 'default_tenant', doc: 'With --from chroma: the tenant.' },
  database: { kind: 'text', default: 'default_database', doc: 'With --from chroma: the database.' },
} as const satisfies FieldTable;

export const IMPORT_FIELDS = {
  ...CLIENT_FIELDS,
  ...FILE_FIELDS,
  ...FOREIGN_FIELDS,
  batch: { kind: 'integer', unit: 'points', min: 1, max: 1_000_000, default: 1_000, doc: 'Points per request.' },
  inFlight: { kind: 'integer', unit: 'requests', min: 1, max: 64, default: 4, doc: 'Requests under way at once.' },
  wait: {
    kind: 'choice',
    choices: ['indexed', 'durable'],
    default: 'indexed',
    doc: 'What the end of the import waits for: every point found by searches, or every point safe on disk.',
  },
  report: { kind: 'path', default: null, doc: 'File for the refused records, one JSON object per line.' },
  resume: { kind: 'boolean', default: false, doc: 'Go on where an interrupted import of the same file or store stopped.' },
  ...JSON_FIELD,
} as const satisfies FieldTable;

export type ImportValues = ValuesOf<typeof IMPORT_FIELDS>;

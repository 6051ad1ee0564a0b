/** The settings of the commands that look into data and move it: export, search, copy. */

import { CLIENT_FIELDS, JSON_FIELD } from './client-fields.js';
import type { FieldTable, ValuesOf } from './field.js';

export const EXPORT_FIELDS = {
  ...CLIENT_FIELDS,
  format: {
    kind: 'choice',
    choices: ['ndjson', 'json', 'csv', 'fvecs', 'parquet'],
    default: null,
    doc: 'Format of the file; by default told by the end of its name, else ndjson.',
  },
  batch: { kind: 'integer', unit: 'points', min: 1, max: 10_000, default: 1_000, doc: 'Points per request.' },
  ...JSON_FIELD,
} as const satisfies FieldTable;

export const SEARCH_FIELDS = {
  ...CLIENT_FIELDS,
  vector: {
    kind: 'text',
    default: null,
    doc: 'The vector to look near: a JSON array, or {"indices", "values"} of a sparse one; - reads it from standard input.',
  },
  using: { kind: 'text', default: null, doc: 'Name of the vectors to search; by default those without a name.' },
  vectorFile: { kind: 'path', default: null, doc: 'File that holds the vector: JSON, or one row of an fvecs file.' },
  id: {
    kind: 'text',
    default: null,
    doc: 'Look near the point with this id: digits are an integer, all else is text, also digits in JSON quotes.',
  },
  text: {
    kind: 'text',
    default: null,
    doc: 'Words to find in the text fields of the collection; beside a vector the search is hybrid.',
  },
  filter: { kind: 'text', default: null, doc: 'Which points may be hits: a filter as docs/HTTP_API.md has it, in JSON.' },
  limit: { kind: 'integer', unit: 'hits', min: 1, max: 10_000, default: 10, doc: 'How many hits at most.' },
  offset: { kind: 'integer', unit: 'hits', min: 0, max: 10_000, default: 0, doc: 'Hits to pass over.' },
  efSearch: {
    kind: 'integer',
    unit: '',
    min: 1,
    max: 10_000,
    default: null,
    doc: 'Width of the search in the graph; by default that of the collection.',
  },
  exact: { kind: 'boolean', default: false, doc: 'Compare every point, instead of walking the graph.' },
  withVector: { kind: 'boolean', default: false, doc: 'Show the vectors of hits; with --json alone.' },
  explain: { kind: 'boolean', default: false, doc: 'Say how the search was done, why, and what would make it faster.' },
  ...JSON_FIELD,
} as const satisfies FieldTable;

export type SearchValues = ValuesOf<typeof SEARCH_FIELDS>;

export const COPY_FIELDS = {
  apiKey: CLIENT_FIELDS.apiKey,
  apiKeyFile: CLIENT_FIELDS.apiKeyFile,
  timeoutMs: CLIENT_FIELDS.timeoutMs,
  sourceKeyFile: { kind: 'path', default: null, doc: 'File whose first line is the key that the source asks for.' },
  targetKeyFile: { kind: 'path', default: null, doc: 'File whose first line is the key that the target asks for.' },
  collections: { kind: 'text', default: null, doc: 'Names of the collections to copy, with commas between; by default all.' },
  batch: { kind: 'integer', unit: 'points', min: 1, max: 10_000, default: 1_000, doc: 'Points per request.' },
  inFlight: { kind: 'integer', unit: 'requests', min: 1, max: 64, default: 4, doc: 'Requests under way at once.' },
  compare: { kind: 'boolean', default: true, doc: 'Compare every point at the end, and copy again what changed meanwhile.' },
  follow: {
    kind: 'boolean',
    default: false,
    doc: 'Then do in the target what happens in the source since the copy began, until Ctrl-C. Compare afterwards, with --resume.',
  },
  resume: { kind: 'boolean', default: false, doc: 'Go on where an interrupted copy between the same servers stopped.' },
  state: {
    kind: 'path',
    default: null,
    doc: 'File that keeps how far the copy is; by default skein-copy.json in the working folder.',
  },
  ...JSON_FIELD,
} as const satisfies FieldTable;

export type CopyValues = ValuesOf<typeof COPY_FIELDS>;

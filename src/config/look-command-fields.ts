/** The settings of the commands that look on: top at nodes, changes at data. */

import { CLIENT_FIELDS, JSON_FIELD } from './client-fields.js';
import type { FieldTable, ValuesOf } from './field.js';

export const TOP_FIELDS = {
  ...CLIENT_FIELDS,
  timeoutMs: { kind: 'duration', min: 1, default: 5_000, doc: 'How long a node may take to answer before it counts as down.' },
  interval: { kind: 'duration', min: 100, default: 2_000, doc: 'How often to look.' },
  once: { kind: 'boolean', default: false, doc: 'Look twice, one interval apart, print what is then, and end.' },
  ...JSON_FIELD,
} as const satisfies FieldTable;

export type TopValues = ValuesOf<typeof TOP_FIELDS>;

export const CHANGES_FIELDS = {
  ...CLIENT_FIELDS,
  from: { kind: 'text', default: 'now', doc: 'now, snapshot (the current state first), or the token of a change or a position.' },
  collection: { kind: 'text', default: null, doc: 'Follow this collection, by its own name; by default all, and aliases.' },
  filter: {
    kind: 'text',
    default: null,
    doc: 'Which points: a filter as docs/HTTP_API.md has it, in JSON, held against their new state.',
  },
  withPayload: { kind: 'boolean', default: true, doc: 'Show payloads.' },
  withVector: { kind: 'boolean', default: false, doc: 'Show vectors.' },
  withLeaves: { kind: 'boolean', default: true, doc: 'With a filter: show also writes that it does not pass, as leave.' },
  limit: {
    kind: 'integer',
    unit: 'changes',
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    default: null,
    doc: 'End after so many; by default never.',
  },
  failuresMax: {
    kind: 'integer',
    unit: 'failures',
    min: 1,
    max: 1_000_000,
    default: null,
    doc: 'Give up after so many failures in a row; by default never.',
  },
} as const satisfies FieldTable;

export type ChangesValues = ValuesOf<typeof CHANGES_FIELDS>;

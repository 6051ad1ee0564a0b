/** The settings of `skein keys …`. */

import { CLIENT_FIELDS, JSON_FIELD } from './client-fields.js';
import type { FieldTable } from './field.js';

const HOUR_MS = 3_600_000;

export const LIST_KEYS_FIELDS = { ...CLIENT_FIELDS, ...JSON_FIELD } as const satisfies FieldTable;

export const CREATE_KEY_FIELDS = {
  ...CLIENT_FIELDS,
  role: {
    kind: 'choice',
    choices: ['admin', 'write', 'read', 'replicate'],
    default: 'read',
    doc: 'What the key is for: manage, write and read points, read them, or look at the state of nodes.',
  },
  collections: {
    kind: 'text',
    default: null,
    doc: 'Collections that the key is for, with commas between: names, or beginnings of names with * behind them; by default all.',
  },
  lifeMs: { kind: 'duration', min: 1, default: null, doc: 'How long the key is good; by default for ever.' },
  requestsPerSecond: {
    kind: 'integer',
    unit: 'requests',
    min: 1,
    max: 1_000_000,
    default: null,
    doc: 'How many requests a second the key may make on each node; by default any number.',
  },
  ...JSON_FIELD,
} as const satisfies FieldTable;

export const ROTATE_KEY_FIELDS = {
  ...CLIENT_FIELDS,
  graceMs: {
    kind: 'duration',
    min: 0,
    default: HOUR_MS,
    doc: 'How long the secret of now goes on working beside the new one; 0 for a secret that others know.',
  },
  ...JSON_FIELD,
} as const satisfies FieldTable;

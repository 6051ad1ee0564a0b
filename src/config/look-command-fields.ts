/** The settings of the commands that look at nodes: top. */

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

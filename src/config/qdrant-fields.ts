/** The settings of the Qdrant dialect (docs/QDRANT.md): whether it is served, and as which version it shows itself. */

import type { FieldTable } from './field.js';

export const QDRANT_FIELDS = {
  qdrantApi: {
    kind: 'boolean',
    default: true,
    doc: 'Serve the Qdrant dialect (/collections, /aliases and the like) beside the own API, with the same keys and limits.',
  },
  qdrantVersion: {
    kind: 'text',
    default: '1.18.0',
    doc: 'Version that the dialect reports at /, as major.minor.patch: clients of Qdrant warn where it is not near their own.',
  },
} as const satisfies FieldTable;

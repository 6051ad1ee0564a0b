/** The settings of the Qdrant dialect as a node uses them: the version has the form that clients read. */

import type { ValuesOf } from './field.js';
import type { QDRANT_FIELDS } from './qdrant-fields.js';

export type QdrantSettings = ValuesOf<typeof QDRANT_FIELDS>;

const VERSION = /^\d{1,4}\.\d{1,4}\.\d{1,4}$/;

export function readQdrant(values: QdrantSettings): { readonly settings: QdrantSettings; readonly problems: readonly string[] } {
  const { qdrantVersion: version } = values;
  const problems = VERSION.test(version)
    ? []
    : [`qdrant_version ${version} is not of the form 1.18.0, which clients of Qdrant read`];
  return { settings: Object.freeze(values), problems };
}

/** Bodies of upserts and patches, read into operations. All or nothing: the first mistake refuses the body.
 *  Pure: the same function runs on the main thread for small bodies and in the body thread for large ones. */

import type { Operation } from '../model/operation.js';
import type { BodyReader } from './body-reader.js';
import { readFields, readList } from './fields.js';
import { PatchRows } from './patch-rows.js';
import { PointRows } from './point-rows.js';
import { UNKNOWN_VECTORS, type VectorRule } from './vector-rule.js';

export interface WriteRules {
  readonly pointsPerRequestMax: number;
  readonly payloadBytesMax: number;
  /** What is known of the collections; one that is not named takes its first vector as the measure. */
  readonly vectors: Readonly<Record<string, VectorRule>>;
}

/** `{points: […]}` @throws as PointRows.read */
export function readUpsertBody(reader: BodyReader, collection: string, rules: WriteRules): Operation {
  const rows = new PointRows({ ...ruleFor(rules, collection), payloadBytesMax: rules.payloadBytesMax });
  readFields(
    reader,
    '',
    { points: () => readList(reader, 'points', rules.pointsPerRequestMax, (place) => rows.read(reader, place)) },
    ['points'],
  );
  return { kind: 'upsert', collection, points: rows.finish() };
}

/** `{points: […]}` @throws as PatchRows.read */
export function readPatchBody(reader: BodyReader, collection: string, rules: WriteRules): Operation {
  const rows = new PatchRows({ ...ruleFor(rules, collection), payloadBytesMax: rules.payloadBytesMax });
  readFields(
    reader,
    '',
    { points: () => readList(reader, 'points', rules.pointsPerRequestMax, (place) => rows.read(reader, place)) },
    ['points'],
  );
  return { kind: 'patch', collection, patches: rows.finish() };
}

function ruleFor(rules: WriteRules, collection: string): VectorRule {
  return (Object.hasOwn(rules.vectors, collection) ? rules.vectors[collection] : undefined) ?? UNKNOWN_VECTORS;
}

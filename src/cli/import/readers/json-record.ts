/** One record from the bytes of one JSON object. */

import { isUtf8 } from 'node:buffer';
import { mustBeExact } from '../exact-payload.js';
import { pointFromFields, RecordProblem } from '../point-fields.js';
import { type ImportRecord, POINT_OVERHEAD_BYTES, type SourceOptions } from '../record.js';

/** @param bytes the object alone, white space allowed around it */
export function recordFromJson(
  bytes: Buffer,
  where: { readonly index: number; readonly place: number; readonly line?: number },
  options: SourceOptions,
): ImportRecord {
  try {
    if (!isUtf8(bytes)) throw new RecordProblem('is not UTF-8');
    const text = bytes.toString('utf8');
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new RecordProblem('is not a JSON object');
    const point = pointFromFields(value as Record<string, unknown>, options, null);
    mustBeExact(text, point.payload);
    return { kind: 'point', ...where, ...point, bytes: bytes.length + POINT_OVERHEAD_BYTES };
  } catch (error) {
    if (error instanceof RecordProblem) return { kind: 'refused', ...where, problem: error.message };
    if (error instanceof SyntaxError) return { kind: 'refused', ...where, problem: `is not JSON: ${error.message}` };
    throw error;
  }
}

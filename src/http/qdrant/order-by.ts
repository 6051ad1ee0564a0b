/** `order_by` of scrolls and of queries: `"key"` or `{key, direction?, start_from?}`, read once and meant the same in both.
 *
 *  The field has an index of numbers or of datetimes, which says what its values are. Datetimes are told in whole microseconds, and
 *  `start_from` takes what was told, or a text of RFC 3339. Must not know: routes, how points are ordered. */

import type { CollectionInfo } from '../../engine/engine.js';
import type { PayloadIndexType } from '../../model/collection.js';
import type { AtKey } from '../../model/filter.js';
import { parseInstant } from '../../model/instant.js';
import type { FieldOrder } from '../../model/rank-rule.js';
import { join } from '../../wire/place.js';
import { formOf } from './form.js';
import { formMistake, wrongInput } from './mistakes.js';
import { placeInPayload } from './payload-path.js';

/** In a millisecond. */
const MICROSECONDS = 1_000;
const ORDERED: ReadonlySet<PayloadIndexType> = new Set<PayloadIndexType>(['integer', 'float', 'datetime']);

/** As it was asked; what a value of the field is, its collection says. */
export interface AskedOrder {
  readonly at: AtKey;
  readonly descending: boolean;
  readonly start: number | string | null;
  /** Where it stands in the body. */
  readonly path: string;
}

/** @throws InvalidRequest (body_form) */
export function readOrder(value: unknown, path: string): AskedOrder {
  if (typeof value === 'string') return { at: placeInPayload(value, path, formMistake), descending: false, start: null, path };
  const { key, direction = 'asc', start_from: start = null } = formOf(value, path, ['key', 'direction', 'start_from']);
  if (direction !== 'asc' && direction !== 'desc') throw formMistake(join(path, 'direction'), 'must be asc or desc');
  const at = placeInPayload(key, join(path, 'key'), formMistake);
  if (start === null || typeof start === 'string' || typeof start === 'number')
    return { at, descending: direction === 'desc', start, path };
  throw formMistake(join(path, 'start_from'), 'must be a number, or a time in RFC 3339');
}

/** @throws InvalidRequest when the field has no index of its order, or begins with what is none of its values */
export function fieldOrder({ at, descending, start, path }: AskedOrder, { payloadIndexes }: CollectionInfo): FieldOrder {
  const index = payloadIndexes.find((one) => one.path === at.key && ORDERED.has(one.type));
  if (index === undefined)
    throw wrongInput(`No range index for \`order_by\` key: \`${at.key}\`. Please create one to use \`order_by\``, path);
  const time = index.type === 'datetime';
  const from = start === null ? null : time ? instantMs(start, descending, join(path, 'start_from')) : numberFrom(start, path);
  return { kind: 'order', ...at, time, descending, from };
}

function numberFrom(start: number | string, path: string): number {
  if (typeof start === 'number') return start;
  throw formMistake(join(path, 'start_from'), 'must be a number, as the values of the field are');
}

/** Of all instants that are told as one count of microseconds, the first in the order. */
function instantMs(start: number | string, descending: boolean, path: string): number {
  const found = typeof start === 'string' ? parseInstant(start) : null;
  if (found !== null) return found;
  if (typeof start === 'number' && Number.isSafeInteger(start)) return (start + (descending ? 0.5 : -0.5)) / MICROSECONDS;
  throw formMistake(path, 'must be a time in RFC 3339, or whole microseconds since 1970 as order_value has them');
}

/** How the value that a point stands by is told. */
export function orderValue(value: number, { time }: Pick<FieldOrder, 'time'>): number {
  return time ? Math.round(value * MICROSECONDS) : value;
}

/** Filters in the wire's spelling. Only names change: what the client does not know goes along, and the server refuses it by its name. Left out, it
 *  would silently let more points pass. Pure. */

import type { FilterBody } from '../wire/http-bodies.js';
import type { Filter } from './types.js';

/** Each of them has one meaning, wherever in a filter it stands. */
const WIRE_NAMES: Readonly<Record<string, string>> = {
  mustNot: 'must_not',
  minShould: 'min_should',
  minCount: 'min_count',
  hasId: 'has_id',
  textAny: 'text_any',
  geoRadius: 'geo_radius',
  radiusM: 'radius_m',
  geoBox: 'geo_box',
  topLeft: 'top_left',
  bottomRight: 'bottom_right',
  geoPolygon: 'geo_polygon',
  isEmpty: 'is_empty',
  isNull: 'is_null',
  valuesCount: 'values_count',
};

export function filterToWire(filter: Filter): FilterBody {
  return renamed(filter) as FilterBody;
}

/** What is undefined stays behind, so that it does not travel as nil. */
function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed);
  if (!isPlainObject(value)) return value;
  const given = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(given.map(([name, one]) => [wireName(name), renamed(one)]));
}

function wireName(name: string): string {
  return (Object.hasOwn(WIRE_NAMES, name) && WIRE_NAMES[name]) || name;
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value) as null);
}

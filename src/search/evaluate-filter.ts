/** Filters, evaluated on one point at a time: the meaning of docs/HTTP_API.md, "Filters", in its plainest form.
 *
 *  A key is a dotted path of object keys. Where it meets an array it goes on in every element that is an object; a value at its end
 *  that is an array matches when any element does. Each condition looks on its own, unless `nested` binds some to one element.
 *  Empty or absent lists demand nothing. Pure and deterministic: no clock, no zone of the server, no locale.
 *  Must not know: indexes, storage. */

import type { Condition, Filter, RangeBounds } from '../model/filter.js';
import { parseInstant } from '../model/instant.js';
import type { JsonValue, Payload, PointId } from '../model/point.js';

export type PointTest = (id: PointId, payload: Payload) => boolean;
type ValueTest = (value: JsonValue) => boolean;

const WORD = /[\p{L}\p{M}\p{N}]+/gu;
/** Mean radius of the Earth (IUGG), for great circles by the haversine formula. */
const EARTH_RADIUS_M = 6_371_008.8;

/** Compiles a filter once, to be asked for many points. Cost of a call: the conditions until the answer is known. */
export function compileFilter(filter: Filter): PointTest {
  const all: PointTest[] = (filter.must ?? []).map(compileCondition);
  const none = (filter.mustNot ?? []).map(compileCondition);
  const some = (filter.should ?? []).map(compileCondition);
  if (none.length > 0) all.push((id, payload) => !none.some((test) => test(id, payload)));
  if (some.length > 0) all.push((id, payload) => some.some((test) => test(id, payload)));
  if (filter.minShould !== undefined) all.push(compileMinShould(filter.minShould));
  const [only] = all;
  if (all.length === 1 && only !== undefined) return only;
  return (id, payload) => all.every((test) => test(id, payload));
}

function compileMinShould({ conditions, minCount }: NonNullable<Filter['minShould']>): PointTest {
  const tests = conditions.map(compileCondition);
  return (id, payload) => {
    let count = 0;
    for (const test of tests) {
      if (count >= minCount) break;
      if (test(id, payload)) count += 1;
    }
    return count >= minCount;
  };
}

function compileCondition(condition: Condition): PointTest {
  switch (condition.kind) {
    case 'filter':
      return compileFilter(condition.filter);
    case 'has_id': {
      const ids = new Set(condition.ids);
      return (id) => ids.has(id);
    }
    case 'nested':
      return compileNested(condition.key, condition.filter);
    case 'exists':
      return compileExists(condition.key, condition.exists);
    case 'is_null': {
      const hasNull = atKey(condition.key, (value) => value === null || (Array.isArray(value) && value.includes(null)));
      return (_id, payload) => hasNull(payload) === condition.isNull;
    }
    case 'values_count':
      return compileValuesCount(condition.key, condition.bounds);
    default: {
      const matches = atKey(condition.key, anyElement(elementTest(condition)));
      return (_id, payload) => matches(payload);
    }
  }
}

type ElementCondition = Exclude<Condition, { kind: 'filter' | 'has_id' | 'nested' | 'exists' | 'is_null' | 'values_count' }>;

/** Conditions that look at one element. */
function elementTest(condition: ElementCondition): ValueTest {
  switch (condition.kind) {
    case 'match_value':
      return (value) => value === condition.value;
    case 'match_any': {
      const values = new Set<JsonValue>(condition.values);
      return (value) => values.has(value);
    }
    case 'match_except': {
      const values = new Set<JsonValue>(condition.values);
      return (value) => value !== null && !values.has(value);
    }
    case 'match_text': {
      const wanted = [...wordsOf(condition.text)];
      return (value) => typeof value === 'string' && wanted.length > 0 && hasWords(value, wanted);
    }
    case 'range':
      return condition.time ? timeRange(condition.bounds) : numberRange(condition.bounds);
    case 'geo_radius':
      return (value) => {
        const place = placeOf(value);
        return place !== null && metresBetween(place.lat, place.lon, condition.lat, condition.lon) <= condition.radiusM;
      };
    case 'geo_box':
      return (value) => {
        const place = placeOf(value);
        return (
          place !== null && place.lat <= condition.top && place.lat >= condition.bottom && betweenMeridians(place.lon, condition)
        );
      };
  }
}

function compileNested(key: string, filter: Filter): PointTest {
  const path = key.split('.');
  const matches = compileFilter(filter);
  return (id, payload) => {
    const element: ValueTest = (value) => isObject(value) && matches(id, value);
    return anyAt(payload, path, 0, anyElement(element));
  };
}

function compileExists(key: string, wanted: boolean): PointTest {
  const present = atKey(key, () => true);
  return (_id, payload) => present(payload) === wanted;
}

/** A missing or null field counts 0, a scalar or an object 1, an array its length. */
function compileValuesCount(key: string, bounds: RangeBounds): PointTest {
  const present = atKey(key, () => true);
  const counts = atKey(key, (value) => within(value === null ? 0 : Array.isArray(value) ? value.length : 1, bounds));
  const emptyMatches = within(0, bounds);
  return (_id, payload) => counts(payload) || (emptyMatches && !present(payload));
}

function atKey(key: string, test: ValueTest): (payload: Payload) => boolean {
  const path = key.split('.');
  return (payload) => anyAt(payload, path, 0, test);
}

/** Does the test hold for any value at the path's end? Own keys only: a payload may have a key named "constructor". */
function anyAt(from: JsonValue, path: readonly string[], start: number, test: ValueTest): boolean {
  let value = from;
  for (let step = start; step < path.length; step++) {
    if (Array.isArray(value)) return value.some((element) => isObject(element) && anyAt(element, path, step, test));
    const key = path[step] as string;
    if (!isObject(value) || !Object.hasOwn(value, key)) return false;
    value = value[key] as JsonValue;
  }
  return test(value);
}

function anyElement(test: ValueTest): ValueTest {
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}

function isObject(value: JsonValue): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function within(value: number, { gt, gte, lt, lte }: RangeBounds): boolean {
  return (
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte)
  );
}

function numberRange(bounds: RangeBounds): ValueTest {
  return (value) => typeof value === 'number' && within(value, bounds);
}

function timeRange(bounds: RangeBounds): ValueTest {
  return (value) => {
    const instantMs = typeof value === 'string' ? parseInstant(value) : null;
    return instantMs !== null && within(instantMs, bounds);
  };
}

function hasWords(text: string, wanted: readonly string[]): boolean {
  const words = wordsOf(text);
  return wanted.every((word) => words.has(word));
}

/** Words are runs of letters, marks and digits, in lower case. */
function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(WORD));
}

/** A place is an object with numbers `lat` and `lon` in range; anything else is none. */
function placeOf(value: JsonValue): { readonly lat: number; readonly lon: number } | null {
  if (!isObject(value) || !Object.hasOwn(value, 'lat') || !Object.hasOwn(value, 'lon')) return null;
  const { lat, lon } = value;
  if (typeof lat !== 'number' || typeof lon !== 'number' || Math.abs(lat) > 90 || Math.abs(lon) > 180) return null;
  return { lat, lon };
}

/** A box whose left edge is east of its right edge crosses the antimeridian; 180 and -180 are the same meridian. */
function betweenMeridians(lon: number, { left, right }: { readonly left: number; readonly right: number }): boolean {
  const inside = (one: number): boolean => (left <= right ? one >= left && one <= right : one >= left || one <= right);
  return inside(lon) || (Math.abs(lon) === 180 && inside(-lon));
}

function metresBetween(latA: number, lonA: number, latB: number, lonB: number): number {
  const radians = Math.PI / 180;
  const halfLat = Math.sin(((latB - latA) * radians) / 2);
  const halfLon = Math.sin(((lonB - lonA) * radians) / 2);
  const haversine = halfLat * halfLat + Math.cos(latA * radians) * Math.cos(latB * radians) * halfLon * halfLon;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(haversine)));
}

/** Filters in their plainest reading, from the sentences of docs/HTTP_API.md alone: every value at a path is listed first, then looked at.
 *  What the product's evaluation and its indexes are held against. Must not know: either of them. */

import type { Condition, Filter, RangeBounds } from '../../src/model/filter.js';
import { sliceOf } from '../../src/model/id-slice.js';
import type { PathStep } from '../../src/model/path-step.js';
import type { JsonValue, Payload, PointId } from '../../src/model/point.js';

/** Every value at a path. */
function valuesAt(from: JsonValue, keys: readonly string[]): JsonValue[] {
  const [key, ...rest] = keys;
  if (key === undefined) return [from];
  const owners = Array.isArray(from) ? from : [from];
  return owners.flatMap((owner: JsonValue) => {
    if (owner === null || typeof owner !== 'object' || Array.isArray(owner)) return [];
    const entry = Object.entries(owner).find(([name]) => name === key);
    return entry === undefined ? [] : valuesAt(entry[1], rest);
  });
}

/** Every value at the end of exact steps. */
function valuesBySteps(from: JsonValue, [step, ...rest]: readonly PathStep[]): JsonValue[] {
  if (step === undefined) return [from];
  if (typeof step !== 'string') {
    if (!Array.isArray(from)) return [];
    const chosen: JsonValue[] = step === null ? from : from.filter((_, at) => at === step);
    return chosen.flatMap((one) => valuesBySteps(one, rest));
  }
  return Array.isArray(from) ? [] : valuesAt(from, [step]).flatMap((one) => valuesBySteps(one, rest));
}

function inBounds(number: number, bounds: RangeBounds): boolean {
  const {
    gt = Number.NEGATIVE_INFINITY,
    gte = Number.NEGATIVE_INFINITY,
    lt = Number.POSITIVE_INFINITY,
    lte = Number.POSITIVE_INFINITY,
  } = bounds;
  return number > gt && number >= gte && number < lt && number <= lte;
}

/** Does a point match a filter? */
export function plainMatch(filter: Filter, id: PointId, payload: Payload): boolean {
  const count = (conditions: readonly Condition[] = []): number =>
    conditions.filter((one) => plainCondition(one, id, payload)).length;
  if (count(filter.must) < (filter.must?.length ?? 0)) return false;
  if (count(filter.mustNot) > 0) return false;
  if ((filter.should?.length ?? 0) > 0 && count(filter.should) === 0) return false;
  return filter.minShould === undefined || count(filter.minShould.conditions) >= filter.minShould.minCount;
}

export function plainCondition(condition: Condition, id: PointId, payload: Payload): boolean {
  if (condition.kind === 'filter') return plainMatch(condition.filter, id, payload);
  if (condition.kind === 'has_id') return condition.ids.some((one) => one === id);
  if (condition.kind === 'has_vector') throw new Error('the reference knows no vectors');
  if (condition.kind === 'slice') return sliceOf(id, condition.total) === condition.index;
  const { steps } = condition;
  const found = steps === undefined ? valuesAt(payload, condition.key.split('.')) : valuesBySteps(payload, steps);
  const elements = found.flatMap((one) => (Array.isArray(one) ? (one as JsonValue[]) : [one]));
  switch (condition.kind) {
    case 'match_value':
      return elements.some((one) => one === condition.value);
    case 'match_any':
      return elements.some((one) => condition.values.some((wanted) => wanted === one));
    case 'match_except':
      return elements.some((one) => one !== null && !condition.values.some((wanted) => wanted === one));
    case 'match_text': {
      const words = (text: string): string[] =>
        text
          .toLowerCase()
          .split(/[^\p{L}\p{M}\p{N}]+/u)
          .filter((word) => word !== '');
      const wanted = words(condition.text);
      const says = (said: string[]): boolean => {
        if (condition.words === 'any') return wanted.some((word) => said.includes(word));
        if (condition.words === 'phrase') return ` ${said.join(' ')} `.includes(` ${wanted.join(' ')} `);
        return wanted.every((word) => said.includes(word));
      };
      return elements.some((one) => typeof one === 'string' && wanted.length > 0 && says(words(one)));
    }
    case 'match_prefix':
      return elements.some((one) => typeof one === 'string' && one.slice(0, condition.prefix.length) === condition.prefix);
    case 'range':
      if (condition.time) return elements.some((one) => inBounds(instantOf(one), condition.bounds));
      return elements.some((one) => typeof one === 'number' && inBounds(one, condition.bounds));
    case 'geo_radius':
    case 'geo_box':
    case 'geo_polygon':
      return elements.some((one) => plainPlace(condition, one));
    case 'exists':
      return condition.exists === found.length > 0;
    case 'is_empty':
      return condition.isEmpty === found.every((one) => one === null || (Array.isArray(one) && one.length === 0));
    case 'is_null':
      return condition.isNull === (found.includes(null) || found.some((one) => Array.isArray(one) && one.includes(null)));
    case 'values_count': {
      const counts = found.map((one) => (one === null ? 0 : Array.isArray(one) ? one.length : 1));
      return (counts.length === 0 ? [0] : counts).some((one) => inBounds(one, condition.bounds));
    }
    case 'nested':
      return (steps === undefined ? elements : found).some(
        (one) =>
          one !== null && typeof one === 'object' && !Array.isArray(one) && plainMatch(condition.filter, id, one as Payload),
      );
  }
}

function plainPlace(condition: Condition & { kind: 'geo_radius' | 'geo_box' | 'geo_polygon' }, one: JsonValue): boolean {
  if (one === null || typeof one !== 'object' || Array.isArray(one)) return false;
  const { lat, lon } = one as { lat?: JsonValue; lon?: JsonValue };
  if (typeof lat !== 'number' || typeof lon !== 'number' || lat < -90 || lat > 90 || lon < -180 || lon > 180) return false;
  if (condition.kind === 'geo_radius') {
    // The angle between two unit vectors, by their chord.
    const point = (degreesLat: number, degreesLon: number): [number, number, number] => {
      const [a, o] = [(degreesLat * Math.PI) / 180, (degreesLon * Math.PI) / 180];
      return [Math.cos(a) * Math.cos(o), Math.cos(a) * Math.sin(o), Math.sin(a)];
    };
    const [x, y, z] = point(lat, lon);
    const [u, v, w] = point(condition.lat, condition.lon);
    return 2 * 6_371_008.8 * Math.asin(Math.min(1, Math.hypot(x - u, y - v, z - w) / 2)) <= condition.radiusM;
  }
  if (condition.kind === 'geo_polygon')
    return (
      plainInside(lat, lon, condition.exterior) === 1 && condition.interiors.every((ring) => plainInside(lat, lon, ring) === 0)
    );
  // One meridian has two names.
  const names = Math.abs(lon) === 180 ? [180, -180] : [lon];
  const { left, right } = condition;
  const inside = names.some((name) => (left <= right ? left <= name && name <= right : left <= name || name <= right));
  return inside && lat <= condition.top && lat >= condition.bottom;
}

/** 1 inside, 0 outside, −1 on an edge: how often the edges turn about the place, in halves of a turn, by their angles. */
export function plainInside(lat: number, lon: number, ring: readonly { lat: number; lon: number }[]): number {
  let crossings = 0;
  for (const [at, from] of ring.entries()) {
    const to = ring[(at + 1) % ring.length] as { lat: number; lon: number };
    const [low, high] = from.lat <= to.lat ? [from, to] : [to, from];
    const meets = low.lat === high.lat ? Number.NaN : low.lon + ((lat - low.lat) / (high.lat - low.lat)) * (high.lon - low.lon);
    const level = lat === low.lat && lat === high.lat && lon >= Math.min(low.lon, high.lon) && lon <= Math.max(low.lon, high.lon);
    if (level || (lat >= low.lat && lat <= high.lat && Math.abs(meets - lon) < 1e-9)) return -1;
    if (lat >= low.lat && lat < high.lat && meets > lon) crossings += 1;
  }
  return crossings % 2;
}

/** Milliseconds of an ISO text; without a zone it is UTC. NaN for everything else, which is in no bounds. */
export function instantOf(value: JsonValue): number {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d|$)/.test(value)) return Number.NaN;
  const iso = value.length === 10 ? `${value}T00:00` : value.replace(' ', 'T');
  return Date.parse(/(?:Z|[+-]\d\d:\d\d)$/.test(iso) ? iso : `${iso}Z`);
}

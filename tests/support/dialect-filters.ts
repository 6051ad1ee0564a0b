/** Filters of the Qdrant dialect at random, as they are written in JSON, and what they mean, read from its documentation alone.
 *  What the product's reading, evaluation and indexes are held against. Must not know: any of them. */

import fc from 'fast-check';
import type { JsonValue, Payload, PointId } from '../../src/model/point.js';
import { instantOf, plainInside } from './plain-filter.js';

export type DialectFilter = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, JsonValue>>;

const name = fc.constantFrom('a', 'b', 'c');
const step = fc.oneof(
  { weight: 5, arbitrary: name },
  { weight: 2, arbitrary: name.map((one) => `${one}[]`) },
  { weight: 1, arbitrary: fc.tuple(name, fc.nat(1)).map(([one, at]) => `${one}[${at}]`) },
  { weight: 1, arbitrary: name.map((one) => `"${one}"`) },
  { weight: 1, arbitrary: name.map((one) => `${one}[][]`) },
);
const key = fc.oneof(
  name,
  fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('.')),
);
const values = fc.constantFrom<string | number | boolean>(true, false, 0, 1, 7, -2, '7', 'red', 'Blue sky', '');
const words = fc.constantFrom('red', 'SKY red', 'red sky', 'été', 'blue', '2026');
const bounds = (one: fc.Arbitrary<unknown>): fc.Arbitrary<object> =>
  fc.record({ lt: one, gt: one, lte: one, gte: one }, { requiredKeys: [] });
const place = fc.record({ lat: fc.integer({ min: -89, max: 89 }), lon: fc.integer({ min: -179, max: 179 }) });
const at = (lat: number, lon: number): { lat: number; lon: number } => ({ lat, lon });
const RINGS = [
  [at(45.25, 0.25), at(55.25, 0.25), at(55.25, 20.25), at(45.25, 20.25), at(45.25, 0.25)],
  [at(-80.25, -179.75), at(80.25, -179.75), at(80.25, 179.75), at(-80.25, 179.75), at(-80.25, -179.75)],
  [at(50, 13), at(54, 13.1), at(52.75, 14.25), at(50, 13)],
];
const ring = fc.constantFrom(...RINGS).map((points) => ({ points }));
const ids = fc.constantFrom<PointId>(1, 2, 7, '00010203-0405-0607-0809-0a0b0c0d0e0f');

/** One of them, or a list. */
const clause = (depth: number): fc.Arbitrary<unknown> =>
  fc.oneof(dialectConditions(depth), fc.array(dialectConditions(depth), { maxLength: 3 }), fc.constant(null));

export const dialectFilters: fc.Memo<DialectFilter> = fc.memo((depth) => {
  const minShould = fc.record({ conditions: fc.array(dialectConditions(depth), { maxLength: 3 }), min_count: fc.nat(3) });
  const inner = clause(depth);
  return fc.record({ must: inner, should: inner, must_not: inner, min_should: minShould }, { requiredKeys: [] });
});

const dialectConditions: fc.Memo<DialectFilter> = fc.memo((depth) => {
  const on = (test: fc.Arbitrary<object>): fc.Arbitrary<DialectFilter> =>
    fc.tuple(key, test).map(([one, fields]) => ({ key: one, ...fields }));
  const match = (test: fc.Arbitrary<object>): fc.Arbitrary<DialectFilter> => on(test.map((fields) => ({ match: fields })));
  const flat: fc.Arbitrary<DialectFilter>[] = [
    match(values.map((value) => ({ value }))),
    match(fc.array(values, { maxLength: 3 }).map((any) => ({ any }))),
    match(fc.array(values, { maxLength: 3 }).map((except) => ({ except }))),
    match(words.map((text) => ({ text }))),
    match(words.map((text) => ({ text_any: text }))),
    match(words.map((phrase) => ({ phrase }))),
    match(fc.constantFrom('', 're', 'Blue', '20').map((prefix) => ({ prefix }))),
    on(bounds(fc.constantFrom<unknown>(-2, 0, 1, 1.5, 7, null)).map((range) => ({ range }))),
    on(bounds(fc.constantFrom('2024-06-01T00:00:00Z', '2026-11-20T08:00:00+00:00')).map((range) => ({ range }))),
    on(
      fc
        .tuple(place, fc.integer({ min: 1, max: 20_000 }))
        .map(([center, km]) => ({ geo_radius: { center, radius: km * 1_000 + 1 } })),
    ),
    on(
      fc
        .tuple(place, place)
        .filter(([one, other]) => one.lat >= other.lat)
        .map(([topLeft, bottomRight]) => ({ geo_bounding_box: { top_left: topLeft, bottom_right: bottomRight } })),
    ),
    on(
      fc.tuple(ring, fc.array(ring, { maxLength: 1 })).map(([exterior, interiors]) => ({ geo_polygon: { exterior, interiors } })),
    ),
    on(
      bounds(fc.nat(3))
        .filter((count) => Object.keys(count).length > 0)
        .map((count) => ({ values_count: count })),
    ),
    on(fc.boolean().map((flag) => ({ is_empty: flag }))),
    on(fc.boolean().map((flag) => ({ is_null: flag }))),
    key.map((one) => ({ is_empty: { key: one } })),
    key.map((one) => ({ is_null: { key: one } })),
    fc.array(ids, { maxLength: 3 }).map((some) => ({ has_id: some })),
  ];
  if (depth <= 1) return fc.oneof(...flat);
  const inner = dialectFilters(depth - 1);
  return fc.oneof(
    ...flat,
    inner,
    fc.tuple(key, inner).map(([one, filter]) => ({ nested: { key: one, filter } })),
  );
});

/** Does a point match? */
export function dialectMatch(filter: DialectFilter, id: PointId, payload: Payload): boolean {
  const listed = (given: unknown): DialectFilter[] => {
    if (given === undefined || given === null) return [];
    return (Array.isArray(given) ? given : [given]) as DialectFilter[];
  };
  const count = (given: unknown): number => listed(given).filter((one) => conditionHolds(one, id, payload)).length;
  const should = listed(filter['should']);
  const minShould = filter['min_should'] as { conditions: DialectFilter[]; min_count: number } | undefined;
  return (
    count(filter['must']) === listed(filter['must']).length &&
    (should.length === 0 || count(should) > 0) &&
    count(filter['must_not']) === 0 &&
    (minShould === undefined || count(minShould.conditions) >= minShould.min_count)
  );
}

function conditionHolds(condition: DialectFilter, id: PointId, payload: Payload): boolean {
  const { key: path, is_empty: empty, is_null: nothing, has_id: wanted, nested } = condition as Record<string, JsonValue>;
  if (wanted !== undefined) return (wanted as PointId[]).includes(id);
  if (nested !== undefined) {
    const { key: list, filter } = nested as unknown as { key: string; filter: DialectFilter };
    const elements = valuesAt(payload, list.endsWith('[]') ? list : `${list}[]`);
    return elements.some((one) => isObject(one) && dialectMatch(filter, id, one));
  }
  if (empty !== undefined) return isEmptyAt(payload, path ?? (empty as Fields)['key']) === (path === undefined || empty === true);
  if (nothing !== undefined)
    return isNullAt(payload, path ?? (nothing as Fields)['key']) === (path === undefined || nothing === true);
  if (path === undefined) return dialectMatch(condition, id, payload);
  const found = valuesAt(payload, path as string);
  if (condition['values_count'] !== undefined) {
    const counts = found.map((one) => (one === null ? 0 : Array.isArray(one) ? one.length : 1));
    return (counts.length === 0 ? [0] : counts).some((one) => inBounds(one, condition['values_count'] as Fields));
  }
  return found.some((one) => (Array.isArray(one) ? one : [one]).some((element: JsonValue) => elementHolds(condition, element)));
}

function elementHolds(condition: DialectFilter, value: JsonValue): boolean {
  const match = condition['match'] as Fields | undefined;
  if (match !== undefined) return matches(match, value);
  const range = condition['range'] as Fields | undefined;
  if (range !== undefined) {
    const isTime = Object.values(range).some((bound) => typeof bound === 'string');
    if (!isTime) return typeof value === 'number' && inBounds(value, range);
    return inBounds(
      instantOf(value),
      Object.fromEntries(Object.entries(range).map(([side, bound]) => [side, Date.parse(bound as string)])),
    );
  }
  if (!isObject(value)) return false;
  const { lat, lon } = value;
  if (typeof lat !== 'number' || typeof lon !== 'number' || Math.abs(lat) > 90 || Math.abs(lon) > 180) return false;
  return placeHolds(condition, lat, lon);
}

interface PlaceTests {
  readonly geo_radius?: { center: { lat: number; lon: number }; radius: number };
  readonly geo_bounding_box?: Record<'top_left' | 'bottom_right', { lat: number; lon: number }>;
  readonly geo_polygon?: Record<'exterior', { points: { lat: number; lon: number }[] }> & {
    interiors: { points: { lat: number; lon: number }[] }[];
  };
}

function placeHolds(condition: PlaceTests, lat: number, lon: number): boolean {
  const { geo_radius: circle, geo_bounding_box: box, geo_polygon: polygon } = condition;
  if (circle !== undefined) {
    const radians = Math.PI / 180;
    const [a, b] = [lat * radians, circle.center.lat * radians];
    const chord =
      Math.sin((a - b) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(((lon - circle.center.lon) * radians) / 2) ** 2;
    return 2 * 6_371_008.8 * Math.asin(Math.min(1, Math.sqrt(chord))) <= circle.radius;
  }
  if (box !== undefined) {
    const { top_left: from, bottom_right: to } = box;
    const names = Math.abs(lon) === 180 ? [180, -180] : [lon];
    const within = names.some((one) =>
      from.lon <= to.lon ? one >= from.lon && one <= to.lon : one >= from.lon || one <= to.lon,
    );
    return within && lat <= from.lat && lat >= to.lat;
  }
  if (polygon === undefined) throw new Error('no test of the reference');
  const side = ({ points }: { points: { lat: number; lon: number }[] }): number => plainInside(lat, lon, points.slice(1));
  return side(polygon.exterior) === 1 && polygon.interiors.every((one) => side(one) === 0);
}

function matches({ value, any, except, text, text_any: some, phrase, prefix }: Fields, element: JsonValue): boolean {
  if (value !== undefined) return element === value;
  if (any !== undefined) return (any as JsonValue[]).includes(element);
  if (except !== undefined) return element !== null && !(except as JsonValue[]).includes(element);
  if (typeof element !== 'string') return false;
  if (prefix !== undefined) return element.indexOf(prefix as string) === 0;
  const wordsOf = (from: string): string[] =>
    from
      .toLowerCase()
      .split(/[^\p{L}\p{M}\p{N}]+/u)
      .filter((word) => word !== '');
  const wanted = wordsOf((text ?? some ?? phrase) as string);
  const said = wordsOf(element);
  if (text !== undefined) return wanted.every((word) => said.includes(word));
  if (some !== undefined) return wanted.some((word) => said.includes(word));
  return ` ${said.join(' ')} `.includes(` ${wanted.join(' ')} `);
}

function inBounds(number: number, { lt, gt, lte, gte }: Fields): boolean {
  const holds = (bound: JsonValue | undefined, test: (one: number) => boolean): boolean =>
    bound === undefined || bound === null || test(bound as number);
  return (
    !Number.isNaN(number) &&
    holds(lt, (one) => number < one) &&
    holds(gt, (one) => number > one) &&
    holds(lte, (one) => number <= one) &&
    holds(gte, (one) => number >= one)
  );
}

function isEmptyAt(payload: Payload, path: JsonValue | undefined): boolean {
  return valuesAt(payload, path as string).every((one) => one === null || (Array.isArray(one) && one.length === 0));
}

function isNullAt(payload: Payload, path: JsonValue | undefined): boolean {
  return valuesAt(payload, path as string).some((one) => one === null || (Array.isArray(one) && one.includes(null)));
}

/** Every value at a path: keys between dots, and [] and [n] behind them. */
function valuesAt(payload: Payload, path: string): JsonValue[] {
  let found: JsonValue[] = [payload];
  for (const part of path.split('.')) {
    const [head = '', ...places] = part.split('[');
    const own = head.replaceAll('"', '');
    found = found.flatMap((one) => (isObject(one) && Object.hasOwn(one, own) ? [one[own] as JsonValue] : []));
    for (const inside of places) {
      const wanted = inside.replace(']', '');
      found = found.flatMap((one): JsonValue[] => {
        if (!Array.isArray(one)) return [];
        return wanted === '' ? one : one.slice(Number(wanted), Number(wanted) + 1);
      });
    }
  }
  return found;
}

function isObject(value: JsonValue): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

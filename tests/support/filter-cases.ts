/** Filters and payloads at random, small enough that they meet: three keys, a few values of every kind, deep inside each other. */

import fc from 'fast-check';
import type { Condition, Filter, RangeBounds } from '../../src/model/filter.js';
import type { PathStep } from '../../src/model/path-step.js';
import type { JsonValue, Payload, PointId } from '../../src/model/point.js';

const scalars: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  1,
  1.5,
  -2,
  7,
  '7',
  'red',
  'Blue sky',
  'ÉTÉ 2026, red sky',
  '',
  '2026-11-20T08:00:00Z',
  '2025-01-01T00:00:00Z',
  '2026-11-20',
  '2026-11-20 08:00',
  '2026-11-20T09:00:00.000+01:00',
  '2026-11-20T08:00:00.250Z',
  '2026-13-01T00:00:00Z',
];
const places: readonly JsonValue[] = [
  { lat: 52.5, lon: 13.4 },
  { lat: 48.9, lon: 2.4 },
  { lat: -17, lon: 179 },
  { lat: -17, lon: -179 },
  { lat: 90, lon: 12 },
  { lat: -90, lon: -180 },
  { lat: 0, lon: 180 },
  { lat: 0.5, lon: -180 },
  { lat: 99, lon: 0 },
  { lat: '52', lon: 13 },
];
const keyName = fc.constantFrom('a', 'b', 'c');
const json: fc.Memo<JsonValue> = fc.memo((depth) => {
  const leaf = fc.constantFrom(...scalars, ...places);
  if (depth <= 1) return leaf;
  const inner = json(depth - 1);
  return fc.oneof(
    { weight: 2, arbitrary: leaf },
    { weight: 1, arbitrary: fc.array(inner, { maxLength: 3 }) },
    { weight: 2, arbitrary: fc.dictionary(keyName, inner, { maxKeys: 3 }) },
  );
});
export const payloads: fc.Arbitrary<Payload> = fc.dictionary(keyName, json(4), { minKeys: 1, maxKeys: 3 });
const key = fc
  .oneof(fc.tuple(keyName), fc.tuple(keyName, keyName), fc.array(keyName, { minLength: 1, maxLength: 3 }))
  .map((steps) => steps.join('.'));
const matchValues = fc.constantFrom(...scalars.filter((one) => one !== null)) as fc.Arbitrary<string | number | boolean>;
const bound = fc.constantFrom(-2, 0, 1, 1.5, 2, 7);
/** Rings about some of the places; whole degrees and halves, so some places lie on their edges. */
const rings = fc.constantFrom<readonly (readonly [number, number])[]>(
  [
    [45, 0],
    [55, 0],
    [55, 20],
    [45, 20],
  ],
  [
    [52, 13],
    [53, 13],
    [52.5, 14],
  ],
  [
    [-30, 170],
    [0, 170],
    [0, 180],
    [-30, 180],
  ],
  [
    [-80, -180],
    [80, -180],
    [80, 180],
    [-80, 180],
    [-80, -180],
  ],
  [
    [50, -10],
    [40, 30],
    [60, 30],
    [50, -10.5],
    [55, 10],
  ],
);
const ring = rings.map((places) => places.map(([lat, lon]) => ({ lat, lon })));
/** A way that is exact: keys, places in arrays, every element of one. */
const steps = fc
  .array(fc.oneof({ weight: 3, arbitrary: keyName }, fc.constantFrom(null, 0, 1)), { minLength: 0, maxLength: 3 })
  .chain((rest) => keyName.map((first): readonly PathStep[] => [first, ...rest]))
  // No index is declared for longer paths.
  .filter((way) => way.filter((step) => typeof step === 'string').length <= 3);
const instant = fc.constantFrom('2024-06-01', '2025-01-01', '2026-11-20T08:00:00Z', '2027-01-01').map((text) => Date.parse(text));
const boundsOf = (one: fc.Arbitrary<number>): fc.Arbitrary<RangeBounds> =>
  fc.record({ gt: one, gte: one, lt: one, lte: one }, { requiredKeys: [] });
const degrees = (most: number): fc.Arbitrary<number> => fc.integer({ min: -most, max: most });
const meridian = fc.oneof(degrees(180), fc.constantFrom(-180, 180));
export const ids = fc.constantFrom<PointId>(1, 2, '1', '7', 7);

/** The condition, its way taken by steps. */
function stepped(condition: Condition, way: readonly PathStep[]): Condition {
  if (!('key' in condition)) return condition;
  return { ...condition, key: way.filter((step) => typeof step === 'string').join('.'), steps: way };
}

export const filters: fc.Memo<Filter> = fc.memo((depth) => {
  const list = fc.array(conditions(depth), { maxLength: 3 });
  const minShould = fc.record({ conditions: list, minCount: fc.nat(3) });
  const few = fc.array(conditions(depth), { minLength: 1, maxLength: 3 });
  return fc.oneof(
    fc.record({ must: list, should: list, mustNot: list, minShould }, { requiredKeys: [] }),
    fc.record({ should: few }),
    fc.record({ mustNot: few }),
    fc.record({ must: fc.tuple(conditions(depth)) }),
  );
});
export const conditions: fc.Memo<Condition> = fc.memo((depth) => {
  const flat: fc.Arbitrary<Condition>[] = [
    fc.record({ kind: fc.constant('match_value' as const), key, value: matchValues }),
    fc.record({ kind: fc.constant('match_any' as const), key, values: fc.array(matchValues, { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('match_except' as const), key, values: fc.array(matchValues, { maxLength: 3 }) }),
    fc.record({
      kind: fc.constant('match_text' as const),
      key,
      text: fc.constantFrom('red', 'SKY red', 'été', 'blue', '2026', '…'),
    }),
    fc.record({ kind: fc.constant('range' as const), key, time: fc.constant(false), bounds: boundsOf(bound) }),
    fc.record({ kind: fc.constant('range' as const), key, time: fc.constant(true), bounds: boundsOf(instant) }),
    fc.record({
      kind: fc.constant('geo_radius' as const),
      key,
      lat: degrees(90),
      lon: degrees(180),
      radiusM: fc.integer({ min: 1, max: 21_000 }).map((km) => km * 1_000 + 1),
    }),
    fc
      .tuple(degrees(90), degrees(90), meridian, meridian)
      .map(([one, other, left, right]) => ({ top: Math.max(one, other), bottom: Math.min(one, other), left, right }))
      .chain((box) => fc.record({ kind: fc.constant('geo_box' as const), key }).map((rest) => ({ ...rest, ...box }))),
    fc.record({
      kind: fc.constant('match_text' as const),
      key,
      text: fc.constantFrom('red sky', 'sky red', 'blue 2026', 'été 2026'),
      words: fc.constantFrom('any' as const, 'phrase' as const),
    }),
    fc.record({ kind: fc.constant('match_prefix' as const), key, prefix: fc.constantFrom('', 're', 'Blue', '20', 'blue') }),
    fc.record({ kind: fc.constant('geo_polygon' as const), key, exterior: ring, interiors: fc.array(ring, { maxLength: 2 }) }),
    fc.record({ kind: fc.constant('is_empty' as const), key, isEmpty: fc.boolean() }),
    fc.record({ kind: fc.constant('exists' as const), key, exists: fc.boolean() }),
    fc.record({ kind: fc.constant('is_null' as const), key, isNull: fc.boolean() }),
    fc.record({ kind: fc.constant('values_count' as const), key, bounds: boundsOf(fc.nat(3)) }),
    fc.record({ kind: fc.constant('has_id' as const), ids: fc.array(ids, { maxLength: 3 }) }),
  ];
  const bySteps = fc.oneof(...flat).chain((condition) => steps.map((way) => stepped(condition, way)));
  if (depth <= 1) return fc.oneof(...flat, { weight: 4, arbitrary: bySteps });
  const inner = filters(depth - 1);
  const nested = fc.record({ kind: fc.constant('nested' as const), key, filter: inner });
  return fc.oneof(
    ...flat,
    { weight: 4, arbitrary: bySteps },
    nested,
    nested.chain((condition) => steps.map((way) => stepped(condition, [...way, null]))),
    fc.record({ kind: fc.constant('filter' as const), filter: inner }),
  );
});

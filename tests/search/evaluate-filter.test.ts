/** Filters: the sentences of docs/HTTP_API.md one by one, and everything together against a second, plainer reading of them. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Condition, Filter, RangeBounds } from '../../src/model/filter.js';
import type { JsonValue, Payload, PointId } from '../../src/model/point.js';
import { compileFilter } from '../../src/search/evaluate-filter.js';
import { suite } from '../support/suite.js';

const test = suite('search/evaluate-filter');

const holds = (condition: Condition, payload: Payload, id: PointId = 1): boolean =>
  compileFilter({ must: [condition] })(id, payload);
const value = (key: string, wanted: string | number | boolean): Condition => ({ kind: 'match_value', key, value: wanted });

/** The plainer reading: every value at a path is listed first, then looked at. */
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

function inBounds(number: number, bounds: RangeBounds): boolean {
  const {
    gt = Number.NEGATIVE_INFINITY,
    gte = Number.NEGATIVE_INFINITY,
    lt = Number.POSITIVE_INFINITY,
    lte = Number.POSITIVE_INFINITY,
  } = bounds;
  return number > gt && number >= gte && number < lt && number <= lte;
}

function expected(filter: Filter, id: PointId, payload: Payload): boolean {
  const count = (conditions: readonly Condition[] = []): number =>
    conditions.filter((one) => expectedOne(one, id, payload)).length;
  if (count(filter.must) < (filter.must?.length ?? 0)) return false;
  if (count(filter.mustNot) > 0) return false;
  if ((filter.should?.length ?? 0) > 0 && count(filter.should) === 0) return false;
  return filter.minShould === undefined || count(filter.minShould.conditions) >= filter.minShould.minCount;
}

function expectedOne(condition: Condition, id: PointId, payload: Payload): boolean {
  if (condition.kind === 'filter') return expected(condition.filter, id, payload);
  if (condition.kind === 'has_id') return condition.ids.some((one) => one === id);
  const found = valuesAt(payload, condition.key.split('.'));
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
      return elements.some(
        (one) => typeof one === 'string' && wanted.length > 0 && wanted.every((word) => words(one).includes(word)),
      );
    }
    case 'range':
      if (condition.time)
        return elements.some(
          (one) => typeof one === 'string' && one.endsWith('Z') && inBounds(Date.parse(one), condition.bounds),
        );
      return elements.some((one) => typeof one === 'number' && inBounds(one, condition.bounds));
    case 'geo_radius':
    case 'geo_box':
      return elements.some((one) => expectedPlace(condition, one));
    case 'exists':
      return condition.exists === found.length > 0;
    case 'is_null':
      return condition.isNull === (found.includes(null) || found.some((one) => Array.isArray(one) && one.includes(null)));
    case 'values_count': {
      const counts = found.map((one) => (one === null ? 0 : Array.isArray(one) ? one.length : 1));
      return (counts.length === 0 ? [0] : counts).some((one) => inBounds(one, condition.bounds));
    }
    case 'nested':
      return elements.some(
        (one) => one !== null && typeof one === 'object' && !Array.isArray(one) && expected(condition.filter, id, one as Payload),
      );
  }
}

function expectedPlace(condition: Condition & { kind: 'geo_radius' | 'geo_box' }, one: JsonValue): boolean {
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
  const width = (((condition.right - condition.left) % 360) + 360) % 360 || (condition.left === condition.right ? 0 : 360);
  const from = (((lon - condition.left) % 360) + 360) % 360;
  return lat <= condition.top && lat >= condition.bottom && (from <= width || width === 360);
}

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
];
const places: readonly JsonValue[] = [
  { lat: 52.5, lon: 13.4 },
  { lat: 48.9, lon: 2.4 },
  { lat: -17, lon: 179 },
  { lat: -17, lon: -179 },
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
const payloads: fc.Arbitrary<Payload> = fc.dictionary(keyName, json(4), { maxKeys: 3 });
const key = fc.array(keyName, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('.'));
const matchValues = fc.constantFrom(...scalars.filter((one) => one !== null)) as fc.Arbitrary<string | number | boolean>;
const bound = fc.constantFrom(-2, 0, 1, 1.5, 2, 7);
const instant = fc.constantFrom('2024-06-01', '2025-01-01', '2026-11-20T08:00:00Z', '2027-01-01').map((text) => Date.parse(text));
const boundsOf = (one: fc.Arbitrary<number>): fc.Arbitrary<RangeBounds> =>
  fc.record({ gt: one, gte: one, lt: one, lte: one }, { requiredKeys: [] });
const degrees = (most: number): fc.Arbitrary<number> => fc.integer({ min: -most, max: most });
const ids = fc.constantFrom<PointId>(1, 2, '1', '7', 7);

const filters: fc.Memo<Filter> = fc.memo((depth) => {
  const list = fc.array(conditions(depth), { maxLength: 3 });
  const minShould = fc.record({ conditions: list, minCount: fc.nat(3) });
  return fc.record({ must: list, should: list, mustNot: list, minShould }, { requiredKeys: [] });
});
const conditions: fc.Memo<Condition> = fc.memo((depth) => {
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
      radiusM: fc.integer({ min: 1, max: 15_000 }).map((km) => km * 1_000 + 1),
    }),
    fc
      .tuple(degrees(90), degrees(90), degrees(179), degrees(179))
      .map(([one, other, left, right]) => ({ top: Math.max(one, other), bottom: Math.min(one, other), left, right }))
      .chain((box) => fc.record({ kind: fc.constant('geo_box' as const), key }).map((rest) => ({ ...rest, ...box }))),
    fc.record({ kind: fc.constant('exists' as const), key, exists: fc.boolean() }),
    fc.record({ kind: fc.constant('is_null' as const), key, isNull: fc.boolean() }),
    fc.record({ kind: fc.constant('values_count' as const), key, bounds: boundsOf(fc.nat(3)) }),
    fc.record({ kind: fc.constant('has_id' as const), ids: fc.array(ids, { maxLength: 3 }) }),
  ];
  if (depth <= 1) return fc.oneof(...flat);
  const inner = filters(depth - 1);
  return fc.oneof(
    ...flat,
    fc.record({ kind: fc.constant('nested' as const), key, filter: inner }),
    fc.record({ kind: fc.constant('filter' as const), filter: inner }),
  );
});

test('agrees with the plainer reading on any filter and payload', () => {
  let matched = 0;
  let cases = 0;
  fc.assert(
    fc.property(filters(3), fc.array(fc.tuple(ids, payloads), { minLength: 5, maxLength: 20 }), (filter, points) => {
      const matches = compileFilter(filter);
      for (const [id, payload] of points) {
        const wanted = expected(filter, id, payload);
        assert.is(matches(id, payload), wanted, JSON.stringify({ id, payload }));
        cases += 1;
        if (wanted) matched += 1;
      }
    }),
    { numRuns: 1_500 },
  );
  assert.ok(matched > cases / 20 && matched < (cases * 19) / 20, `${matched} of ${cases} matched: the cases say too little`);
});

test('agrees with the plainer reading on any single condition', () => {
  fc.assert(
    fc.property(conditions(2), fc.array(payloads, { minLength: 5, maxLength: 20 }), (condition, points) => {
      for (const payload of points)
        assert.is(holds(condition, payload), expectedOne(condition, 1, payload), JSON.stringify(payload));
    }),
    { numRuns: 2_000 },
  );
});

test('an empty filter, and empty lists, demand nothing', () => {
  assert.is(compileFilter({})(1, {}), true);
  assert.is(compileFilter({ must: [], should: [], mustNot: [] })(1, {}), true);
});

test('must, should, must_not and min_should hold together', () => {
  const filter: Filter = {
    must: [value('a', 1)],
    should: [value('b', 1), value('c', 1)],
    mustNot: [value('d', 1)],
    minShould: { conditions: [value('e', 1), value('f', 1), value('g', 1)], minCount: 2 },
  };
  const matches = compileFilter(filter);
  assert.is(matches(1, { a: 1, b: 1, e: 1, f: 1 }), true);
  assert.is(matches(1, { b: 1, e: 1, f: 1 }), false);
  assert.is(matches(1, { a: 1, e: 1, f: 1 }), false);
  assert.is(matches(1, { a: 1, b: 1, d: 1, e: 1, f: 1 }), false);
  assert.is(matches(1, { a: 1, b: 1, g: 1 }), false);
  assert.is(compileFilter({ minShould: { conditions: [], minCount: 1 } })(1, {}), false);
  assert.is(compileFilter({ minShould: { conditions: [], minCount: 0 } })(1, {}), true);
});

test('paths cross arrays of objects, each condition on its own; nested binds conditions to one element', () => {
  const payload = { items: [{ color: 'red', size: 1 }, { color: 'blue', size: 2 }, 'red', [{ color: 'green' }]] };
  assert.is(compileFilter({ must: [value('items.color', 'red'), value('items.size', 2)] })(1, payload), true);
  const bound = (color: string, size: number): Condition => ({
    kind: 'nested',
    key: 'items',
    filter: { must: [value('color', color), value('size', size)] },
  });
  assert.is(holds(bound('red', 2), payload), false);
  assert.is(holds(bound('blue', 2), payload), true);
  assert.is(holds(value('items.color', 'green'), payload), false, 'an array inside an array is not crossed');
  assert.is(holds({ kind: 'nested', key: 'items', filter: { must: [{ kind: 'has_id', ids: [9] }] } }, payload, 9), true);
});

test('a number equals a number of the same value, a string never equals a number, a boolean equals booleans only', () => {
  assert.is(holds(value('a', 1), { a: 1.0 }), true);
  assert.is(holds(value('a', 7), { a: '7' }), false);
  assert.is(holds(value('a', '7'), { a: 7 }), false);
  assert.is(holds(value('a', true), { a: 1 }), false);
  assert.is(holds(value('a', 1), { a: true }), false);
  assert.is(holds({ kind: 'match_any', key: 'a', values: [0] }, { a: -0 }), true);
});

test('except: present, not null, and some element outside the list', () => {
  const except: Condition = { kind: 'match_except', key: 'a', values: ['x', 'y'] };
  const cases: readonly [Payload, boolean][] = [
    [{}, false],
    [{ a: null }, false],
    [{ a: [] }, false],
    [{ a: [null] }, false],
    [{ a: 'x' }, false],
    [{ a: ['x', 'y'] }, false],
    [{ a: ['x', 'z'] }, true],
    [{ a: 'z' }, true],
    [{ a: 3 }, true],
    [{ a: {} }, true],
  ];
  for (const [payload, wanted] of cases) assert.is(holds(except, payload), wanted, JSON.stringify(payload));
});

test('exists, is_null and values_count tell missing, null, scalar and array apart', () => {
  const cases: readonly [Payload, boolean, boolean, number][] = [
    [{}, false, false, 0],
    [{ a: null }, true, true, 0],
    [{ a: 1 }, true, false, 1],
    [{ a: {} }, true, false, 1],
    [{ a: [] }, true, false, 0],
    [{ a: [1, null] }, true, true, 2],
  ];
  for (const [payload, exists, isNull, count] of cases) {
    for (const wanted of [true, false]) {
      assert.is(holds({ kind: 'exists', key: 'a', exists: wanted }, payload), exists === wanted);
      assert.is(holds({ kind: 'is_null', key: 'a', isNull: wanted }, payload), isNull === wanted);
    }
    assert.is(holds({ kind: 'values_count', key: 'a', bounds: { gte: count, lte: count } }, payload), true);
    assert.is(holds({ kind: 'values_count', key: 'a', bounds: { gt: count } }, payload), false);
    assert.is(holds({ kind: 'values_count', key: 'a', bounds: { lt: count } }, payload), false);
  }
});

test('text: every word occurs in one element, whatever the case, as whole words', () => {
  const text = (query: string): Condition => ({ kind: 'match_text', key: 'a', text: query });
  assert.is(holds(text('Sky, RED'), { a: 'The red sky.' }), true);
  assert.is(holds(text('re'), { a: 'The red sky.' }), false);
  assert.is(holds(text('red sky'), { a: ['red', 'sky'] }), false);
  assert.is(holds(text('été'), { a: 'ÉTÉ' }), true);
  assert.is(holds(text('東京'), { a: '東京 2026' }), true);
  assert.is(holds(text('--'), { a: '--' }), false);
  assert.is(holds(text('7'), { a: 7 }), false);
});

test('text of a declared text field is read by its analyser, query and payload alike, inside nested filters as well', () => {
  const firstLetters = (text: string): readonly string[] => text.split(' ').map((word) => word.slice(0, 1));
  const analyse = (path: string): typeof firstLetters | null => (path === 'a.b' ? firstLetters : null);
  const text = (key: string, query: string): Condition => ({ kind: 'match_text', key, text: query });
  const payload = { a: [{ b: 'red sky' }, { b: 'green field' }], b: 'red sky' };
  const read = (condition: Condition): boolean => compileFilter({ must: [condition] }, { analyse })(1, payload);
  assert.is(read(text('a.b', 'gold fish')), true);
  assert.is(read(text('a.b', 'gold ship')), false, 'not in one element');
  assert.is(read(text('b', 'round sun')), false, 'no text field');
  assert.is(read(text('b', 'sky')), true);
  assert.is(read({ kind: 'nested', key: 'a', filter: { must: [text('b', 'rain sun')] } }), true);
  assert.is(compileFilter({ must: [text('a.b', 'red')] }, { analyse: () => () => [] })(1, payload), false, 'no words, no match');
});

test('time ranges read the zone of the text and never the zone of the server', () => {
  const noon = Date.UTC(2026, 10, 20, 12);
  const at = (bounds: RangeBounds): Condition => ({ kind: 'range', key: 'a', time: true, bounds });
  assert.is(holds(at({ gte: noon, lte: noon }), { a: '2026-11-20T13:00:00+01:00' }), true);
  assert.is(holds(at({ gte: noon, lte: noon }), { a: '2026-11-20T12:00:00' }), true);
  assert.is(holds(at({ gt: noon }), { a: '2026-11-20T12:00:00.000001Z' }), true);
  assert.is(holds(at({ gte: 0 }), { a: noon }), false, 'a number is no time');
  assert.is(holds(at({ gte: 0 }), { a: 'tomorrow' }), false);
  assert.is(holds({ kind: 'range', key: 'a', time: false, bounds: { gte: 0 } }, { a: '5' }), false);
});

test('geo: metres on the great circle, boxes across the antimeridian, and only real places', () => {
  const berlin = { lat: 52.52, lon: 13.405 };
  const within = (radiusM: number): Condition => ({ kind: 'geo_radius', key: 'a', lat: 48.8566, lon: 2.3522, radiusM });
  assert.is(holds(within(877_000), { a: berlin }), false, 'Berlin is 877.5 km from Paris');
  assert.is(holds(within(878_000), { a: berlin }), true);
  assert.is(
    holds(within(878_000), {
      a: [
        { lat: 0, lon: 0 },
        { name: 'Berlin', ...berlin },
      ],
    }),
    true,
  );
  const box = (left: number, right: number): Condition => ({ kind: 'geo_box', key: 'a', top: 0, bottom: -30, left, right });
  const fiji = (lon: number): Payload => ({ a: { lat: -17, lon } });
  assert.is(holds(box(170, -170), fiji(179)), true);
  assert.is(holds(box(170, -170), fiji(-179)), true);
  assert.is(holds(box(170, -170), fiji(0)), false);
  assert.is(holds(box(-170, 170), fiji(0)), true);
  assert.is(holds(box(-170, 170), fiji(179)), false);
  assert.is(holds(box(170, 180), fiji(-180)), true, 'one meridian under two names');
  for (const place of [{ lat: 91, lon: 0 }, { lat: 0, lon: 181 }, { lat: '0', lon: 0 }, { lat: 0 }, [0, 0], 'x', null]) {
    assert.is(holds({ kind: 'geo_radius', key: 'a', lat: 0, lon: 0, radiusM: 1e9 }, { a: place }), false, JSON.stringify(place));
  }
});

test('ids are told apart by type, and keys of the prototype are no keys', () => {
  assert.is(holds({ kind: 'has_id', ids: ['7'] }, {}, 7), false);
  assert.is(holds({ kind: 'has_id', ids: [7] }, {}, 7), true);
  for (const name of ['constructor', 'toString', '__proto__', 'constructor.name']) {
    assert.is(holds({ kind: 'exists', key: name, exists: true }, {}), false, name);
  }
  assert.is(holds({ kind: 'exists', key: 'a.length', exists: true }, { a: 'text' }), false);
  assert.is(holds(value('constructor', 1), { constructor: 1 }), true);
});

test.run();

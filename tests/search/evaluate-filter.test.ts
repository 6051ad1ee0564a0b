/** Filters: the sentences of docs/HTTP_API.md one by one, and everything together against a second, plainer reading of them. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Condition, Filter, RangeBounds } from '../../src/model/filter.js';
import type { Payload, PointId } from '../../src/model/point.js';
import { compileFilter } from '../../src/search/evaluate-filter.js';
import { conditions, filters, ids, payloads } from '../support/filter-cases.js';
import { plainCondition, plainMatch } from '../support/plain-filter.js';
import { suite } from '../support/suite.js';

const test = suite('search/evaluate-filter');

const holds = (condition: Condition, payload: Payload, id: PointId = 1): boolean =>
  compileFilter({ must: [condition] })(id, payload);
const value = (key: string, wanted: string | number | boolean): Condition => ({ kind: 'match_value', key, value: wanted });

test('agrees with the plainer reading on any filter and payload', () => {
  let matched = 0;
  let cases = 0;
  fc.assert(
    fc.property(filters(3), fc.array(fc.tuple(ids, payloads), { minLength: 5, maxLength: 20 }), (filter, points) => {
      const matches = compileFilter(filter);
      for (const [id, payload] of points) {
        const wanted = plainMatch(filter, id, payload);
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
        assert.is(holds(condition, payload), plainCondition(condition, 1, payload), JSON.stringify(payload));
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

/** Reading filters: every form arrives as meant, every mistake is InvalidFilter and names its place. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import type { Condition } from '../../src/model/filter.js';
import { FIXED } from '../../src/model/limits.js';
import { parseFilter } from '../../src/wire/filter.js';
import { suite } from '../support/suite.js';

const test = suite('wire/filter');

const one = (condition: unknown): Condition | undefined => parseFilter({ must: [condition] }).must?.[0];

/** The refusal of a filter, as details. */
function refusal(filter: unknown): { path: string; message: string; limit?: number } {
  try {
    parseFilter(filter);
  } catch (error) {
    if (!(error instanceof SkeinError) || error.type !== 'InvalidFilter') throw error;
    assert.equal(
      Object.keys(error.details).filter((name) => name !== 'limit'),
      ['path', 'message'],
    );
    return error.details as { path: string; message: string; limit?: number };
  }
  throw new Error(`${JSON.stringify(filter)} was taken`);
}

test('reads every kind of condition', () => {
  const place = { lat: 52.5, lon: 13.4 };
  const triangle = [place, { lat: 1, lon: 1 }, { lat: 2, lon: 1 }];
  const cases: readonly [unknown, Condition][] = [
    [
      { key: 'a.b', match: { value: 'x' } },
      { kind: 'match_value', key: 'a.b', value: 'x' },
    ],
    [
      { key: 'a', match: { value: false } },
      { kind: 'match_value', key: 'a', value: false },
    ],
    [
      { key: 'a', match: { any: [1, 'x', true] } },
      { kind: 'match_any', key: 'a', values: [1, 'x', true] },
    ],
    [
      { key: 'a', match: { except: [] } },
      { kind: 'match_except', key: 'a', values: [] },
    ],
    [
      { key: 'a', match: { text: 'red sky' } },
      { kind: 'match_text', key: 'a', text: 'red sky' },
    ],
    [
      { key: 'a', range: { gt: 1, lte: 2.5 } },
      { kind: 'range', key: 'a', time: false, bounds: { gt: 1, lte: 2.5 } },
    ],
    [
      { key: 'a', range: { gte: '2026-11-20', lt: '2026-11-20T01:00:00+01:00' } },
      { kind: 'range', key: 'a', time: true, bounds: { gte: Date.UTC(2026, 10, 20), lt: Date.UTC(2026, 10, 20) } },
    ],
    [
      { key: 'a', geo_radius: { center: place, radius_m: 5 } },
      { kind: 'geo_radius', key: 'a', ...place, radiusM: 5 },
    ],
    [
      { key: 'a', geo_box: { top_left: { lat: 1, lon: 170 }, bottom_right: { lat: -1, lon: -170 } } },
      { kind: 'geo_box', key: 'a', top: 1, left: 170, bottom: -1, right: -170 },
    ],
    [
      { key: 'a', exists: true },
      { kind: 'exists', key: 'a', exists: true },
    ],
    [
      { key: 'a', is_null: false },
      { kind: 'is_null', key: 'a', isNull: false },
    ],
    [
      { key: 'a', values_count: { gte: 2 } },
      { kind: 'values_count', key: 'a', bounds: { gte: 2 } },
    ],
    [{ nested: { key: 'a', filter: {} } }, { kind: 'nested', key: 'a', filter: {} }],
    [
      { key: 'a', match: { text_any: 'red sky' } },
      { kind: 'match_text', key: 'a', text: 'red sky', words: 'any' },
    ],
    [
      { key: 'a', match: { phrase: 'red sky' } },
      { kind: 'match_text', key: 'a', text: 'red sky', words: 'phrase' },
    ],
    [
      { key: 'a', match: { prefix: 're' } },
      { kind: 'match_prefix', key: 'a', prefix: 're' },
    ],
    [
      { key: 'a', geo_polygon: { exterior: triangle } },
      { kind: 'geo_polygon', key: 'a', exterior: triangle, interiors: [] },
    ],
    [
      { key: 'a', geo_polygon: { exterior: triangle, interiors: [triangle] } },
      { kind: 'geo_polygon', key: 'a', exterior: triangle, interiors: [triangle] },
    ],
    [
      { key: 'a', is_empty: true },
      { kind: 'is_empty', key: 'a', isEmpty: true },
    ],
    [{ slice: { total: 4, index: 3 } }, { kind: 'slice', total: 4, index: 3 }],
    [{ has_id: [7, '7'] }, { kind: 'has_id', ids: [7, '7'] }],
    [{ should: [] }, { kind: 'filter', filter: { should: [] } }],
  ];
  for (const [written, read] of cases) assert.equal(one(written), read);
});

test('reads every clause, and a filter without any', () => {
  const written = { key: 'a', exists: true };
  const read: Condition = { kind: 'exists', key: 'a', exists: true };
  assert.equal(parseFilter({}), {});
  assert.equal(
    parseFilter({
      must: [written],
      should: [written],
      must_not: [written],
      min_should: { conditions: [written, written], min_count: 1 },
    }),
    { must: [read], should: [read], mustNot: [read], minShould: { conditions: [read, read], minCount: 1 } },
  );
});

test('every mistake names its place', () => {
  const on = (test: object): unknown => ({ must: [{ key: 'a', ...test }] });
  const cases: readonly [unknown, string, RegExp][] = [
    [null, '', /object/],
    [[], '', /object/],
    ['must', '', /object/],
    [new Uint8Array(3), '', /object/],
    [{ musst: [] }, 'musst', /not known/],
    [{ must: {} }, 'must', /list/],
    [{ must: null }, 'must', /list/],
    [{ must: [3] }, 'must[0]', /object/],
    [{ must: [{}] }, 'must[0]', /a condition is/],
    [{ must: [{ key: 'a' }] }, 'must[0]', /a condition is/],
    [{ must: [{ match: { value: 1 } }] }, 'must[0].key', /missing/],
    [{ must: [{ exists: true, key: '' }] }, 'must[0].key', /dotted path/],
    [{ must: [{ exists: true, key: 7 }] }, 'must[0].key', /dotted path/],
    [{ must: [{ exists: true, key: 'a..b' }] }, 'must[0].key', /empty step/],
    [{ must: [{ exists: true, key: '.a' }] }, 'must[0].key', /empty step/],
    [{ must: [{ exists: true, key: 'a.'.repeat(100_000) }] }, 'must[0].key', /64 steps/],
    [on({ matches: { value: 1 } }), 'must[0].matches', /not known/],
    [on({ match: { value: 1 }, range: { gt: 1 } }), 'must[0].range', /one test/],
    [on({ match: {} }), 'must[0].match', /exactly one/],
    [on({ match: { value: 1, any: [] } }), 'must[0].match', /exactly one/],
    [on({ match: { value: null } }), 'must[0].match.value', /is_null/],
    [on({ match: { value: [1] } }), 'must[0].match.value', /string, a number or a boolean/],
    [on({ match: { value: Number.NaN } }), 'must[0].match.value', /number/],
    [on({ match: { value: 5n } }), 'must[0].match.value', /number/],
    [on({ match: { any: 'x' } }), 'must[0].match.any', /list/],
    [on({ match: { any: ['x', null] } }), 'must[0].match.any[1]', /null/],
    [on({ match: { text: ' …! ' } }), 'must[0].match.text', /letter or digit/],
    [on({ match: { text: 5 } }), 'must[0].match.text', /letter or digit/],
    [on({ match: { text_any: '-' } }), 'must[0].match.text_any', /letter or digit/],
    [on({ match: { phrase: 5 } }), 'must[0].match.phrase', /letter or digit/],
    [on({ match: { prefix: 5 } }), 'must[0].match.prefix', /string/],
    [on({ geo_polygon: {} }), 'must[0].geo_polygon.exterior', /missing/],
    [on({ geo_polygon: { exterior: [] } }), 'must[0].geo_polygon.exterior', /3 different/],
    [on({ geo_polygon: { exterior: new Array(4).fill({ lat: 1, lon: 1 }) } }), 'must[0].geo_polygon.exterior', /3 different/],
    [on({ geo_polygon: { exterior: [{ lat: 1, lon: 181 }] } }), 'must[0].geo_polygon.exterior[0].lon', /-180 to 180/],
    [on({ is_empty: 1 }), 'must[0].is_empty', /true or false/],
    [{ must: [{ slice: { total: 0, index: 0 } }] }, 'must[0].slice.total', /from 1/],
    [{ must: [{ slice: { total: 2, index: 2 } }] }, 'must[0].slice.index', /below total/],
    [{ must: [{ slice: { total: 2, index: 1 }, key: 'a' }] }, 'must[0].key', /stands alone/],
    [on({ range: {} }), 'must[0].range', /at least one/],
    [on({ range: { gt: null } }), 'must[0].range.gt', /number/],
    [on({ range: { gt: true } }), 'must[0].range.gt', /number/],
    [on({ range: { gt: Number.POSITIVE_INFINITY } }), 'must[0].range.gt', /number/],
    [on({ range: { gt: 'soon' } }), 'must[0].range.gt', /ISO 8601/],
    [on({ range: { gt: 1, lt: '2026-11-20' } }), 'must[0].range.lt', /number like/],
    [on({ range: { gt: '2026-11-20', lt: 1 } }), 'must[0].range.lt', /ISO time like/],
    [on({ range: { above: 1 } }), 'must[0].range.above', /not known/],
    [on({ exists: 1 }), 'must[0].exists', /true or false/],
    [on({ is_null: 'true' }), 'must[0].is_null', /true or false/],
    [on({ values_count: { gt: 1.5 } }), 'must[0].values_count.gt', /integer/],
    [on({ values_count: { gt: -1 } }), 'must[0].values_count.gt', /integer/],
    [on({ values_count: {} }), 'must[0].values_count', /at least one/],
    [on({ geo_radius: { center: { lat: 91, lon: 0 }, radius_m: 1 } }), 'must[0].geo_radius.center.lat', /-90 to 90/],
    [on({ geo_radius: { center: { lat: 0, lon: -181 }, radius_m: 1 } }), 'must[0].geo_radius.center.lon', /-180 to 180/],
    [on({ geo_radius: { center: { lat: 0, lon: 0 }, radius_m: -1 } }), 'must[0].geo_radius.radius_m', /negative/],
    [on({ geo_radius: { center: { lat: 0, lon: 0 } } }), 'must[0].geo_radius.radius_m', /missing/],
    [on({ geo_radius: { center: { lat: 0, lng: 0 }, radius_m: 1 } }), 'must[0].geo_radius.center.lng', /not known/],
    [
      on({ geo_box: { top_left: { lat: 0, lon: 0 }, bottom_right: { lat: 1, lon: 1 } } }),
      'must[0].geo_box.top_left.lat',
      /south/,
    ],
    [{ must: [{ nested: { key: 'a', filter: {} }, key: 'b' }] }, 'must[0].key', /stands alone/],
    [{ must: [{ nested: { key: 'a' } }] }, 'must[0].nested.filter', /missing/],
    [
      { must: [{ nested: { key: 'a', filter: { must: [{ key: 'b', exists: 0 }] } } }] },
      'must[0].nested.filter.must[0].exists',
      /true or false/,
    ],
    [{ must_not: [{ has_id: [1, 1.5] }] }, 'must_not[0].has_id[1]', /point id/],
    [{ must_not: [{ has_id: ['x'.repeat(257)] }] }, 'must_not[0].has_id[0]', /point id/],
    [{ must_not: [{ has_id: 3 }] }, 'must_not[0].has_id', /list/],
    [{ should: [{ must: [], key: 'a' }] }, 'should[0].key', /not known/],
    [{ min_should: [] }, 'min_should', /object/],
    [{ min_should: { conditions: [] } }, 'min_should.min_count', /missing/],
    [{ min_should: { conditions: [{}], min_count: 1 } }, 'min_should.conditions[0]', /a condition is/],
    [{ min_should: { conditions: [], min_count: -1 } }, 'min_should.min_count', /integer/],
    [JSON.parse('{"__proto__": []}'), '__proto__', /not known/],
    [{ constructor: [] }, 'constructor', /not known/],
  ];
  for (const [filter, path, message] of cases) {
    const found = refusal(filter);
    assert.is(found.path, path);
    assert.match(found.message, message);
  }
});

test('depth, conditions, listed values and texts are bounded, the bound itself is taken', () => {
  const condition = { key: 'a', exists: true };
  const deep = (levels: number): unknown => (levels <= 1 ? { must: [condition] } : { must: [deep(levels - 1)] });
  parseFilter(deep(FIXED.filterDepthMax));
  assert.match(refusal(deep(FIXED.filterDepthMax + 1)).message, /16 deep/);
  const nested = (levels: number): unknown =>
    levels <= 1 ? {} : { must: [{ nested: { key: 'a', filter: nested(levels - 1) } }] };
  parseFilter(nested(FIXED.filterDepthMax));
  assert.match(refusal(nested(FIXED.filterDepthMax + 1)).message, /16 deep/);
  assert.match(refusal(deep(5_000)).message, /16 deep/);

  parseFilter({ must: Array(500).fill(condition), should: Array(500).fill(condition) });
  const spread = refusal({ must: Array(500).fill(condition), should: [{ must: Array(500).fill(condition) }] });
  assert.equal([spread.path, spread.message], ['should[0].must', 'goes beyond the 1000 conditions that a whole filter may have']);
  assert.equal([spread.limit, refusal(deep(5_000)).limit], [1_000, 16]);
  assert.is(refusal({ must: Array(1_001).fill(condition) }).path, 'must');

  const values = Array.from({ length: FIXED.filterValuesMax }, (_, i) => i);
  const [first, rest] = [values.slice(0, 4_000), values.slice(4_000)];
  parseFilter({ must: [{ key: 'a', match: { any: first } }], should: [{ must: [{ has_id: rest }] }] });
  const many = refusal({ must: [{ key: 'a', match: { any: values } }], should: [{ must: [{ has_id: [1] }] }] });
  assert.equal([many.path, many.limit], ['should[0].must[0].has_id', FIXED.filterValuesMax]);
  assert.is(refusal({ must: [{ key: 'a', match: { except: [...values, 1] } }] }).path, 'must[0].match.except');
  assert.is(refusal({ must: [{ has_id: [...values, 1] }] }).path, 'must[0].has_id');

  const text = (length: number): unknown => ({ key: 'a', match: { text: 'x'.repeat(length) } });
  parseFilter({ must: [text(4_000)], must_not: [{ nested: { key: 'b', filter: { must: [text(6_000)] } } }] });
  assert.is(refusal({ must: [text(FIXED.queryTextLengthMax + 1)] }).path, 'must[0].match.text');
  const long = refusal({ must: [text(4_000)], must_not: [{ nested: { key: 'b', filter: { must: [text(6_001)] } } }] });
  assert.equal([long.path, long.limit], ['must_not[0].nested.filter.must[0].match.text', FIXED.queryTextLengthMax]);
});

test('whatever arrives is read or refused as InvalidFilter, and a hostile key does not fill the answer', () => {
  const word = fc.constantFrom(
    'must',
    'should',
    'must_not',
    'min_should',
    'key',
    'match',
    'value',
    'any',
    'range',
    'gt',
    'nested',
    'filter',
    'has_id',
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<unknown>(null, 1, 'a', true, '2026-11-20'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(word, tie('tree'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(fc.oneof(tree, fc.anything()), (filter) => {
      try {
        parseFilter(filter);
      } catch (error) {
        assert.instance(error, SkeinError);
        assert.is((error as SkeinError).type, 'InvalidFilter');
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(refusal({ ['x'.repeat(1_000_000)]: 1 }).path.length < 100);
});

test.run();

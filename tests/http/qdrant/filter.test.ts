/** Filters of the dialect: read, held against a naive reading of their documentation, alone and through a server with and without indexes. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { filterOf } from '../../../src/http/qdrant/filter.js';
import { SkeinError } from '../../../src/model/errors.js';
import type { Condition } from '../../../src/model/filter.js';
import type { PointId } from '../../../src/model/point.js';
import { compileFilter } from '../../../src/search/evaluate-filter.js';
import { dialectFilters, dialectMatch } from '../../support/dialect-filters.js';
import { payloads } from '../../support/filter-cases.js';
import { startHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite } from '../../support/suite.js';

const test = suite('http/qdrant/filter', { deadlineMs: 60_000 });

const UUID = '00010203-0405-0607-0809-0a0b0c0d0e0f';
const IDS: readonly PointId[] = [1, 2, 3, 4, 5, 6, 7, UUID];
const points = fc.array(payloads, { minLength: IDS.length, maxLength: IDS.length });
const one = (condition: unknown): Condition | undefined => filterOf({ must: condition }, 'filter').must?.[0];

test('any filter means what its documentation says', () => {
  let matched = 0;
  let cases = 0;
  fc.assert(
    fc.property(dialectFilters(3), points, (filter, stored) => {
      const matches = compileFilter(filterOf(filter, 'filter'));
      for (const [place, payload] of stored.entries()) {
        const id = IDS[place] as PointId;
        const wanted = dialectMatch(filter, id, payload);
        assert.is(matches(id, payload), wanted, JSON.stringify({ id, payload }));
        cases += 1;
        if (wanted) matched += 1;
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(matched > cases / 20 && matched < (cases * 19) / 20, `${matched} of ${cases} matched: the cases say too little`);
});

test('a server counts what matches, whether indexes answer or not', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { ask } = await startHttp(t, { engine });
  const types = ['keyword', 'float', 'geo'];
  const paths = ['a', 'b', 'c', 'a.a', 'a.b', 'b.a', 'a.b.c'];
  const declared = paths.map((path, place) => ({ path, type: types[place % types.length] }));
  const stored = fc.sample(payloads, { numRuns: 200, seed: 7 });
  const idOf = (place: number): PointId => IDS[place] ?? place + 100;
  for (const [name, indexes] of Object.entries({ plain: [], indexed: declared })) {
    await ask('PUT', `/v1/collections/${name}`, { dimension: 1, distance: 'dot', payload_indexes: indexes });
    const written = stored.map((payload, place) => ({ id: idOf(place), vector: [1], payload }));
    assert.is((await ask('PUT', `/v1/collections/${name}/points`, { points: written })).status, 200);
  }
  for (const filter of fc.sample(dialectFilters(2), { numRuns: 150, seed: 11 })) {
    const wanted = stored.filter((payload, place) => dialectMatch(filter, idOf(place), payload)).length;
    for (const name of ['plain', 'indexed']) {
      const { status, body } = await ask('POST', `/collections/${name}/points/count`, { filter });
      assert.is(status, 200, `${JSON.stringify(filter)}: ${JSON.stringify(body)}`);
      assert.is(body.result.count, wanted, `${name}: ${JSON.stringify(filter)}`);
    }
  }
});

test("a single key is the own API's; longer paths are exact", () => {
  assert.equal(one({ key: 'a', match: { value: 1 } }), { kind: 'match_value', key: 'a', value: 1 });
  assert.equal(one({ key: '"we.ird"', match: { value: 1 } }), {
    kind: 'match_value',
    key: 'we.ird',
    steps: ['we.ird'],
    value: 1,
  });
  assert.equal(one({ key: 'a[].b[2]', is_empty: true }), {
    kind: 'is_empty',
    key: 'a.b',
    steps: ['a', null, 'b', 2],
    isEmpty: true,
  });
  assert.equal(one({ nested: { key: 'a.b', filter: {} } }), { kind: 'nested', key: 'a.b', steps: ['a', 'b', null], filter: {} });
  assert.equal(one({ nested: { key: 'a[]', filter: {} } }), { kind: 'nested', key: 'a', steps: ['a', null], filter: {} });
});

test('ids are looked for in every spelling: the canonical one, and the one that was given', () => {
  const spellings = [UUID.toUpperCase(), UUID.replaceAll('-', ''), `urn:uuid:${UUID}`];
  for (const spelling of spellings) assert.equal(one({ has_id: [spelling, 5] }), { kind: 'has_id', ids: [UUID, spelling, 5] });
  assert.equal(one({ has_id: [UUID, 'a text', 5] }), { kind: 'has_id', ids: [UUID, 'a text', 5] });
});

test('every mistake names its place in the body', () => {
  const on = (fields: object): unknown => ({ must: { key: 'a', ...fields } });
  const cases: readonly [unknown, string][] = [
    ['x', 'filter'],
    [{ musst: [] }, 'filter.musst'],
    [{ must: [3] }, 'filter.must[0]'],
    [{ must: 3 }, 'filter.must'],
    [on({}), 'filter.must'],
    [on({ match: {} }), 'filter.must.match'],
    [on({ match: { value: 1 }, range: {} }), 'filter.must.range'],
    [on({ match: { any: 'x' } }), 'filter.must.match.any'],
    [on({ match: { value: null } }), 'filter.must.match'],
    [on({ range: { gt: 'soon' } }), 'filter.must.range.gt'],
    [on({ geo_radius: { center: { lat: 1, lon: 1 } } }), 'filter.must.geo_radius.radius'],
    [on({ geo_polygon: { exterior: { points: [] } } }), 'filter.must.geo_polygon.exterior.points'],
    [
      on({
        geo_polygon: {
          exterior: {
            points: [
              { lat: 1, lon: 1 },
              { lat: 2, lon: 1 },
            ],
          },
        },
      }),
      'filter.must.geo_polygon.exterior.points',
    ],
    [on({ is_empty: 'yes' }), 'filter.must.is_empty'],
    [{ must: { key: 'a..b', is_null: true } }, 'filter.must.key'],
    [{ must: { key: 'a[x]', is_null: true } }, 'filter.must.key'],
    [{ must: { key: 'a b', is_null: true } }, 'filter.must.key'],
    [{ must: { key: '"a', is_null: true } }, 'filter.must.key'],
    [{ must: { has_id: [1.5] } }, 'filter.must.has_id[0]'],
    [{ must: { slice: { total: 2, index: 2 } } }, 'filter.must.slice.index'],
    [{ must: { is_empty: { key: 'a' }, is_null: { key: 'a' } } }, 'filter.must.is_null'],
    [{ min_should: { conditions: [] } }, 'filter.min_should.min_count'],
  ];
  for (const [filter, path] of cases) {
    try {
      filterOf(filter, 'filter');
    } catch (error) {
      assert.instance(error, SkeinError);
      assert.is((error as SkeinError).details['path'], path, JSON.stringify(filter));
      continue;
    }
    assert.unreachable(`${JSON.stringify(filter)} was taken`);
  }
});

test('a bad filter is answered in the form of the dialect', async (t) => {
  const { ask } = await startHttp(t);
  await ask('PUT', '/v1/collections/c', { dimension: 1, distance: 'dot' });
  const { status, body } = await ask('POST', '/collections/c/points/count', { filter: { must: [{ key: 'a', match: {} }] } });
  assert.is(status, 400);
  assert.match(body.status.error, /filter\.must\[0\]\.match/);
});

test.run();

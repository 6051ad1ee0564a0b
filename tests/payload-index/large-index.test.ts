/** The payload index at a size where chunks split, lists become bitmaps and cells are cut, against the plain evaluation of filters. */

import * as assert from 'uvu/assert';
import type { PayloadIndexSpec } from '../../src/model/collection.js';
import type { Condition, Filter, RangeBounds } from '../../src/model/filter.js';
import type { JsonValue, Payload } from '../../src/model/point.js';
import { ModelledIndex } from '../support/payload-model.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('payload-index/large-index', { deadlineMs: 120_000 });

const SPECS: readonly PayloadIndexSpec[] = [
  { path: 'word', type: 'keyword' },
  { path: 'number', type: 'float' },
  { path: 'time', type: 'datetime' },
  { path: 'place', type: 'geo' },
  { path: 'flag', type: 'bool' },
  { path: 'items.size', type: 'integer' },
  { path: 'items', type: 'keyword' },
];
const START = Date.parse('2026-01-01');

/** Labels in dense and in thin pages. */
function labelsOfSize(count: number): number[] {
  return Array.from({ length: count }, (_, place) => (place % 10 === 0 ? place * 50_000 : place));
}

class Cases {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  payload(): Payload {
    const random = this.#random;
    const values = (one: () => JsonValue): JsonValue => {
      const kind = random.integer(0, 19);
      if (kind === 0) return null;
      if (kind === 1) return 'something else';
      if (kind === 2) return 7;
      return kind < 8 ? Array.from({ length: random.integer(0, 4) }, one) : one();
    };
    const payload: Record<string, JsonValue> = {};
    const field = (name: string, one: () => JsonValue): void => {
      if (random.boolean(0.9)) payload[name] = values(one);
    };
    field('word', () => this.word());
    field('number', () => this.number());
    field('time', () => new Date(this.instant()).toISOString());
    field('place', () => ({ lat: random.unit() * 180 - 90, lon: random.unit() * 360 - 180 }));
    field('flag', () => random.boolean());
    field('items', () => ({ size: random.integer(0, 40), name: this.word() }));
    return payload;
  }

  filter(): Filter {
    const random = this.#random;
    const some = (count: number): Condition[] => Array.from({ length: count }, () => this.condition());
    switch (random.integer(0, 5)) {
      case 0:
        return { should: some(random.integer(1, 4)) };
      case 1:
        return { mustNot: some(random.integer(1, 2)) };
      case 2:
        return { minShould: { conditions: some(random.integer(2, 9)), minCount: random.integer(1, 4) } };
      case 3:
        return { must: some(2), mustNot: some(1), should: some(2) };
      default:
        return { must: some(random.integer(1, 3)) };
    }
  }

  condition(): Condition {
    const random = this.#random;
    const words = (): string[] => Array.from({ length: random.integer(1, 40) }, () => this.word());
    const numbers = Array.from({ length: random.integer(1, 40) }, () => random.integer(0, 40));
    const makers: (() => Condition)[] = [
      () => ({ kind: 'match_value', key: 'word', value: this.word() }),
      () => ({ kind: 'match_any', key: 'word', values: words() }),
      () => ({ kind: 'match_except', key: 'word', values: words() }),
      () => ({ kind: 'match_any', key: 'items.size', values: numbers }),
      () => ({ kind: 'match_except', key: 'items.size', values: numbers }),
      () => ({ kind: 'range', key: 'number', time: false, bounds: this.#bounds(() => this.number()) }),
      () => ({ kind: 'range', key: 'items.size', time: false, bounds: this.#bounds(() => random.integer(0, 40)) }),
      () => ({ kind: 'range', key: 'time', time: true, bounds: this.#bounds(() => this.instant()) }),
      () => ({ kind: 'geo_radius', key: 'place', lat: this.#lat(), lon: this.#lon(), radiusM: 10 ** (random.unit() * 3 + 4.4) }),
      () => this.#box(),
      () => ({ kind: 'match_value', key: 'flag', value: random.boolean() }),
      () => ({ kind: 'values_count', key: 'items', bounds: this.#bounds(() => random.integer(0, 5)) }),
      () => ({ kind: 'has_id', ids: Array.from({ length: 50 }, () => random.integer(0, 3_000)) }),
      () => ({
        kind: 'nested',
        key: 'items',
        filter: { must: [{ kind: 'match_value', key: 'size', value: random.integer(0, 40) }] },
      }),
      () => ({ kind: 'filter', filter: this.filter() }),
      () => ({ kind: 'match_value', key: 'items.name', value: this.word() }),
    ];
    return (makers[random.integer(0, makers.length - 1)] as () => Condition)();
  }

  /** A few words are common, most are rare. */
  word(): string {
    return `w${Math.floor(300 * this.#random.unit() ** 3)}`;
  }

  number(): number {
    return this.#random.integer(0, 5_000) / 4;
  }

  instant(): number {
    return START + this.#random.integer(0, 1_000_000) * 1_000;
  }

  #bounds(one: () => number): RangeBounds {
    const [low, high] = [one(), one()].sort((a, b) => a - b) as [number, number];
    return {
      ...(this.#random.boolean() ? { gte: low } : { gt: low }),
      ...(this.#random.boolean(0.3) ? {} : this.#random.boolean() ? { lt: high } : { lte: high }),
    };
  }

  #lat(): number {
    return this.#random.boolean(0.2) ? (this.#random.boolean() ? 90 : -90) : this.#random.unit() * 180 - 90;
  }

  #lon(): number {
    return this.#random.boolean(0.2) ? (this.#random.boolean() ? 180 : -180) : this.#random.unit() * 360 - 180;
  }

  #box(): Condition {
    const [bottom, top] = [this.#lat(), this.#lat()].sort((a, b) => a - b) as [number, number];
    return { kind: 'geo_box', key: 'place', top, bottom, left: this.#lon(), right: this.#lon() };
  }
}

test('thousands of points through puts, replacements and removals answer as they do one by one', (t) => {
  const cases = new Cases(t.seed());
  const random = new Random(t.seed() + 1);
  const labels = labelsOfSize(2_000);
  const model = new ModelledIndex(SPECS, labels, (label) => labels.indexOf(label));
  for (const label of labels) model.change({ label, payload: cases.payload() });
  let exact = 0;
  for (let round = 0; round < 4; round++) {
    for (let number = 0; number < 80; number++) if (model.check(cases.filter()).exact) exact += 1;
    for (const { path } of SPECS) {
      model.checkFacet(path, null, 10);
      model.checkFacet(path, cases.filter(), 1_000);
    }
    for (let change = 0; change < 1_500; change++) {
      const label = labels[random.integer(0, labels.length - 1)] as number;
      model.change({ label, payload: random.boolean(0.35 + round * 0.1) ? null : cases.payload() });
    }
  }
  assert.ok(exact > 160 && exact < 320, `${exact} of 320 were exact`);
});

test('places close to the edge of a region are told apart, at the poles and at the antimeridian too', (t) => {
  const random = new Random(t.seed());
  const labels = labelsOfSize(1_000);
  const centres: readonly [number, number][] = [
    [52.5, 13.4],
    [89.999, 40],
    [-90, 0],
    [0, 180],
    [-17, -179.999],
  ];
  for (const [lat, lon] of centres) {
    const model = new ModelledIndex([{ path: 'place', type: 'geo' }], labels, (label) => label);
    const nearby = (): JsonValue => {
      const north = Math.min(90, Math.max(-90, lat + random.normal() * 0.01));
      const east = lon + random.normal() * (lat > 89 || lat < -89 ? 90 : 0.01);
      return { lat: north, lon: east > 180 ? Math.max(-180, east - 360) : Math.max(-180, east) };
    };
    const sharp: JsonValue[] = [
      { lat, lon },
      { lat, lon: -lon },
      { lat, lon: 180 },
      { lat, lon: -180 },
    ];
    for (const [place, label] of labels.entries()) {
      const one = sharp[place] ?? (place % 7 === 0 ? [nearby(), nearby()] : nearby());
      model.change({ label, payload: { place: one } });
    }
    let matched = 0;
    for (const radiusM of [0, 1, 300, 1_000, 1_100, 2_000, 10_000, 20_015_000, 30_000_000]) {
      const answer = model.check({ must: [{ kind: 'geo_radius', key: 'place', lat, lon, radiusM }] });
      assert.is(answer.exact, true);
      matched += answer.matched;
    }
    for (const half of [0, 0.001, 0.01, 0.02]) {
      const [top, bottom] = [Math.min(90, lat + half), Math.max(-90, lat - half)];
      const [left, right] = [lon - half < -180 ? lon - half + 360 : lon - half, lon + half > 180 ? lon + half - 360 : lon + half];
      matched += model.check({ must: [{ kind: 'geo_box', key: 'place', top, bottom, left, right }] }).matched;
      matched += model.check({ must: [{ kind: 'geo_box', key: 'place', top, bottom, left: right, right: left }] }).matched;
    }
    assert.ok(matched > labels.length, `${matched} matched around ${lat}, ${lon}`);
  }
});

test.run();

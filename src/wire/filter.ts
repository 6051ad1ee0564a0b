/** Reads filters from decoded JSON or MessagePack: unknown in, model/filter.ts out, or InvalidFilter with the place inside the filter.
 *
 *  Every key must be known, every condition has exactly one test, and depth, conditions, listed values and texts are bounded, all of them
 *  together, before anything is built, so a hostile filter costs no more than its bytes. Must not know: how filters are evaluated, HTTP replies. */

import { invalidFilter as invalid, SkeinError } from '../model/errors.js';
import type { AtKey, Condition, Filter, MatchValue, RangeBounds } from '../model/filter.js';
import { parseInstant } from '../model/instant.js';
import { FIXED } from '../model/limits.js';
import { checkPointId, type PointId } from '../model/point.js';
import { FilterBudget } from './filter-budget.js';
import { boolean, type Fields, integer, list, number, object, required } from './filter-fields.js';
import { readGeoBox, readGeoPolygon, readGeoRadius, readPlace } from './filter-geo.js';
import { join } from './place.js';

const CLAUSES = ['must', 'should', 'must_not', 'min_should'] as const;
const TESTS = [
  ...(['match', 'range', 'geo_radius', 'geo_box', 'geo_polygon'] as const),
  ...(['exists', 'is_null', 'is_empty', 'values_count'] as const),
] as const;
const MATCHES = ['value', 'any', 'except', 'text', 'text_any', 'phrase', 'prefix'] as const;
const ALONE = ['has_id', 'slice', 'nested'] as const;
const BOUNDS = ['gt', 'gte', 'lt', 'lte'] as const;
const WORD = /[\p{L}\p{M}\p{N}]/u;

/** @param value what the request body holds as its filter; `{}` matches every point
 *  @throws InvalidFilter (details: path inside the filter such as `must[0].range.gt`, message) */
export function parseFilter(value: unknown): Filter {
  return new FilterReader().filter(value, '', 1);
}

/** One filter being read. */
class FilterReader {
  readonly #budget = new FilterBudget();

  filter(value: unknown, path: string, depth: number): Filter {
    this.#budget.depth(depth, path);
    const fields = object(value, path, CLAUSES);
    const minShould = fields['min_should'];
    return {
      ...(fields['must'] !== undefined && { must: this.#list(fields['must'], join(path, 'must'), depth) }),
      ...(fields['should'] !== undefined && { should: this.#list(fields['should'], join(path, 'should'), depth) }),
      ...(fields['must_not'] !== undefined && { mustNot: this.#list(fields['must_not'], join(path, 'must_not'), depth) }),
      ...(minShould !== undefined && { minShould: this.#minShould(minShould, join(path, 'min_should'), depth) }),
    };
  }

  #minShould(value: unknown, path: string, depth: number): NonNullable<Filter['minShould']> {
    const fields = object(value, path, ['conditions', 'min_count']);
    return {
      conditions: this.#list(required(fields, 'conditions', path), join(path, 'conditions'), depth),
      minCount: integer(required(fields, 'min_count', path), join(path, 'min_count')),
    };
  }

  #list(value: unknown, path: string, depth: number): Condition[] {
    const items = list(value, path);
    this.#budget.conditions(items.length, path);
    return items.map((item, place) => this.#condition(item, `${path}[${place}]`, depth));
  }

  #condition(value: unknown, path: string, depth: number): Condition {
    const fields = object(value, path, [...CLAUSES, ...TESTS, ...ALONE, 'key']);
    if (CLAUSES.some((clause) => fields[clause] !== undefined))
      return { kind: 'filter', filter: this.filter(value, path, depth + 1) };
    if (fields['has_id'] !== undefined)
      return this.#alone(fields, 'has_id', path, () => ({
        kind: 'has_id',
        ids: this.#budget.values(fields['has_id'], join(path, 'has_id'), readId),
      }));
    if (fields['slice'] !== undefined)
      return this.#alone(fields, 'slice', path, () => readSlice(fields['slice'], join(path, 'slice')));
    if (fields['nested'] !== undefined)
      return this.#alone(fields, 'nested', path, () => this.#nested(fields['nested'], join(path, 'nested'), depth));
    return this.#test(fields, path);
  }

  #alone(fields: Fields, name: string, path: string, read: () => Condition): Condition {
    const other = Object.keys(fields).find((key) => key !== name);
    if (other !== undefined) throw invalid(join(path, other), `${name} stands alone in its condition`);
    return read();
  }

  #nested(value: unknown, path: string, depth: number): Condition {
    const fields = object(value, path, ['key', 'filter']);
    const key = readKey(required(fields, 'key', path), join(path, 'key'));
    return { kind: 'nested', key, filter: this.filter(required(fields, 'filter', path), join(path, 'filter'), depth + 1) };
  }

  #test(fields: Fields, path: string): Condition {
    const [name, second] = TESTS.filter((test) => fields[test] !== undefined);
    if (name === undefined)
      throw invalid(path, `a condition is a filter, nested, has_id, slice, or a key with one of ${TESTS.join(', ')}`);
    if (second !== undefined) throw invalid(join(path, second), `a condition has one test, and this one has ${name} already`);
    const key = readKey(required(fields, 'key', path), join(path, 'key'));
    const place = join(path, name);
    if (name === 'match') return this.#match(key, fields[name], place);
    if (name === 'geo_polygon')
      return readGeoPolygon({ key }, fields[name], place, (ring, at) => this.#budget.values(ring, at, readPlace));
    return readTest(name, key, fields[name], place);
  }

  #match(key: string, value: unknown, path: string): Condition {
    const fields = object(value, path, MATCHES);
    const [name, second] = MATCHES.filter((match) => fields[match] !== undefined);
    if (name === undefined || second !== undefined) throw invalid(path, `match has exactly one of ${MATCHES.join(', ')}`);
    const place = join(path, name);
    switch (name) {
      case 'value':
        return { kind: 'match_value', key, value: readMatchValue(fields[name], place) };
      case 'any':
        return { kind: 'match_any', key, values: this.#budget.values(fields[name], place, readMatchValue) };
      case 'except':
        return { kind: 'match_except', key, values: this.#budget.values(fields[name], place, readMatchValue) };
      case 'text':
        return { kind: 'match_text', key, text: this.#words(fields[name], place) };
      case 'text_any':
        return { kind: 'match_text', key, text: this.#words(fields[name], place), words: 'any' };
      case 'phrase':
        return { kind: 'match_text', key, text: this.#words(fields[name], place), words: 'phrase' };
      case 'prefix':
        return { kind: 'match_prefix', key, prefix: this.#budget.text(fields[name], place) };
    }
  }

  #words(text: unknown, path: string): string {
    if (typeof text !== 'string' || !WORD.test(text)) throw invalid(path, 'must be a text with at least one letter or digit');
    return this.#budget.text(text, path);
  }
}

type Test = Exclude<(typeof TESTS)[number], 'match' | 'geo_polygon'>;

function readTest(name: Test, key: string, value: unknown, place: string): Condition {
  switch (name) {
    case 'range':
      return readRange({ key }, value, place);
    case 'geo_radius':
      return readGeoRadius({ key }, value, place);
    case 'geo_box':
      return readGeoBox({ key }, value, place);
    case 'exists':
      return { kind: 'exists', key, exists: boolean(value, place) };
    case 'is_null':
      return { kind: 'is_null', key, isNull: boolean(value, place) };
    case 'is_empty':
      return { kind: 'is_empty', key, isEmpty: boolean(value, place) };
    case 'values_count':
      return { kind: 'values_count', key, bounds: readBounds(value, place, integer) };
  }
}

export function readMatchValue(value: unknown, path: string): MatchValue {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw invalid(path, value === null ? 'must not be null; use is_null' : 'must be a string, a number or a boolean');
}

/** All bounds are numbers, or all are instants; what the first one is decides. */
export function readRange(at: AtKey, value: unknown, path: string): Condition {
  const fields = object(value, path, BOUNDS);
  const time = typeof BOUNDS.map((name) => fields[name]).find((bound) => bound !== undefined) === 'string';
  const bounds = readBounds(value, path, (bound, place) => {
    if (!time && typeof bound === 'string') throw invalid(place, 'must be a number like the bounds before it');
    if (!time) return number(bound, place);
    if (typeof bound !== 'string') throw invalid(place, 'must be an ISO time like the bounds before it');
    const instantMs = parseInstant(bound);
    if (instantMs === null) throw invalid(place, 'must be a number or an ISO 8601 time such as 2026-11-20T08:30:00Z');
    return instantMs;
  });
  return { kind: 'range', ...at, time, bounds };
}

export function readBounds(value: unknown, path: string, read: (bound: unknown, path: string) => number): RangeBounds {
  const fields = object(value, path, BOUNDS);
  const given = BOUNDS.filter((name) => fields[name] !== undefined);
  if (given.length === 0) throw invalid(path, `needs at least one of ${BOUNDS.join(', ')}`);
  return Object.fromEntries(given.map((name) => [name, read(fields[name], join(path, name))]));
}

export function readSlice(value: unknown, path: string): Condition {
  const fields = object(value, path, ['total', 'index']);
  const total = integer(required(fields, 'total', path), join(path, 'total'));
  const index = integer(required(fields, 'index', path), join(path, 'index'));
  if (total < 1 || total >= 2 ** 32) throw invalid(join(path, 'total'), 'must be from 1 to 2^32-1');
  if (index >= total) throw invalid(join(path, 'index'), 'must be below total');
  return { kind: 'slice', total, index };
}

function readId(value: unknown, path: string): PointId {
  try {
    return checkPointId(value, path);
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
    throw invalid(path, 'must be a point id: a string of 1 to 256 bytes or an integer from 0 to 2^53-1');
  }
}

/** A dotted path that a payload can have: no empty step, no deeper than payloads are. */
function readKey(value: unknown, path: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(path, 'must be a dotted path of payload keys');
  const steps = value.split('.', FIXED.jsonDepthMax + 1);
  if (steps.length > FIXED.jsonDepthMax)
    throw invalid(path, `has more than ${FIXED.jsonDepthMax} steps, and no payload is that deep`, FIXED.jsonDepthMax);
  if (steps.includes('')) throw invalid(path, 'has an empty step between its dots');
  return value;
}

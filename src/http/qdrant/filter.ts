/** Filters of the dialect as the engine's. A clause may be one condition or a list, null is as if it were left out, and paths into payloads are
 *  exact (payload-path.ts). Every mistake names its place in the body. Must not know: how filters are answered. */

import { invalidFilter as invalid } from '../../model/errors.js';
import type { AtKey, Condition, Filter } from '../../model/filter.js';
import type { Place } from '../../model/place.js';
import type { PointId } from '../../model/point.js';
import { readBounds, readMatchValue, readRange, readSlice } from '../../wire/filter.js';
import { FilterBudget } from '../../wire/filter-budget.js';
import { boolean, type Fields, integer, list, object, required } from '../../wire/filter-fields.js';
import { readGeoBox, readGeoPolygon, readGeoRadius, readPlace } from '../../wire/filter-geo.js';
import { join } from '../../wire/place.js';
import { elementsInPayload, placeInPayload } from './payload-path.js';
import { askedId } from './point-id.js';

const CLAUSES = ['must', 'should', 'must_not', 'min_should'] as const;
const TESTS = [
  ...(['match', 'range', 'geo_radius', 'geo_bounding_box', 'geo_polygon'] as const),
  ...(['values_count', 'is_empty', 'is_null'] as const),
] as const;
const MATCHES = ['value', 'any', 'except', 'text', 'text_any', 'phrase', 'prefix'] as const;
const ALONE = ['has_id', 'has_vector', 'nested', 'slice'] as const;

/** @param path where it stands in the body  @throws InvalidFilter (details: path, message) */
export function filterOf(value: unknown, path: string): Filter {
  return new DialectFilterReader().filter(value, path, 1);
}

class DialectFilterReader {
  readonly #budget = new FilterBudget();

  filter(value: unknown, path: string, depth: number): Filter {
    this.#budget.depth(depth, path);
    const fields = given(value, path, CLAUSES);
    const { must, should, must_not: mustNot, min_should: minShould } = fields;
    return {
      ...(must !== undefined && { must: this.#clause(must, join(path, 'must'), depth) }),
      ...(should !== undefined && { should: this.#clause(should, join(path, 'should'), depth) }),
      ...(mustNot !== undefined && { mustNot: this.#clause(mustNot, join(path, 'must_not'), depth) }),
      ...(minShould !== undefined && { minShould: this.#minShould(minShould, join(path, 'min_should'), depth) }),
    };
  }

  #minShould(value: unknown, path: string, depth: number): NonNullable<Filter['minShould']> {
    const fields = given(value, path, ['conditions', 'min_count']);
    const conditions = list(required(fields, 'conditions', path), join(path, 'conditions'));
    return {
      conditions: this.#clause(conditions, join(path, 'conditions'), depth),
      minCount: integer(required(fields, 'min_count', path), join(path, 'min_count')),
    };
  }

  #clause(value: unknown, path: string, depth: number): Condition[] {
    this.#budget.conditions(Array.isArray(value) ? value.length : 1, path);
    if (!Array.isArray(value)) return [this.#condition(value, path, depth)];
    return value.map((item: unknown, place) => this.#condition(item, `${path}[${place}]`, depth));
  }

  #condition(value: unknown, path: string, depth: number): Condition {
    const fields = given(value, path, [...CLAUSES, ...TESTS, ...ALONE, 'key']);
    if (CLAUSES.some((clause) => fields[clause] !== undefined))
      return { kind: 'filter', filter: this.filter(value, path, depth + 1) };
    const { key } = fields;
    if (key !== undefined) return this.#test(fields, placeInPayload(key, join(path, 'key')), path);
    const [name, second] = Object.keys(fields);
    if (name === undefined) return { kind: 'filter', filter: {} };
    if (second !== undefined) throw invalid(join(path, second), `${name} stands alone in its condition, or needs a key`);
    return this.#alone(name, fields[name], join(path, name), depth);
  }

  #alone(name: string, value: unknown, path: string, depth: number): Condition {
    switch (name) {
      case 'has_id':
        return { kind: 'has_id', ids: this.#budget.values(value, path, readIds).flat() };
      case 'has_vector':
        if (typeof value !== 'string') throw invalid(path, 'must be the name of a vector');
        return { kind: 'has_vector', name: value };
      case 'slice':
        return readSlice(value, path);
      case 'nested': {
        const fields = given(value, path, ['key', 'filter']);
        const at = elementsInPayload(required(fields, 'key', path), join(path, 'key'));
        const filter = this.filter(required(fields, 'filter', path), join(path, 'filter'), depth + 1);
        return { kind: 'nested', ...at, filter };
      }
      case 'is_empty':
        return { kind: 'is_empty', ...keyAlone(value, path), isEmpty: true };
      case 'is_null':
        return { kind: 'is_null', ...keyAlone(value, path), isNull: true };
      default:
        throw invalid(path, `${name} needs a key`);
    }
  }

  #test(fields: Fields, at: AtKey, path: string): Condition {
    const [name, second] = Object.keys(fields).filter((field) => field !== 'key');
    const test = TESTS.find((one) => one === name);
    if (test === undefined) throw invalid(path, `a condition with a key has one of ${TESTS.join(', ')}`);
    if (second !== undefined) throw invalid(join(path, second), `a condition has one test, and this one has ${test} already`);
    const value = fields[test];
    const place = join(path, test);
    switch (test) {
      case 'match':
        return this.#match(at, value, place);
      case 'range':
        return rangeOf(at, value, place);
      case 'geo_radius':
        return readGeoRadius(at, value, place, 'radius');
      case 'geo_bounding_box':
        return readGeoBox(at, value, place);
      case 'geo_polygon':
        return readGeoPolygon(at, given(value, place, ['exterior', 'interiors']), place, (ring, where) =>
          this.#ring(ring, where),
        );
      case 'values_count':
        return { kind: 'values_count', ...at, bounds: readBounds(given(value, place, BOUNDS), place, integer) };
      case 'is_empty':
        return { kind: 'is_empty', ...at, isEmpty: boolean(value, place) };
      case 'is_null':
        return { kind: 'is_null', ...at, isNull: boolean(value, place) };
    }
  }

  #match(at: AtKey, value: unknown, path: string): Condition {
    const fields = given(value, path, MATCHES);
    const [name, second] = MATCHES.filter((match) => fields[match] !== undefined);
    if (name === undefined || second !== undefined) throw invalid(path, `match has exactly one of ${MATCHES.join(', ')}`);
    const place = join(path, name);
    switch (name) {
      case 'value':
        return { kind: 'match_value', ...at, value: readMatchValue(fields[name], place) };
      case 'any':
        return { kind: 'match_any', ...at, values: this.#budget.values(fields[name], place, readMatchValue) };
      case 'except':
        return { kind: 'match_except', ...at, values: this.#budget.values(fields[name], place, readMatchValue) };
      case 'text':
        return { kind: 'match_text', ...at, text: this.#budget.text(fields[name], place) };
      case 'text_any':
        return { kind: 'match_text', ...at, text: this.#budget.text(fields[name], place), words: 'any' };
      case 'phrase':
        return { kind: 'match_text', ...at, text: this.#budget.text(fields[name], place), words: 'phrase' };
      case 'prefix':
        return { kind: 'match_prefix', ...at, prefix: this.#budget.text(fields[name], place) };
    }
  }

  /** A ring is written with its first place again at its end. */
  #ring(value: unknown, path: string): Place[] {
    const at = join(path, 'points');
    const places = this.#budget.values(required(given(value, path, ['points']), 'points', path), at, readPlace);
    const [first] = places;
    const last = places.at(-1);
    if (first === undefined || first.lat !== last?.lat || first.lon !== last.lon) throw invalid(at, 'must end where it begins');
    return places.slice(1);
  }
}

const BOUNDS = ['gt', 'gte', 'lt', 'lte'] as const;

/** A range without bounds asks for a number only. */
function rangeOf(at: AtKey, value: unknown, path: string): Condition {
  const bounds = given(value, path, BOUNDS);
  return Object.keys(bounds).length === 0 ? { kind: 'range', ...at, time: false, bounds: {} } : readRange(at, bounds, path);
}

function keyAlone(value: unknown, path: string): AtKey {
  return placeInPayload(required(given(value, path, ['key']), 'key', path), join(path, 'key'));
}

/** An object of known fields, without those that are null. */
function given(value: unknown, path: string, known: readonly string[]): Fields {
  const fields = object(value, path, known);
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== null && field !== undefined));
}

/** In both spellings: which of them a point has, it says itself. */
function readIds(value: unknown, path: string): PointId[] {
  try {
    const { id, spelled } = askedId(value, path);
    return spelled === null ? [id] : [id, spelled];
  } catch {
    throw invalid(path, 'must be a point id: an unsigned integer up to 2^53-1 or a UUID');
  }
}

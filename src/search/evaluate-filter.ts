/** Filters, evaluated on one point at a time: the meaning of docs/HTTP_API.md, "Filters", in its plainest form.
 *
 *  A key is a dotted path of object keys. Where it meets an array it goes on in every element that is an object; a value at its end
 *  that is an array matches when any element does. Where a condition has exact steps, arrays are crossed where they say so only. Each condition
 *  looks on its own, unless `nested` binds some to one element.
 *  Empty or absent lists demand nothing. Pure and deterministic: no clock, no zone of the server, no locale.
 *  Must not know: indexes, storage. */

import { invalidFilter } from '../model/errors.js';
import { type AtKey, type Condition, type Filter, type RangeBounds, within } from '../model/filter.js';
import { sliceOf } from '../model/id-slice.js';
import { parseInstant } from '../model/instant.js';
import { anyAt, anyAtSteps, anyElement, isObject } from '../model/payload-path.js';
import { inBox, inCircle, type Place, placeOf } from '../model/place.js';
import type { JsonValue, Payload, PointId } from '../model/point.js';
import { inPolygon } from '../model/polygon.js';
import { readsAs, wordsOf } from './match-words.js';

/** @param vectors what the point's vectors are stored under; asked for by conditions on vectors alone */
export type PointTest = (id: PointId, payload: Payload, vectors?: StoredVectors) => boolean;
export type StoredVectors = () => ReadonlyMap<string, unknown>;
type ValueTest = (value: JsonValue) => boolean;

/** From a text to its words in the form in which they are compared. */
type Analyser = (text: string) => readonly string[];
export interface FilterReading {
  /** How a text field is read (its full dotted path is given); null for a field that is none: words in lower case. */
  readonly analyse?: (path: string) => Analyser | null;
  /** What vectors of a name are stored under; null where no such vectors are declared. */
  readonly keyOf?: (name: string) => string | null;
}

/** Compiles a filter once, to be asked for many points. Cost of a call: the conditions until the answer is known. */
export function compileFilter(filter: Filter, { analyse = () => null, keyOf = () => null }: FilterReading = {}): PointTest {
  return new Compiler({ analyse, keyOf }, '').filter(filter);
}

/** @property prefix path of the element that the filter's keys begin at, with a dot behind it, or nothing */
class Compiler {
  readonly #reading: Required<FilterReading>;
  readonly #prefix: string;

  constructor(reading: Required<FilterReading>, prefix: string) {
    this.#reading = reading;
    this.#prefix = prefix;
  }

  filter(filter: Filter): PointTest {
    const compile = (condition: Condition): PointTest => this.#condition(condition);
    const all: PointTest[] = (filter.must ?? []).map(compile);
    const none = (filter.mustNot ?? []).map(compile);
    const some = (filter.should ?? []).map(compile);
    if (none.length > 0) all.push((id, payload, vectors) => !none.some((test) => test(id, payload, vectors)));
    if (some.length > 0) all.push((id, payload, vectors) => some.some((test) => test(id, payload, vectors)));
    if (filter.minShould !== undefined) all.push(atLeast(filter.minShould.conditions.map(compile), filter.minShould.minCount));
    const [only] = all;
    if (all.length === 1 && only !== undefined) return only;
    return (id, payload, vectors) => all.every((test) => test(id, payload, vectors));
  }

  #condition(condition: Condition): PointTest {
    switch (condition.kind) {
      case 'filter':
        return this.filter(condition.filter);
      case 'has_id': {
        const ids = new Set(condition.ids);
        return (id) => ids.has(id);
      }
      case 'has_vector':
        return this.#hasVector(condition.name);
      case 'slice':
        return (id) => sliceOf(id, condition.total) === condition.index;
      case 'nested':
        return this.#nested(condition);
      case 'match_text':
        return this.#text(condition);
      default: {
        const holds = payloadTest(condition);
        return (_id, payload) => holds(payload);
      }
    }
  }

  #nested(condition: Extract<Condition, { kind: 'nested' }>): PointTest {
    const { key, steps, filter } = condition;
    const matches = new Compiler(this.#reading, `${this.#prefix}${key}.`).filter(filter);
    const any = reach(condition);
    return (id, payload, vectors) => {
      const element: ValueTest = (value) => isObject(value) && matches(id, value, vectors);
      return any(payload, steps === undefined ? (value) => anyElement(value, element) : element);
    };
  }

  #hasVector(name: string): PointTest {
    const key = this.#reading.keyOf(name);
    return (_id, _payload, vectors) => {
      if (vectors === undefined) throw invalidFilter('has_vector', 'cannot be asked here, where vectors are not looked at');
      return key !== null && vectors().has(key);
    };
  }

  /** The words are looked for in one element; a query without words is refused before, and matches nothing here. */
  #text(condition: Extract<Condition, { kind: 'match_text' }>): PointTest {
    const read = this.#reading.analyse(this.#prefix + condition.key) ?? wordsOf;
    const wanted = read(condition.text);
    if (wanted.length === 0) return () => false;
    const any = reach(condition);
    const says = readsAs(wanted, condition.words ?? 'all');
    const element: ValueTest = (value) => typeof value === 'string' && says(read(value));
    return (_id, payload) => any(payload, (value) => anyElement(value, element));
  }
}

/** Does a test hold for any value where the condition looks? */
function reach({ key, steps }: AtKey): (payload: Payload, test: ValueTest) => boolean {
  if (steps !== undefined) return (payload, test) => anyAtSteps(payload, steps, test);
  const path = key.split('.');
  return (payload, test) => anyAt(payload, path, test);
}

function atLeast(tests: readonly PointTest[], minCount: number): PointTest {
  return (id, payload, vectors) => {
    let count = 0;
    for (const test of tests) {
      if (count >= minCount) break;
      if (test(id, payload, vectors)) count += 1;
    }
    return count >= minCount;
  };
}

type PayloadCondition = Exclude<Condition, { kind: 'filter' | 'has_id' | 'has_vector' | 'slice' | 'nested' | 'match_text' }>;

function payloadTest(condition: PayloadCondition): (payload: Payload) => boolean {
  const any = reach(condition);
  switch (condition.kind) {
    case 'exists':
      return (payload) => any(payload, () => true) === condition.exists;
    case 'is_null': {
      const isNull: ValueTest = (value) => value === null || (Array.isArray(value) && value.includes(null));
      return (payload) => any(payload, isNull) === condition.isNull;
    }
    case 'is_empty': {
      const isFull: ValueTest = (value) => countOf(value) > 0;
      return (payload) => any(payload, isFull) !== condition.isEmpty;
    }
    case 'values_count': {
      const { bounds } = condition;
      const emptyMatches = within(0, bounds);
      const counts: ValueTest = (value) => within(countOf(value), bounds);
      return (payload) => any(payload, counts) || (emptyMatches && !any(payload, () => true));
    }
    default: {
      const element = elementTest(condition);
      return (payload) => any(payload, (value) => anyElement(value, element));
    }
  }
}

/** How many values one value counts. */
function countOf(value: JsonValue): number {
  if (value === null) return 0;
  return Array.isArray(value) ? value.length : 1;
}

type ElementCondition = Exclude<PayloadCondition, { kind: 'exists' | 'is_null' | 'is_empty' | 'values_count' }>;

/** Conditions that look at one element. */
function elementTest(condition: ElementCondition): ValueTest {
  switch (condition.kind) {
    case 'match_value':
      return (value) => value === condition.value;
    case 'match_any': {
      const values = new Set<JsonValue>(condition.values);
      return (value) => values.has(value);
    }
    case 'match_except': {
      const values = new Set<JsonValue>(condition.values);
      return (value) => value !== null && !values.has(value);
    }
    case 'match_prefix':
      return (value) => typeof value === 'string' && value.startsWith(condition.prefix);
    case 'range':
      return condition.time ? timeRange(condition.bounds) : numberRange(condition.bounds);
    case 'geo_radius':
      return atPlace((place) => inCircle(place, condition));
    case 'geo_box':
      return atPlace((place) => inBox(place, condition));
    case 'geo_polygon':
      return atPlace((place) => inPolygon(place, condition));
  }
}

function atPlace(test: (place: Place) => boolean): ValueTest {
  return (value) => {
    const place = placeOf(value);
    return place !== null && test(place);
  };
}

function numberRange(bounds: RangeBounds): ValueTest {
  return (value) => typeof value === 'number' && within(value, bounds);
}

function timeRange(bounds: RangeBounds): ValueTest {
  return (value) => {
    const instantMs = typeof value === 'string' ? parseInstant(value) : null;
    return instantMs !== null && within(instantMs, bounds);
  };
}

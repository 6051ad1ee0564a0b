/** Filters, evaluated on one point at a time: the meaning of docs/HTTP_API.md, "Filters", in its plainest form.
 *
 *  A key is a dotted path of object keys. Where it meets an array it goes on in every element that is an object; a value at its end
 *  that is an array matches when any element does. Each condition looks on its own, unless `nested` binds some to one element.
 *  Empty or absent lists demand nothing. Pure and deterministic: no clock, no zone of the server, no locale.
 *  Must not know: indexes, storage. */

import { type Condition, type Filter, type RangeBounds, within } from '../model/filter.js';
import { parseInstant } from '../model/instant.js';
import { anyAt, anyElement, isObject } from '../model/payload-path.js';
import { inBox, inCircle, placeOf } from '../model/place.js';
import type { JsonValue, Payload, PointId } from '../model/point.js';

export type PointTest = (id: PointId, payload: Payload) => boolean;
type ValueTest = (value: JsonValue) => boolean;

/** From a text to its words in the form in which they are compared. */
type Analyser = (text: string) => readonly string[];
export interface FilterReading {
  /** How a text field is read (its full dotted path is given); null for a field that is none: words in lower case. */
  readonly analyse?: (path: string) => Analyser | null;
}

const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/** Compiles a filter once, to be asked for many points. Cost of a call: the conditions until the answer is known. */
export function compileFilter(filter: Filter, { analyse = () => null }: FilterReading = {}): PointTest {
  return new Compiler(analyse, '').filter(filter);
}

/** @property prefix path of the element that the filter's keys begin at, with a dot behind it, or nothing */
class Compiler {
  readonly #analyse: (path: string) => Analyser | null;
  readonly #prefix: string;

  constructor(analyse: (path: string) => Analyser | null, prefix: string) {
    this.#analyse = analyse;
    this.#prefix = prefix;
  }

  filter(filter: Filter): PointTest {
    const compile = (condition: Condition): PointTest => this.#condition(condition);
    const all: PointTest[] = (filter.must ?? []).map(compile);
    const none = (filter.mustNot ?? []).map(compile);
    const some = (filter.should ?? []).map(compile);
    if (none.length > 0) all.push((id, payload) => !none.some((test) => test(id, payload)));
    if (some.length > 0) all.push((id, payload) => some.some((test) => test(id, payload)));
    if (filter.minShould !== undefined) all.push(atLeast(filter.minShould.conditions.map(compile), filter.minShould.minCount));
    const [only] = all;
    if (all.length === 1 && only !== undefined) return only;
    return (id, payload) => all.every((test) => test(id, payload));
  }

  #condition(condition: Condition): PointTest {
    switch (condition.kind) {
      case 'filter':
        return this.filter(condition.filter);
      case 'has_id': {
        const ids = new Set(condition.ids);
        return (id) => ids.has(id);
      }
      case 'nested':
        return this.#nested(condition.key, condition.filter);
      case 'match_text':
        return this.#text(condition.key, condition.text);
      default: {
        const holds = payloadTest(condition);
        return (_id, payload) => holds(payload);
      }
    }
  }

  #nested(key: string, filter: Filter): PointTest {
    const path = key.split('.');
    const matches = new Compiler(this.#analyse, `${this.#prefix}${key}.`).filter(filter);
    return (id, payload) => {
      const element: ValueTest = (value) => isObject(value) && matches(id, value);
      return anyAt(payload, path, (value) => anyElement(value, element));
    };
  }

  /** Every word of the query occurs in one element; a query without words is refused before, and matches nothing here. */
  #text(key: string, text: string): PointTest {
    const path = key.split('.');
    const read = this.#analyse(this.#prefix + key) ?? wordsOf;
    const wanted = [...new Set(read(text))];
    if (wanted.length === 0) return () => false;
    const element: ValueTest = (value) => typeof value === 'string' && hasWords(new Set(read(value)), wanted);
    return (_id, payload) => anyAt(payload, path, (value) => anyElement(value, element));
  }
}

function atLeast(tests: readonly PointTest[], minCount: number): PointTest {
  return (id, payload) => {
    let count = 0;
    for (const test of tests) {
      if (count >= minCount) break;
      if (test(id, payload)) count += 1;
    }
    return count >= minCount;
  };
}

type PayloadCondition = Exclude<Condition, { kind: 'filter' | 'has_id' | 'nested' | 'match_text' }>;

function payloadTest(condition: PayloadCondition): (payload: Payload) => boolean {
  const path = condition.key.split('.');
  switch (condition.kind) {
    case 'exists':
      return (payload) => anyAt(payload, path, () => true) === condition.exists;
    case 'is_null': {
      const isNull: ValueTest = (value) => value === null || (Array.isArray(value) && value.includes(null));
      return (payload) => anyAt(payload, path, isNull) === condition.isNull;
    }
    case 'values_count':
      return valuesCountTest(path, condition.bounds);
    default: {
      const element = elementTest(condition);
      return (payload) => anyAt(payload, path, (value) => anyElement(value, element));
    }
  }
}

type ElementCondition = Exclude<PayloadCondition, { kind: 'exists' | 'is_null' | 'values_count' }>;

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
    case 'range':
      return condition.time ? timeRange(condition.bounds) : numberRange(condition.bounds);
    case 'geo_radius':
    case 'geo_box':
      return (value) => {
        const place = placeOf(value);
        return place !== null && (condition.kind === 'geo_box' ? inBox(place, condition) : inCircle(place, condition));
      };
  }
}

/** A missing or null field counts 0, a scalar or an object 1, an array its length. */
function valuesCountTest(path: readonly string[], bounds: RangeBounds): (payload: Payload) => boolean {
  const emptyMatches = within(0, bounds);
  const counts: ValueTest = (value) => within(value === null ? 0 : Array.isArray(value) ? value.length : 1, bounds);
  return (payload) => anyAt(payload, path, counts) || (emptyMatches && !anyAt(payload, path, () => true));
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

function hasWords(words: ReadonlySet<string>, wanted: readonly string[]): boolean {
  return wanted.every((word) => words.has(word));
}

/** Words are runs of letters, marks and digits, in lower case. */
function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

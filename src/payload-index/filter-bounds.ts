/** Filters as sets of labels: the labels that surely match and those that may, carried through and, or, not and min_should.
 *
 *  Inside `nested` a condition speaks of one element, and the index knows points: it knows of each condition whether some element matches
 *  it. That is the whole truth for one condition and for alternatives; several at once may be met by different elements, so nothing is
 *  certain then; and what an element lacks (must_not, exists: false) is not known at all.
 *  Exact steps (exact-steps.ts) are the index's own paths where they cross no array; else what the path has is more than they lead to.
 *  Must not know: the inside of fields, how the sets are made. */

import type { PayloadIndexType } from '../model/collection.js';
import { type Condition, type Filter, type MatchValue, within } from '../model/filter.js';
import type { PointId } from '../model/point.js';
import { holdsOfNothing, kindOfSteps, leadsToLess, withoutCrossings } from './exact-steps.js';
import { answerOf, anyOf, type Bounds, countsWithin, exact, type FieldCondition } from './field-answer.js';
import { type LabelSource, NO_LABELS } from './label-source.js';
import type { PayloadField } from './payload-field.js';
import type { SetAlgebra } from './set-algebra.js';

/** A condition that no index could answer, and the index that would; null: none would. */
export interface UnindexedCondition {
  readonly path: string;
  readonly type: PayloadIndexType | null;
}

export interface FilterGround {
  readonly fields: ReadonlyMap<string, PayloadField>;
  readonly algebra: SetAlgebra;
  /** Live labels of the points with these ids. */
  readonly labelsOfIds: (ids: readonly PointId[]) => LabelSource;
}

/** Where keys begin: at the point, or at the elements of a path (with a dot behind it). */
interface Scope {
  readonly prefix: string;
  readonly nested: boolean;
}

/** Reads one filter once.
 *  Cost: the conditions; no bitmap is made before it is asked for. */
export class FilterBounds {
  readonly bounds: Bounds;
  readonly #ground: FilterGround;
  readonly #algebra: SetAlgebra;
  readonly #unknown: Bounds;
  readonly #unindexed = new Map<string, UnindexedCondition>();

  constructor(filter: Filter, ground: FilterGround) {
    this.#ground = ground;
    this.#algebra = ground.algebra;
    this.#unknown = ground.algebra.all.labels().isEmpty ? exact(NO_LABELS) : { certain: NO_LABELS, possible: ground.algebra.all };
    this.bounds = this.#filter(filter, { prefix: '', nested: false });
  }

  /** Conditions that were not answered exactly, each place once. */
  get unindexed(): readonly UnindexedCondition[] {
    return [...this.#unindexed.values()];
  }

  #filter({ must = [], should = [], mustNot = [], minShould }: Filter, scope: Scope): Bounds {
    const demands = must.map((condition) => this.#condition(condition, scope));
    for (const condition of mustNot) demands.push(this.#not(condition, scope));
    if (should.length > 0) demands.push(this.#alternatives(should, scope));
    if (minShould !== undefined) {
      const { conditions, minCount } = minShould;
      if (minCount === 1) demands.push(this.#alternatives(conditions, scope));
      else if (minCount > 1) demands.push(this.#atLeast(conditions, minCount, scope));
    }
    const [only] = demands;
    if (demands.length === 1 && only !== undefined) return only;
    // That a path has elements at all is not known.
    if (scope.nested && only === undefined) return this.#unknown;
    return this.#allOf(demands, scope);
  }

  #allOf(demands: readonly Bounds[], scope: Scope): Bounds {
    const possible = this.#algebra.and(demands.map((demand) => demand.possible));
    if (possible === NO_LABELS) return exact(possible);
    if (scope.nested) return { certain: NO_LABELS, possible };
    if (demands.every(isExact)) return exact(possible);
    return { certain: this.#algebra.and(demands.map((demand) => demand.certain)), possible };
  }

  #alternatives(conditions: readonly Condition[], scope: Scope): Bounds {
    return anyOf(
      this.#algebra,
      conditions.map((condition) => this.#condition(condition, scope)),
    );
  }

  /** @param count above 1 */
  #atLeast(conditions: readonly Condition[], count: number, scope: Scope): Bounds {
    const parts = conditions.map((condition) => this.#condition(condition, scope));
    const atLeast = (sets: readonly LabelSource[]): LabelSource => this.#algebra.atLeast(sets, count);
    const possible = atLeast(parts.map((part) => part.possible));
    if (possible === NO_LABELS) return exact(possible);
    if (scope.nested) return { certain: NO_LABELS, possible };
    if (parts.every(isExact)) return exact(possible);
    return { certain: atLeast(parts.map((part) => part.certain)), possible };
  }

  #not(condition: Condition, scope: Scope): Bounds {
    if (scope.nested) return this.#unknown;
    const inner = this.#condition(condition, scope);
    const possible = this.#algebra.not(inner.certain);
    return isExact(inner) ? exact(possible) : { certain: this.#algebra.not(inner.possible), possible };
  }

  #condition(condition: Condition, scope: Scope): Bounds {
    switch (condition.kind) {
      case 'filter':
        return this.#filter(condition.filter, scope);
      case 'has_id': {
        const labels = this.#ground.labelsOfIds(condition.ids);
        return scope.nested ? { certain: NO_LABELS, possible: labels } : exact(labels);
      }
      case 'slice':
      case 'has_vector':
        this.#note(condition.kind, null);
        return this.#unknown;
      case 'nested':
        return this.#nested(condition, scope);
      default:
        return this.#fieldCondition(condition, scope);
    }
  }

  #nested({ key, steps, filter }: Extract<Condition, { kind: 'nested' }>, scope: Scope): Bounds {
    const path = scope.prefix + key;
    if (kindOfSteps(steps) === 'beyond') {
      this.#note(path, null);
      return this.#unknown;
    }
    const before = this.#unindexed.size;
    const inner = this.#filter(filter, { prefix: `${path}.`, nested: true });
    const bounds = steps === undefined ? inner : { certain: NO_LABELS, possible: inner.possible };
    if (!isExact(bounds) && this.#unindexed.size === before) this.#note(path, null);
    return bounds;
  }

  #fieldCondition(condition: FieldCondition, scope: Scope): Bounds {
    const path = scope.prefix + condition.key;
    const field = this.#ground.fields.get(path);
    const steps = kindOfSteps(condition.steps);
    if (field === undefined || steps === 'beyond') {
      this.#note(path, steps === 'beyond' ? null : servingType(condition));
      return this.#unknown;
    }
    if (steps === 'places' || (steps === 'keys' && scope.nested)) {
      this.#note(path, null);
      const possible = leadsToLess(field, condition, this.#algebra);
      return possible === null ? this.#unknown : { certain: NO_LABELS, possible };
    }
    if (scope.nested) {
      if (condition.kind !== 'values_count' && holdsOfNothing(condition)) return this.#unknown;
      // Another element may lack the field, which counts 0 as well.
      if (condition.kind === 'values_count' && within(0, condition.bounds))
        return { certain: countsWithin(field, condition.bounds, this.#algebra), possible: this.#algebra.all };
    }
    const bounds = answerOf(field, condition, this.#algebra);
    if (!isExact(bounds)) this.#note(path, servingType(condition));
    return steps === 'keys' ? withoutCrossings(field, condition, bounds, this.#algebra) : bounds;
  }

  #note(path: string, type: PayloadIndexType | null): void {
    this.#unindexed.set(`${type ?? ''} ${path}`, { path, type });
  }
}

export function isExact({ certain, possible }: Bounds): boolean {
  return certain === possible;
}

/** The type of payload index that answers a condition. Presence and counts are known of every type. */
function servingType(condition: FieldCondition): PayloadIndexType | null {
  switch (condition.kind) {
    case 'match_value':
      return typeOfValue(condition.value);
    case 'match_any':
    case 'match_except':
      return typeOfValue(condition.values[0] ?? '');
    case 'match_prefix':
      return 'keyword';
    case 'match_text':
      return null;
    case 'range':
      if (condition.time) return 'datetime';
      return Object.values(condition.bounds).every(Number.isInteger) ? 'integer' : 'float';
    case 'geo_radius':
    case 'geo_box':
    case 'geo_polygon':
      return 'geo';
    case 'exists':
    case 'is_null':
    case 'is_empty':
    case 'values_count':
      return 'keyword';
  }
}

function typeOfValue(value: MatchValue): PayloadIndexType {
  if (typeof value === 'string') return 'keyword';
  if (typeof value === 'boolean') return 'bool';
  return Number.isInteger(value) ? 'integer' : 'float';
}

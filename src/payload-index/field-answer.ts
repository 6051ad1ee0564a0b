/** What a declared field knows about one condition: the labels that surely match, and those that may.
 *
 *  The two are one set where the condition looks at values of an indexed type; else the labels that have a value of the right kind at all
 *  may match. The meaning of each condition is that of search/evaluate-filter.ts, to the last case.
 *  Must not know: how conditions are put together, paths. */

import { type Condition, type MatchValue, type RangeBounds, within } from '../model/filter.js';
import type { Bitmap } from './bitmap.js';
import { HeldLabels, type LabelSource, NO_LABELS } from './label-source.js';
import type { PayloadField } from './payload-field.js';
import { boxRegion, circleRegion } from './place-cells.js';
import { polygonRegion } from './polygon-region.js';
import type { SetAlgebra } from './set-algebra.js';

/** Invariant: every label in `certain` matches, none outside of `possible` does. Exact when they are one object. */
export interface Bounds {
  readonly certain: LabelSource;
  readonly possible: LabelSource;
}

export type FieldCondition = Exclude<Condition, { kind: 'filter' | 'has_id' | 'has_vector' | 'slice' | 'nested' }>;

export function exact(labels: LabelSource): Bounds {
  return { certain: labels, possible: labels };
}

/** At most these; none of them for sure. */
function among(labels: Bitmap): Bounds {
  return labels.isEmpty ? exact(NO_LABELS) : { certain: NO_LABELS, possible: new HeldLabels(labels) };
}

export function anyOf(algebra: SetAlgebra, parts: readonly Bounds[]): Bounds {
  const possible = algebra.or(parts.map((part) => part.possible));
  if (parts.every((part) => part.certain === part.possible)) return exact(possible);
  return { certain: algebra.or(parts.map((part) => part.certain)), possible };
}

export function answerOf(field: PayloadField, condition: FieldCondition, algebra: SetAlgebra): Bounds {
  switch (condition.kind) {
    case 'match_value':
      return anyOf(algebra, valueParts(field, [condition.value]));
    case 'match_any':
      return anyOf(algebra, valueParts(field, condition.values));
    case 'match_except':
      return anyOf(algebra, exceptParts(field, condition.values));
    case 'match_text':
      return among(field.texts);
    case 'match_prefix': {
      const { prefix } = condition;
      return field.terms === null ? among(field.texts) : exact(field.terms.sourceWhere((term) => term.startsWith(prefix)));
    }
    case 'range':
      return rangeAnswer(field, condition);
    case 'geo_radius':
      return field.places === null ? among(field.objects) : exact(field.places.within(circleRegion(condition)));
    case 'geo_box':
      return field.places === null ? among(field.objects) : exact(field.places.within(boxRegion(condition)));
    case 'geo_polygon':
      return field.places === null ? among(field.objects) : exact(field.places.within(polygonRegion(condition)));
    case 'exists':
      return exact(affirmed(algebra, field.present, condition.exists));
    case 'is_null':
      return exact(affirmed(algebra, field.nulls, condition.isNull));
    case 'is_empty': {
      const full = countsWithin(field, { gte: 1 }, algebra);
      return exact(condition.isEmpty ? algebra.not(full) : full);
    }
    case 'values_count': {
      const absent = within(0, condition.bounds) ? [affirmed(algebra, field.present, false)] : [];
      return exact(algebra.or([countsWithin(field, condition.bounds, algebra), ...absent]));
    }
  }
}

/** Labels where some value at the path counts a number within the bounds; where nothing is there, there is no value. */
export function countsWithin(field: PayloadField, bounds: RangeBounds, algebra: SetAlgebra): LabelSource {
  const counts = field.counts.source([...field.counts.terms()].filter((count) => within(count, bounds)));
  return within(1, bounds) ? algebra.or([new HeldLabels(field.ones), counts]) : counts;
}

function affirmed(algebra: SetAlgebra, labels: Bitmap, wanted: boolean): LabelSource {
  const source = new HeldLabels(labels);
  return wanted ? source : algebra.not(source);
}

interface ByKind {
  readonly texts: readonly string[];
  readonly numbers: readonly number[];
  readonly booleans: ReadonlySet<boolean>;
}

/** Each value once, by its kind. */
function byKind(values: readonly MatchValue[]): ByKind {
  const each = [...new Set(values)];
  return {
    texts: each.filter((value) => typeof value === 'string'),
    numbers: each.filter((value) => typeof value === 'number'),
    booleans: new Set(each.filter((value) => typeof value === 'boolean')),
  };
}

function valueParts(field: PayloadField, values: readonly MatchValue[]): Bounds[] {
  const { texts, numbers, booleans } = byKind(values);
  const parts: Bounds[] = [];
  if (texts.length > 0) parts.push(field.terms === null ? among(field.texts) : exact(field.terms.source(texts)));
  if (numbers.length > 0)
    parts.push(field.numberValues === null ? among(field.numbers) : exact(field.numberValues.equalTo(numbers)));
  if (booleans.has(true)) parts.push(exact(new HeldLabels(field.trues)));
  if (booleans.has(false)) parts.push(exact(new HeldLabels(field.falses)));
  return parts;
}

/** Some element that is not null is none of the values; an object never is one. */
function exceptParts(field: PayloadField, values: readonly MatchValue[]): Bounds[] {
  const { texts, numbers, booleans } = byKind(values);
  const parts: Bounds[] = [exact(new HeldLabels(field.objects))];
  if (texts.length === 0) parts.push(exact(new HeldLabels(field.texts)));
  else parts.push(field.terms === null ? among(field.texts) : exact(field.terms.sourceExcept(texts, field.texts)));
  if (numbers.length === 0) parts.push(exact(new HeldLabels(field.numbers)));
  else parts.push(field.numberValues === null ? among(field.numbers) : exact(field.numberValues.except(numbers, field.numbers)));
  if (!booleans.has(true)) parts.push(exact(new HeldLabels(field.trues)));
  if (!booleans.has(false)) parts.push(exact(new HeldLabels(field.falses)));
  return parts;
}

function rangeAnswer(field: PayloadField, { time, bounds }: Extract<Condition, { kind: 'range' }>): Bounds {
  if (time) return field.instants === null ? among(field.texts) : exact(field.instants.within(bounds));
  return field.numberValues === null ? among(field.numbers) : exact(field.numberValues.within(bounds));
}

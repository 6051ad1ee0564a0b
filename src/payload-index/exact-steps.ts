/** Conditions with exact steps, answered by fields whose paths cross every array on their way.
 *
 *    keys     a.b        what the field says, but of labels where an array stands on the way: there the steps lead to nothing
 *    places   a[].b a[0] the steps lead to some of what the field has, or to less
 *    beyond              no field has that path
 *
 *  Must not know: how conditions are put together. */

import { within } from '../model/filter.js';
import type { PathStep } from '../model/path-step.js';
import { answerOf, type Bounds, exact, type FieldCondition } from './field-answer.js';
import { HeldLabels, type LabelSource } from './label-source.js';
import type { PayloadField } from './payload-field.js';
import type { SetAlgebra } from './set-algebra.js';

export type StepKind = 'dotted' | 'keys' | 'places' | 'beyond';

/** A key with a dot inside is no step of any field's path; an array inside an array is not entered by one. */
export function kindOfSteps(steps: readonly PathStep[] | undefined): StepKind {
  if (steps === undefined) return 'dotted';
  if (steps.some((step) => typeof step === 'string' && (step === '' || step.includes('.')))) return 'beyond';
  const isPlace = (step: PathStep | undefined): boolean => step !== undefined && typeof step !== 'string';
  if (steps.some((step, at) => isPlace(step) && isPlace(steps[at + 1]))) return 'beyond';
  return steps.every((step) => typeof step === 'string') ? 'keys' : 'places';
}

/** Does a condition hold where there is no value? */
export function holdsOfNothing(condition: FieldCondition): boolean {
  switch (condition.kind) {
    case 'exists':
      return !condition.exists;
    case 'is_null':
      return !condition.isNull;
    case 'is_empty':
      return condition.isEmpty;
    case 'values_count':
      return within(0, condition.bounds);
    default:
      return false;
  }
}

/** @param bounds of the condition on the field's own path */
export function withoutCrossings(field: PayloadField, condition: FieldCondition, bounds: Bounds, algebra: SetAlgebra): Bounds {
  if (field.crossed.isEmpty) return bounds;
  const crossed = new HeldLabels(field.crossed);
  const cut = holdsOfNothing(condition)
    ? (labels: LabelSource): LabelSource => algebra.or([labels, crossed])
    : (labels: LabelSource): LabelSource => algebra.and([labels, algebra.not(crossed)]);
  const possible = cut(bounds.possible);
  return bounds.certain === bounds.possible ? exact(possible) : { certain: cut(bounds.certain), possible };
}

/** The labels that may match where the steps lead to some of the field's values; null: any may. */
export function leadsToLess(field: PayloadField, condition: FieldCondition, algebra: SetAlgebra): LabelSource | null {
  const endsAtKey = typeof condition.steps?.at(-1) === 'string';
  if (holdsOfNothing(condition) || (condition.kind === 'values_count' && !endsAtKey)) return null;
  const { possible } = answerOf(field, condition, algebra);
  // An array inside the array is looked into by the steps only.
  return endsAtKey ? possible : algebra.or([possible, new HeldLabels(field.objects)]);
}

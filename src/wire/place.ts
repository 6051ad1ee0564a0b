/** Where in a request something stands, and the refusals that name it. Text is made only when it is needed. */

import { invalidRequest, SkeinError } from '../model/errors.js';

/** A row of a list: `points[3]`; `list` may stand deeper, as in `operations[2].upsert.points`. */
export interface Place {
  readonly list: string;
  readonly index: number;
}

/** The path of a field behind another path; '' is the whole. */
export function join(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`;
}

/** The path of a field of the row; of the row itself when the field is ''. A line of an import has no path of its own. */
export function pathOf(place: Place, field: string): string {
  if (place.list === '') return field;
  const row = `${place.list}[${place.index}]`;
  return field === '' ? row : join(row, field);
}

/** A refusal by a reader that did not know where it stood gets its place; any other error stays as it is. */
export function placed(error: unknown, path: string): unknown {
  if (!(error instanceof SkeinError) || error.type !== 'InvalidRequest') return error;
  return invalidRequest(path, error.message);
}

/** A refusal by a reader that did not know where it stood, and that nobody has given its place. */
export function isUnplaced(error: unknown): error is SkeinError {
  if (!(error instanceof SkeinError) || error.type !== 'InvalidRequest') return false;
  const [issue] = (error.details['issues'] ?? []) as readonly { path: string }[];
  return issue?.path === '';
}

export function unknownField(path: string): SkeinError {
  return invalidRequest(path, 'unknown field');
}

/** What the contract promises and this version does not do yet is refused by name, never ignored. */
export function notAvailable(path: string, feature: string): SkeinError {
  return invalidRequest(path, `${feature} is not available in this version`);
}

/** A bound that an operator may change; the answer carries it. */
export function overLimit(path: string, what: string, limit: number): SkeinError {
  const message = `at most ${limit} ${what}`;
  return new SkeinError('InvalidRequest', `${path}: ${message}`, { issues: [{ path, message }], limit });
}

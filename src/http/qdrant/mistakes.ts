/** What the dialect refuses by itself, in the three kinds it tells apart: a body or a query of another form (400), a value out of its range
 *  (422), and what means nothing here (400). Must not know: answers, engines. */

import { type RequestIssue, SkeinError } from '../../model/errors.js';

/** How an InvalidRequest is to be told; its details carry it to error-answer.ts. */
export type MistakeKind = 'body_form' | 'query_form' | 'body_range' | 'path_range' | 'meaning';

export function mistake(kind: MistakeKind, issues: readonly RequestIssue[]): SkeinError {
  const text = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new SkeinError('InvalidRequest', text, { issues, mistake: kind });
}

/** The body, or the part of it at `path`, has another form. */
export function formMistake(path: string, message: string): SkeinError {
  return mistake('body_form', [{ path, message }]);
}

/** What a reader refused that knows no kinds: it is the form of the body, but for limits. */
export function asFormMistake(error: unknown): unknown {
  if (!(error instanceof SkeinError) || error.type !== 'InvalidRequest') return error;
  const { issues, limit, mistake: kind } = error.details;
  return limit === undefined && kind === undefined ? mistake('body_form', issues as readonly RequestIssue[]) : error;
}

/** The form is right and the value is not one that may be. */
export function rangeMistake(path: string, message: string): SkeinError {
  return mistake('body_range', [{ path, message }]);
}

/** Well-formed, and not to be done: also what the dialect has and this server has not. */
export function wrongInput(message: string, path = ''): SkeinError {
  return mistake('meaning', [{ path, message }]);
}

export function queryMistake(path: string, message: string): SkeinError {
  return mistake('query_form', [{ path, message }]);
}

/** What of a point a caller of the dialect wants to see: `with_payload` as a boolean, a list of keys or {include} / {exclude}, and `with_vector`
 *  as a boolean or a list of names. Must not know: routes, how points are written. */

import { formMistake } from './mistakes.js';
import { type Keep, keptPayload, type PayloadChoice } from './payload-choice.js';

export interface Shown {
  readonly withPayload: boolean;
  /** Null: all of it. */
  readonly payload: PayloadChoice | null;
  /** Names of vectors; true: all of them. */
  readonly vectors: boolean | readonly string[];
}

interface ShownFields {
  readonly with_payload?: unknown;
  readonly with_vector?: unknown;
  readonly with_vectors?: unknown;
}

/** @param otherwise for what is not said @throws InvalidRequest (body_form) */
export function shownOf(
  { with_payload: payload, with_vector: vector, with_vectors: vectors }: ShownFields,
  otherwise: { readonly withPayload: boolean },
  inside = '',
): Shown {
  const at = (field: string): string => (inside === '' ? field : `${inside}.${field}`);
  return {
    ...payloadShown(payload, otherwise.withPayload, at('with_payload')),
    vectors: vectorsShown(vector ?? vectors, at('with_vector')),
  };
}

function payloadShown(value: unknown, otherwise: boolean, path: string): Pick<Shown, 'withPayload' | 'payload'> {
  if (value === undefined || value === null) return { withPayload: otherwise, payload: null };
  if (typeof value === 'boolean') return { withPayload: value, payload: null };
  if (isTexts(value)) return { withPayload: true, payload: keptPayload('include', value, path) };
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, keys]) => keys !== null);
    const [[kind, keys] = ['', null]] = entries;
    if (entries.length === 1 && (kind === 'include' || kind === 'exclude') && isTexts(keys))
      return { withPayload: true, payload: keptPayload(kind satisfies Keep, keys, `${path}.${kind}`) };
  }
  throw formMistake(path, 'must be true, false, a list of keys, {include: […]} or {exclude: […]}');
}

function vectorsShown(value: unknown, path: string): Shown['vectors'] {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  if (isTexts(value)) return value;
  throw formMistake(path, 'must be true, false or a list of names of vectors');
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

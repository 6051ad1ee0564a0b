/** Holds plain bodies against their schemas: compiled once, all mistakes named by their JSON path.
 *
 *  Parts marked `x-own-check` are passed over: vectors, ids, payloads and filters have readers of their own. Nothing is coerced. */

import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { type RequestIssue, SkeinError } from '../model/errors.js';
import { OWN_CHECK } from './body-parts.js';
import { join, notAvailable } from './place.js';

const ISSUES_MAX = 20;

/** @param inside where the value stands in the whole body: '' or such as `searches[2]` @throws InvalidRequest */
export type BodyCheck<Body> = (value: unknown, inside?: string) => Body;

/** @param later fields that the contract has and this version does not: name of the field → what it is */
export function bodyCheck<Schema extends TSchema>(
  schema: Schema,
  later: Readonly<Record<string, string>> = {},
): BodyCheck<Static<Schema>> {
  const validator = Compile(withoutOwnChecks(schema) as TSchema);
  const names = Object.keys(later);
  return (value, inside = '') => {
    if (names.length > 0 && typeof value === 'object' && value !== null) {
      for (const name of names) {
        if (Object.hasOwn(value, name) && !isEmpty((value as Record<string, unknown>)[name])) {
          throw notAvailable(join(inside, name), later[name] ?? name);
        }
      }
    }
    const known = names.length > 0 ? without(value, names) : value;
    if (validator.Check(known)) return known as Static<Schema>;
    throw refusal(validator.Errors(known), inside);
  };
}

/** Asking for nothing of something is no mistake: `text_fields: []`, `quantization: null`. */
function isEmpty(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function without(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || !names.some((name) => Object.hasOwn(value, name))) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/** A mistake with the keyword of the schema that found it. */
export interface BodyMistake extends RequestIssue {
  readonly keyword: string;
}

/** For whoever tells mistakes in a form of his own. @returns what makes a list of them, or null when there are none */
export function bodyMistakes(schema: TSchema): (value: unknown, inside: string) => readonly BodyMistake[] | null {
  const validator = Compile(withoutOwnChecks(schema) as TSchema);
  return (value, inside) => {
    if (validator.Check(value)) return null;
    const found = mistakesOf(validator.Errors(value), inside);
    return found.length > 0 ? found : [{ path: inside, message: NOT_THE_SCHEMA, keyword: '' }];
  };
}

const NOT_THE_SCHEMA = 'is not what the schema asks for';

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

function mistakesOf(errors: readonly SchemaError[], inside: string): BodyMistake[] {
  const found: BodyMistake[] = [];
  for (const error of errors) {
    for (const issue of issuesOf(error, inside)) {
      if (found.length < ISSUES_MAX && !found.some((other) => other.path === issue.path))
        found.push({ ...issue, keyword: error.keyword });
    }
  }
  return found;
}

function refusal(errors: readonly SchemaError[], inside: string): SkeinError {
  const issues: RequestIssue[] = mistakesOf(errors, inside).map(({ path, message }) => ({ path, message }));
  const first = issues[0] ?? { path: inside, message: NOT_THE_SCHEMA };
  return new SkeinError('InvalidRequest', `${first.path === '' ? 'the body' : first.path}: ${first.message}`, {
    issues: issues.length > 0 ? issues : [first],
  });
}

function issuesOf(error: SchemaError, inside: string): RequestIssue[] {
  const at = jsonPath(error.instancePath);
  const place = at === '' ? inside : join(inside, at);
  const field = (name: string): string => join(place, name);
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    // The field itself fails with "schema is false"; additionalProperties names it better.
    case 'boolean':
      return [];
    // What may also be null is told by what it should be otherwise.
    case 'anyOf':
      return [];
    case 'type':
      return params['type'] === 'null' ? [] : [{ path: place, message: error.message }];
    case 'additionalProperties':
      return (params['additionalProperties'] as string[]).map((name) => ({ path: field(name), message: 'unknown field' }));
    case 'required':
      return (params['requiredProperties'] as string[]).map((name) => ({ path: field(name), message: 'missing' }));
    case 'enum':
      return [{ path: place, message: `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}` }];
    default:
      return [{ path: place, message: error.message }];
  }
}

/** `/searches/2/limit` → `searches[2].limit` */
function jsonPath(pointer: string): string {
  let path = '';
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/.test(name)) path += `[${name}]`;
    else path = join(path, name);
  }
  return path;
}

function withoutOwnChecks(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutOwnChecks);
  if (typeof schema !== 'object' || schema === null) return schema;
  if (OWN_CHECK in schema) return {};
  const copy: Record<string, unknown> = {};
  // TypeBox keeps its own marks in properties that are not enumerable; they are needed on none of the compiled forms.
  for (const [name, part] of Object.entries(schema)) copy[name] = withoutOwnChecks(part);
  return copy;
}

/** Bodies of the dialect held against their schemas: what has another form is 400, what is only out of range 422.
 *  Must not know: what a body means. */

import type { FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { bodyMistakes } from '../../wire/check-body.js';
import type { Room } from '../room.js';
import { mistake } from './mistakes.js';

/** @throws InvalidRequest: body_form, body_range @param inside where the value stands in the whole body */
export type DialectCheck<Body> = (value: unknown, inside?: string) => Body;

/** Keywords of a schema that speak of a value which has the right form. */
const RANGES: ReadonlySet<string> = new Set([
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minLength', 'maxLength', 'minItems', 'maxItems'],
]);

export function dialectCheck<Schema extends TSchema>(schema: Schema): DialectCheck<Static<Schema>> {
  const mistakesOf = bodyMistakes(schema);
  return (given, inside = '') => {
    const value = withoutNulls(given);
    const mistakes = mistakesOf(value, inside);
    if (mistakes === null) return value as Static<Schema>;
    const isRange = mistakes.every(({ keyword }) => RANGES.has(keyword));
    const issues = mistakes.map(({ path, message }) => ({ path, message }));
    throw mistake(isRange ? 'body_range' : 'body_form', issues);
  };
}

/** Clients send null for what they leave out. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const given = Object.entries(value);
  return given.some(([, field]) => field === null) ? Object.fromEntries(given.filter(([, field]) => field !== null)) : value;
}

/** Reads a small body and checks it. */
export async function readChecked<Body>(
  { bodies }: Pick<Room, 'bodies'>,
  request: FastifyRequest,
  check: DialectCheck<Body>,
): Promise<Body> {
  return check(await bodies.read(request, { kind: 'plain' }));
}

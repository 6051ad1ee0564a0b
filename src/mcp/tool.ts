/** What a tool is: words for a model that chooses it, a schema of its input, and what it asks of the server.
 *
 *  Invariant: a tool sees its input only after it was held against its schema; bodies and answers are those of the HTTP API.
 *  Must not know: transports, protocol messages. */

import type { Static, TSchema } from 'typebox';
import { invalidRequest } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { Call } from '../sdk/index.js';
import { bodyCheck } from '../wire/check-body.js';

/** Asks the server as the caller of the tool. @throws SkeinApiError, SkeinConnectionError, SkeinTimeoutError */
export type AskServer = (
  call: Omit<Call, 'options'>,
  options?: Pick<Call['options'], 'w' | 'wait' | 'timeoutMs'>,
) => Promise<unknown>;

export interface ToolAnswer {
  /** What a model reads; by default the object as JSON. */
  readonly text?: string;
  readonly object: Readonly<Record<string, unknown>>;
}

interface ToolWords {
  readonly name: string;
  readonly title: string;
  readonly description: string;
}

/** reads: changes nothing. replaces: adds, or puts in the place of what has the same id. removes: what was there is gone. */
type Effect = 'reads' | 'replaces' | 'removes';

export interface Tool extends ToolWords {
  readonly effect: Effect;
  readonly input: TSchema;
  /** @throws InvalidRequest when the input is not what the schema says, and what the server answered with */
  run(input: unknown, ask: AskServer): Promise<ToolAnswer>;
}

export function tool<Input extends TSchema>(
  words: ToolWords,
  effect: Effect,
  input: Input,
  run: (input: Static<Input>, ask: AskServer) => Promise<ToolAnswer>,
): Tool {
  const check = bodyCheck(input);
  return {
    ...words,
    effect,
    input,
    run: async (given, ask) => {
      mustBeFlat(given);
      return run(check(given), ask);
    },
  };
}

/** What is nested deeper than a body of the HTTP API may be would end the stack of whoever walks through it. @throws InvalidRequest */
function mustBeFlat(given: unknown): void {
  if (typeof given !== 'object' || given === null) return;
  for (const [name, value] of Object.entries(given)) {
    if (isDeeper(value, FIXED.jsonDepthMax - 1))
      throw invalidRequest(name, `must not be nested deeper than ${FIXED.jsonDepthMax} levels`);
  }
}

/** Goes no deeper than the bound itself. */
function isDeeper(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depthMax === 0 || Object.values(value).some((part) => isDeeper(part, depthMax - 1));
}

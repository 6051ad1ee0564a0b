/** The configuration file: one flat JSON object, settings under their file keys. Must not know: which settings exist. */

import { readFileSync } from 'node:fs';
import { messageOf } from '../model/errors.js';

/** @throws Error saying what is wrong with the file, with line and column where JSON stops */
export function readConfigFile(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new Error(`the configuration file ${path} cannot be read: ${messageOf(error)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`the configuration file ${path} is not JSON: ${withPlace(messageOf(error), text)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`the configuration file ${path} must hold one JSON object, such as {"port": 7171}`);
  }
  return value as Record<string, unknown>;
}

/** V8 says "at position N" and, in newer releases, line and column as well. */
function withPlace(message: string, text: string): string {
  const offset = /position (\d+)/.exec(message)?.[1];
  if (offset === undefined || message.includes('(line')) return message;
  const before = text.slice(0, Number(offset)).split('\n');
  return `${message} (line ${before.length} column ${(before.at(-1) ?? '').length + 1})`;
}

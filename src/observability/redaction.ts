/** What must not stand in a log or an error report: values under names that secrets have, and texts that are known to be secret.
 *  Must not know: where they come from. */

import type { LogFields } from '../model/log.js';

export const REDACTED = '********';
/** What is nested deeper is not shown. */
const DEPTH_MAX = 6;
/** A longer text is cut: a line of the log is no place for a request's body. */
const TEXT_LENGTH_MAX = 16_384;
/** Whole words of a name, in snake_case, camelCase or kebab-case. `key_id` and `key_path` are no secrets. */
const SECRET_NAME =
  /^(?:.*[_-])?(?:api_?-?key|authorization|secret|password|passphrase|cookie|bearer|credentials?)$|^(?:cluster|private|tls)_?-?key$/i;
/** A shorter one would mask what is no secret. */
const SECRET_LENGTH_MIN = 6;

/** Fields as they may be written: errors as type, message and stack, secrets masked, cycles and depths cut. */
export function writable(fields: LogFields): Record<string, unknown> {
  return plainRecord(fields, 0);
}

function plainRecord(fields: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    shown[key] = value !== null && value !== undefined && SECRET_NAME.test(key) ? REDACTED : plainValue(value, depth);
  }
  return shown;
}

function plainValue(value: unknown, depth: number): unknown {
  if (value instanceof Error) return describeError(value, depth);
  if (typeof value === 'string') return cut(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return '…';
  if (Array.isArray(value)) return value.map((item) => plainValue(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  // What is no plain record knows itself how it is written.
  return prototype === Object.prototype || prototype === null ? plainRecord(value as Record<string, unknown>, depth + 1) : value;
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  const cause = error.cause instanceof Error && depth < DEPTH_MAX ? { cause: describeError(error.cause, depth + 1) } : {};
  return { type: error.name, message: cut(error.message), stack: cut(error.stack ?? ''), ...cause };
}

function cut(text: string): string {
  return text.length <= TEXT_LENGTH_MAX ? text : `${text.slice(0, TEXT_LENGTH_MAX)}…`;
}

/** @returns masks every one of `secrets` in a text */
export function secretMask(secrets: readonly string[]): (text: string) => string {
  // In JSON a text stands with its escapes.
  const written = secrets
    .filter(({ length }) => length >= SECRET_LENGTH_MIN)
    .map((secret) => JSON.stringify(secret).slice(1, -1));
  if (written.length === 0) return (text) => text;
  return (text) => {
    let masked = text;
    for (const secret of written) if (masked.includes(secret)) masked = masked.replaceAll(secret, REDACTED);
    return masked;
  };
}

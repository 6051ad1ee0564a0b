/** From what people write to values, and back: integers, shares, sizes, durations, words, addresses.
 *
 *  Invariant: parse(format(value)) is value. A text that could mean two things is refused. Must not know: where it was written. */

import { NODE_URL_EXAMPLE, readNodeUrl } from '../model/node-url.js';
import type { Field } from './field.js';

export type FieldValue = string | number | boolean;

/** A text or JSON value that a field cannot take; the message completes a sentence that starts with the setting's name. */
export class ValueProblem extends Error {
  override readonly name = 'ValueProblem';
}

const BYTE_UNITS = new Map<string, number>([
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['tb', 1e12],
  ['kib', 2 ** 10],
  ['mib', 2 ** 20],
  ['gib', 2 ** 30],
  ['tib', 2 ** 40],
]);
const DURATION_UNITS = new Map<string, number>([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);
const SHOWN_BYTE_UNITS: readonly (readonly [string, number])[] = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
];
const SHOWN_DURATION_UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

/** @param given a text from a flag or the environment, or a JSON value from the file
 *  @throws ValueProblem */
export function parseValue(field: Field, given: unknown): FieldValue {
  switch (field.kind) {
    case 'integer':
      return parseInteger(field, given);
    case 'share':
      return parseShare(given);
    case 'bytes':
      return parseBytes(field, given);
    case 'duration':
      return parseDuration(field, given);
    case 'boolean':
      return parseBoolean(given);
    case 'choice':
      return parseChoice(field.choices, given);
    case 'url':
      return parseUrl(given, field.secret === true);
    case 'node': {
      const url = typeof given === 'string' ? readNodeUrl(given) : null;
      if (url === null) throw new ValueProblem(`must be the address of a node such as ${NODE_URL_EXAMPLE}, not ${shown(given)}`);
      return url;
    }
    case 'path':
    case 'text': {
      if (typeof given !== 'string' || given === '') throw new ValueProblem('must be a text that is not empty');
      if (given.includes('\0')) throw new ValueProblem('must not hold a NUL character');
      return given;
    }
  }
}

/** The shortest exact form that `parseValue` reads back. */
export function formatValue(field: Field, value: FieldValue): string {
  if (typeof value === 'number' && field.kind === 'bytes') return formatBytes(value);
  if (typeof value === 'number' && field.kind === 'duration') return formatDuration(value);
  return String(value);
}

function parseInteger(field: Extract<Field, { kind: 'integer' }>, given: unknown): number | string {
  const words = field.words ?? [];
  if (typeof given === 'string' && words.includes(given)) return given;
  const wanted = [`a whole number from ${field.min} to ${field.max}`, ...words].join(' or ');
  const value = typeof given === 'string' && /^-?\d{1,16}$/.test(given.trim()) ? Number(given) : given;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < field.min || value > field.max) {
    throw new ValueProblem(`must be ${wanted}, not ${shown(given)}`);
  }
  return value === 0 ? 0 : value;
}

function parseBytes(field: Extract<Field, { kind: 'bytes' }>, given: unknown): number | string {
  const words = field.words ?? [];
  if (typeof given === 'string' && words.includes(given)) return given;
  const wanted = ['a size such as 64MiB or 67108864', ...words].join(' or ');
  return atLeast(field.min, withUnit(given, BYTE_UNITS, wanted), formatBytes);
}

function parseDuration({ min, max }: Extract<Field, { kind: 'duration' }>, given: unknown): number {
  const value = atLeast(min, withUnit(given, DURATION_UNITS, 'a duration such as 30s, 250ms or 1500'), formatDuration);
  if (max !== undefined && value > max)
    throw new ValueProblem(`must be at most ${formatDuration(max)}, not ${formatDuration(value)}`);
  return value;
}

function parseShare(given: unknown): number {
  const value = typeof given === 'string' && /^(\d+\.?\d*|\.\d+)(e-\d{1,2})?$/i.test(given.trim()) ? Number(given) : given;
  if (typeof value !== 'number' || !(value >= 0 && value <= 1))
    throw new ValueProblem(`must be a number from 0 to 1, not ${shown(given)}`);
  return value === 0 ? 0 : value;
}

function withUnit(given: unknown, units: ReadonlyMap<string, number>, wanted: string): number {
  let value: number;
  if (typeof given === 'number') {
    value = given;
  } else {
    const match = typeof given === 'string' ? /^\s*(\d{1,16})(?:\.(\d{1,6}))?\s*([A-Za-z]*)\s*$/.exec(given) : null;
    const [, whole = '', fraction = '', unit = ''] = match ?? [];
    const factor = unit === '' ? 1 : units.get(unit.toLowerCase());
    if (match === null || factor === undefined) throw new ValueProblem(`must be ${wanted}, not ${shown(given)}`);
    // In integers, so that 1.5GiB and 0.3kB are exact and 0.3KiB is seen not to be whole.
    const scale = 10 ** fraction.length;
    const scaled = (BigInt(whole) * BigInt(scale) + BigInt(fraction === '' ? 0 : fraction)) * BigInt(factor);
    value = scaled % BigInt(scale) === 0n ? Number(scaled / BigInt(scale)) : Number.NaN;
  }
  if (!Number.isSafeInteger(value) || value < 0) throw new ValueProblem(`must be ${wanted}, and whole, not ${shown(given)}`);
  return value;
}

function atLeast(min: number, value: number, format: (value: number) => string): number {
  if (value < min) throw new ValueProblem(`must be at least ${format(min)}, not ${format(value)}`);
  return value;
}

function parseBoolean(given: unknown): boolean {
  if (typeof given === 'boolean') return given;
  const text = typeof given === 'string' ? given.trim().toLowerCase() : '';
  if (['true', '1', 'yes', 'on'].includes(text)) return true;
  if (['false', '0', 'no', 'off'].includes(text)) return false;
  throw new ValueProblem(`must be true or false, not ${shown(given)}`);
}

function parseChoice(choices: readonly string[], given: unknown): string {
  if (typeof given === 'string' && choices.includes(given)) return given;
  throw new ValueProblem(`must be one of ${choices.join(', ')}, not ${shown(given)}`);
}

function parseUrl(given: unknown, secret: boolean): string {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ValueProblem(`must be an address such as http://127.0.0.1:7171${secret ? '' : `, not ${shown(given)}`}`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new ValueProblem('must be a plain address, with no user, query or fragment in it');
  }
  return url.href.endsWith('/') ? url.href.slice(0, -1) : url.href;
}

export function formatBytes(value: number): string {
  return formatUnit(value, SHOWN_BYTE_UNITS, 'B');
}

export function formatDuration(value: number): string {
  return formatUnit(value, SHOWN_DURATION_UNITS, 'ms');
}

function formatUnit(value: number, units: readonly (readonly [string, number])[], smallest: string): string {
  const unit = value === 0 ? undefined : units.find(([, factor]) => value % factor === 0);
  return unit === undefined ? `${value}${smallest}` : `${value / unit[1]}${unit[0]}`;
}

function shown(given: unknown): string {
  const text = JSON.stringify(given) ?? typeof given;
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

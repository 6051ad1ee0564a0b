/** Secrets that tests made known, and a look for them in what servers wrote.
 *
 *  Known are: lines of files that hold keys, as flags and variables name them; keys in the answers and the heads of requests that go through the
 *  helpers. Every server that a helper starts is looked at when it has ended, its output and its log files, with all secrets that
 *  the file's tests made known until then. Must not know: what is tested. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { environmentNameOf, flagOf } from '../../src/config/field.js';
import { SERVER_SECTIONS } from '../../src/config/server-fields.js';

/** Shorter ones are words that logs may have for other reasons. */
const LENGTH_MIN = 16;
const ACCESS_KEY = /skn_[0-9a-f]{16}_([A-Za-z0-9_-]{43})/g;
const LOG_FLAGS = ['--log-file', '--audit-log-file'];
const known = new Set<string>();

const fields = SERVER_SECTIONS.flatMap((section) => Object.entries(section.fields));
/** Settings that are a secret, or a file with some. */
export const SECRET_SETTINGS = fields.filter(([, field]) => field.secret === true).map(([key]) => key);
export const SECRET_FILE_SETTINGS = fields
  .filter(([key, field]) => field.kind === 'path' && /(?:Key|Secret|Jwks|Credentials|Headers|WebhookUrl)File$/.test(key))
  .map(([key]) => key);

export function tellSecret(text: string): void {
  if (text.length >= LENGTH_MIN) known.add(text);
}

/** Access keys that stand somewhere in an answer. */
export function tellSecretsIn(text: string): void {
  for (const [, secret = ''] of text.matchAll(ACCESS_KEY)) tellSecret(secret);
}

/** What a request shows of itself. */
export function tellSecretsOfHead(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (lower === 'api-key') tellSecret(value);
    if (lower === 'authorization') tellSecret(value.replace(/^\S+ +/, ''));
  }
}

/** What a server is started with. */
export function tellSecretsOfStart(flags: readonly string[], environment: Readonly<Record<string, string>>): void {
  for (const key of SECRET_SETTINGS) for (const value of given(key, flags, environment)) tellSecret(value);
  for (const key of SECRET_FILE_SETTINGS) for (const path of given(key, flags, environment)) tellSecretsOfFile(path);
  tellSecret(environment['AWS_SECRET_ACCESS_KEY'] ?? '');
}

/** @param where it was written @throws Error, without the secret */
export function mustHaveNoSecret(text: string, where: string): void {
  for (const secret of known) {
    const at = text.indexOf(secret);
    if (at < 0) continue;
    const before = text.slice(Math.max(0, text.lastIndexOf('\n', at) + 1, at - 200), at);
    throw new Error(`a secret of ${secret.length} characters stands in ${where}, behind: ${before}`);
  }
}

/** Log files that the flags name, full ones beside them too. @returns path and content of each that is there */
export function logFilesOf(flags: readonly string[]): { readonly path: string; readonly text: string }[] {
  return LOG_FLAGS.flatMap((flag) => valuesOf(flag, flags)).flatMap((path) => {
    const name = basename(path);
    return entriesOf(dirname(path))
      .filter((entry) => entry.startsWith(name))
      .map((entry) => join(dirname(path), entry))
      .map((file) => ({ path: file, text: readFileSync(file, 'utf8') }));
  });
}

function given(key: string, flags: readonly string[], environment: Readonly<Record<string, string>>): string[] {
  const value = environment[environmentNameOf(key)];
  return [...valuesOf(flagOf(key), flags), ...(value === undefined ? [] : [value])];
}

function valuesOf(flag: string, flags: readonly string[]): string[] {
  return flags.flatMap((each, i) => {
    if (each.startsWith(`${flag}=`)) return [each.slice(flag.length + 1)];
    const next = flags[i + 1];
    return each === flag && next !== undefined ? [next] : [];
  });
}

/** Each line, and what stands behind the name of a header. */
function tellSecretsOfFile(path: string): void {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // A server that is to refuse a file that is not there.
    return;
  }
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('-----')) continue;
    tellSecret(line.trim());
    tellSecret(line.replace(/^[\w-]+:\s*/, '').trim());
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** From sources to values: flags over environment over file over defaults.
 *
 *  Pure: it reads no file and no process. Every mistake of every source is collected, so that one run shows them all.
 *  Must not know: which settings exist, what their values mean together. */

import { isAbsolute, resolve } from 'node:path';
import { environmentNameOf, type Field, type FieldTable, fileKeyOf, flagOf, type ValuesOf } from './field.js';
import { type FieldValue, parseValue, ValueProblem } from './parse-value.js';
import { didYouMean } from './suggest.js';

export type Source = 'flag' | 'environment' | 'file' | 'default';

export interface Sources {
  /** By key; what the command line parser found. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** By variable name. */
  readonly environment: ReadonlyMap<string, string>;
  /** The content of the file, or null. */
  readonly file: { readonly path: string; readonly content: Readonly<Record<string, unknown>> } | null;
  readonly workingDir: string;
}

export interface Resolution<Table extends FieldTable> {
  readonly values: ValuesOf<Table>;
  readonly sources: Readonly<Record<keyof Table, Source>>;
  readonly problems: readonly string[];
}

/** Settings that cannot be used; `problems` has one sentence for each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export function resolveFields<const Table extends FieldTable>(table: Table, sources: Sources): Resolution<Table> {
  const problems: string[] = sources.file === null ? [] : unknownKeys(table, sources.file.content, sources.file.path);
  const values: Record<string, FieldValue | null> = {};
  const origins: Record<string, Source> = {};
  for (const [key, field] of Object.entries(table)) {
    const given = lookUp(key, sources);
    origins[key] = given?.source ?? 'default';
    try {
      const value = given === null ? field.default : parseValue(field, given.value);
      values[key] = value === null ? null : inPlace(field, value, given?.baseDir ?? sources.workingDir);
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error;
      problems.push(`${given?.shownName ?? key} ${error.message}`);
    }
  }
  return { values: values as ValuesOf<Table>, sources: origins as Record<keyof Table, Source>, problems };
}

interface Given {
  readonly source: Source;
  readonly value: unknown;
  readonly shownName: string;
  readonly baseDir: string;
}

function lookUp(key: string, { flags, environment, file, workingDir }: Sources): Given | null {
  const flag = flags[key];
  if (flag !== undefined) return { source: 'flag', value: flag, shownName: flagOf(key), baseDir: workingDir };
  const variable = environment.get(environmentNameOf(key));
  if (variable !== undefined)
    return { source: 'environment', value: variable, shownName: environmentNameOf(key), baseDir: workingDir };
  const fileKey = fileKeyOf(key);
  if (file === null || !Object.hasOwn(file.content, fileKey)) return null;
  return {
    source: 'file',
    value: file.content[fileKey],
    shownName: `${fileKey} in ${file.path}`,
    baseDir: resolve(workingDir, file.path, '..'),
  };
}

function unknownKeys(table: FieldTable, content: Readonly<Record<string, unknown>>, path: string): string[] {
  const known = new Set(Object.keys(table).map(fileKeyOf));
  return Object.keys(content)
    .filter((fileKey) => !known.has(fileKey))
    .map((fileKey) => `unknown key ${JSON.stringify(fileKey)} in ${path}${didYouMean(fileKey, known)}`);
}

function inPlace(field: Field, value: FieldValue, baseDir: string): FieldValue {
  if (field.kind !== 'path' || typeof value !== 'string' || isAbsolute(value)) return value;
  return resolve(baseDir, value);
}

/** What a setting is: its kind, unit, default and doc line, and the four names it goes by.
 *
 *    key in code   dataDir          flag         --data-dir
 *    file key      data_dir         environment  SKEIN_DATA_DIR
 *
 *  Invariant: the four names are derived from the key, so they cannot drift apart.
 *  Must not know: which settings exist, where values come from. */

interface FieldBase {
  /** One sentence for people; the page docs/CONFIGURATION.md and `--help` show it. */
  readonly doc: string;
  /** Shown as `********` wherever the configuration is printed. */
  readonly secret?: true;
}

interface IntegerField extends FieldBase {
  readonly kind: 'integer';
  /** What is counted, in the plural: `points`, `threads`; empty where that would say nothing. */
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  /** Words that stand for a value the program chooses. */
  readonly words?: readonly string[];
  readonly default: number | string | null;
}

/** A part of a whole: a number from 0 to 1. */
interface ShareField extends FieldBase {
  readonly kind: 'share';
  readonly default: number;
}

/** A size in bytes: a whole number, or a number with B, kB, MB, GB, TB, KiB, MiB, GiB, TiB. */
interface BytesField extends FieldBase {
  readonly kind: 'bytes';
  readonly min: number;
  /** Words that stand for a value the program chooses, or for none. */
  readonly words?: readonly string[];
  readonly default: number | string | null;
}

/** A duration in milliseconds: a whole number, or a number with ms, s, m, h, d. */
interface DurationField extends FieldBase {
  readonly kind: 'duration';
  readonly min: number;
  /** Left out: as long as one likes. */
  readonly max?: number;
  readonly default: number | null;
}

/** A file or folder. From the file, relative to the file's folder; otherwise relative to the working folder. */
interface PathField extends FieldBase {
  readonly kind: 'path';
  readonly default: string | null;
}

interface TextField extends FieldBase {
  readonly kind: 'text';
  readonly default: string | null;
}

/** An http or https address. */
interface UrlField extends FieldBase {
  readonly kind: 'url';
  readonly default: string | null;
}

/** The address of a node: http, https, ws or wss; kept as http(s)://host:port. */
interface NodeField extends FieldBase {
  readonly kind: 'node';
  readonly default: string | null;
}

interface BooleanField extends FieldBase {
  readonly kind: 'boolean';
  readonly default: boolean;
}

interface ChoiceField extends FieldBase {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default: string | null;
}

export type Field =
  | IntegerField
  | ShareField
  | BytesField
  | DurationField
  | PathField
  | TextField
  | UrlField
  | NodeField
  | BooleanField
  | ChoiceField;
export type NumberField = IntegerField | BytesField | DurationField;
export type FieldTable = Readonly<Record<string, Field>>;

type WordsOf<F> = F extends { readonly words: readonly (infer Word)[] } ? Word : never;
type GivenValue<F extends Field> = F extends { readonly kind: 'integer' | 'bytes' }
  ? number | WordsOf<F>
  : F extends { readonly kind: 'duration' | 'share' }
    ? number
    : F extends { readonly kind: 'boolean' }
      ? boolean
      : F extends { readonly kind: 'choice'; readonly choices: readonly (infer Choice)[] }
        ? Choice
        : string;

/** The values of a table: null only where the default is null. */
export type ValuesOf<Table extends FieldTable> = {
  readonly [Key in keyof Table]: GivenValue<Table[Key]> | (Table[Key]['default'] extends null ? null : never);
};

/** `dataDir` → `data_dir`. */
export function fileKeyOf(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `dataDir` → `--data-dir`. */
export function flagOf(key: string): string {
  return `--${fileKeyOf(key).replaceAll('_', '-')}`;
}

/** `dataDir` → `SKEIN_DATA_DIR`. */
export function environmentNameOf(key: string): string {
  return `SKEIN_${fileKeyOf(key).toUpperCase()}`;
}

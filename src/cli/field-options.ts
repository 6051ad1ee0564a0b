/** Settings as options of the command line parser, and back: which flags were really given.
 *  The parser only splits words; values are read by config, so that a flag, a variable and a file key mean the same. */

import { type Command, Option } from 'commander';
import { environmentNameOf, type Field, type FieldTable, flagOf } from '../config/field.js';
import { formatValue } from '../config/parse-value.js';

export function addFields(command: Command, fields: FieldTable, heading?: string): void {
  for (const [key, field] of Object.entries(fields)) {
    const flag = flagOf(key);
    if (field.kind !== 'boolean') {
      command.addOption(optionOf(`${flag} <${placeholderOf(field)}>`, helpOf(key, field), heading));
      continue;
    }
    // Both forms are there, so that a flag can switch off what the environment or a file switched on; help shows the useful one.
    const off = flag.replace('--', '--no-');
    command.addOption(optionOf(flag, helpOf(key, field), heading).hideHelp(field.default));
    command.addOption(
      optionOf(off, `Switches off: ${helpOf(key, field)}`, heading)
        .hideHelp(!field.default)
        .default(undefined),
    );
  }
}

/** Switches that were written with a value, as in the environment: `--voter=false` is `--no-voter`. Other words stay as they are. */
export function plainSwitches(argv: readonly string[], tables: readonly FieldTable[]): string[] {
  const entries = tables.flatMap((fields) => Object.entries(fields));
  const flags = new Set(entries.filter(([, field]) => field.kind === 'boolean').map(([key]) => flagOf(key)));
  return argv.map((word) => {
    const [, flag = '', value] = /^(--[a-z-]+)=(true|false)$/.exec(word) ?? [];
    if (!flags.has(flag)) return word;
    return value === 'true' ? flag : flag.replace('--', '--no-');
  });
}

/** The flags of the command line, by key; those that were not given are absent. */
export function flagsOf(command: Command): Readonly<Record<string, unknown>> {
  const given = Object.entries(command.opts<Record<string, unknown>>());
  return Object.fromEntries(given.filter(([key]) => command.getOptionValueSource(key) === 'cli'));
}

function optionOf(flags: string, help: string, heading: string | undefined): Option {
  const option = new Option(flags, help);
  return heading === undefined ? option : option.helpGroup(`${heading}:`);
}

function helpOf(key: string, field: Field): string {
  const choices = field.kind === 'choice' ? `${field.choices.join(', ')}; ` : '';
  const fallback = field.default === null || field.kind === 'boolean' ? '' : `; default ${formatValue(field, field.default)}`;
  return `${field.doc} (${choices}${environmentNameOf(key)}${fallback})`;
}

function placeholderOf(field: Field): string {
  switch (field.kind) {
    case 'bytes':
      return 'size';
    case 'integer':
    case 'share':
      return 'n';
    case 'path':
      return 'path';
    case 'choice':
      return 'word';
    default:
      return field.kind;
  }
}

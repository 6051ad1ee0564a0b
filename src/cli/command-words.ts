/** What the words of a command are made with: where it runs, how its settings are read, and whom to tell how it ended. */

import type { Command } from 'commander';
import type { FieldTable, ValuesOf } from '../config/field.js';
import type { ExitCode, Surroundings } from './surroundings.js';

export interface CommandWords {
  readonly surroundings: Surroundings;
  /** @throws ConfigError */
  valuesOf<const Table extends FieldTable>(table: Table, command: Command): ValuesOf<Table>;
  ended(code: ExitCode): void;
}

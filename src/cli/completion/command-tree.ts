/** The words of the command line as plain data, from the parser's own tree: commands, their arguments and flags, with what is shown for each.
 *  Completion and docs/CLI.md are made from it, so neither can tell of a flag that is not there. Pure. */

import type { Command } from 'commander';

export interface FlagWords {
  /** `--limit` */
  readonly flag: string;
  /** What stands behind it; null: nothing, it is a switch. */
  readonly takes: 'path' | 'word' | null;
  readonly choices: readonly string[];
  readonly description: string;
  readonly hidden: boolean;
}

export interface CommandNode {
  /** Without `skein`: `keys create`; empty for the program itself. */
  readonly path: string;
  readonly description: string;
  readonly arguments: readonly ArgumentWords[];
  readonly flags: readonly FlagWords[];
  readonly commands: readonly CommandNode[];
}

export interface ArgumentWords {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly variadic: boolean;
  readonly choices: readonly string[];
}

/** @param choicesOf of a flag, which the parser does not know */
export function commandTree(program: Command, choicesOf: (flag: string, path: string) => readonly string[]): CommandNode {
  return nodeOf(program, '', choicesOf);
}

/** Every command, parents before children. */
export function allCommands(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.commands.flatMap(allCommands)];
}

function nodeOf(command: Command, path: string, choicesOf: (flag: string, path: string) => readonly string[]): CommandNode {
  return {
    path,
    description: command.description(),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      required: argument.required,
      variadic: argument.variadic,
      choices: argument.argChoices ?? [],
    })),
    flags: command.options.flatMap(({ long, flags, description, hidden }): FlagWords[] => {
      if (typeof long !== 'string') return [];
      const takes = /<path>$/.test(flags) ? 'path' : flags.includes('<') ? 'word' : null;
      return [{ flag: long, takes, choices: choicesOf(long, path), description, hidden }];
    }),
    commands: command.commands.map((child) => nodeOf(child, `${path} ${child.name()}`.trim(), choicesOf)),
  };
}

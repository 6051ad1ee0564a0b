/** Completion for fish: one line for each command and flag. Pure. */

import { allCommands, type CommandNode } from './command-tree.js';
import { firstSentence, plainWords, quoted } from './shell-words.js';

export function fishScript(root: CommandNode): string {
  return `# Completion of skein for fish. Load it with: skein completion fish | source
complete -c skein -f
${allCommands(root).flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, commands, flags, arguments: given }: CommandNode): string[] {
  const here = conditionOf(
    path,
    commands.map((child) => child.path.split(' ').at(-1) ?? ''),
  );
  const children = commands.map(
    (child) => `complete -c skein -n ${here} -a ${child.path.split(' ').at(-1)} -d ${quoted(firstSentence(child.description))}`,
  );
  const files = given.some(({ name }) => /file|dir/.test(name)) ? [`complete -c skein -n ${here} -F`] : [];
  const words = given.flatMap(({ choices }) => choices);
  const choices = words.length === 0 ? [] : [`complete -c skein -n ${here} -a '${plainWords(words)}'`];
  const options = flags
    .filter(({ hidden }) => !hidden)
    .map(({ flag, takes, choices: values, description }) => {
      const value =
        takes === null ? '' : values.length > 0 ? ` -x -a '${plainWords(values)}'` : takes === 'path' ? ' -r -F' : ' -x';
      return `complete -c skein -n ${here} -l ${flag.slice(2)}${value} -d ${quoted(firstSentence(description))}`;
    });
  return [...children, ...files, ...choices, ...options];
}

/** All words of the command were written, and none of those in it. */
function conditionOf(path: string, children: readonly string[]): string {
  const words = path === '' ? [] : path.split(' ');
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
  const notYet =
    children.length === 0
      ? []
      : [path === '' ? '__fish_use_subcommand' : `not __fish_seen_subcommand_from ${plainWords(children)}`];
  return quoted([...seen, ...notYet].join('; and '));
}

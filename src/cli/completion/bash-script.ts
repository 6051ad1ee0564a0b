/** Completion for bash: one function that finds the command which is being written, and a table for each. Pure.
 *  Works with bash 3.2 and newer, without the package bash-completion. */

import { allCommands, type CommandNode, type FlagWords } from './command-tree.js';
import { flagsShown, plainWords } from './shell-words.js';

export function bashScript(root: CommandNode): string {
  const commands = allCommands(root);
  return `# Completion of skein for bash. Load it with: source <(skein completion bash)
_skein() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path="" word i
  # bash takes "--flag=value" for three words.
  if [[ "$current" == "=" ]]; then current=""; fi
  if [[ "$before" == "=" ]]; then before="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$path/$word" in
${commands.flatMap(stepsInto).join('\n')}
    esac
  done
  COMPREPLY=()
  case "$path|$before" in
${commands.flatMap(({ path, flags }) => flags.flatMap((flag) => valueCase(path, flag))).join('\n')}
  esac
  if [[ "$current" == -* ]]; then
    case "$path" in
${commands.map(({ path, flags }) => `      "${path}") COMPREPLY=($(compgen -W "${flagsShown(flags)}" -- "$current"));;`).join('\n')}
    esac
    return
  fi
  case "$path" in
${commands.map(wordsCase).join('\n')}
  esac
}
# Names of files, with slashes behind folders; bash 3.2 has no compopt, and gets them without.
_skein_files() {
  compopt -o filenames 2> /dev/null
  COMPREPLY+=($(compgen -f -- "$1"))
}
complete -F _skein skein
`;
}

/** From a command to those in it. */
function stepsInto({ path, commands }: CommandNode): string[] {
  return commands.map((child) => `      "${path}/${child.path.split(' ').at(-1)}") path="${child.path}";;`);
}

function valueCase(path: string, { flag, takes, choices }: FlagWords): string[] {
  if (takes === null) return [];
  const reply =
    choices.length > 0
      ? `COMPREPLY=($(compgen -W "${plainWords(choices)}" -- "$current"))`
      : takes === 'path'
        ? '_skein_files "$current"'
        : '';
  return [`    "${path}|${flag}") ${reply === '' ? '' : `${reply}; `}return;;`];
}

function wordsCase({ path, commands, arguments: given }: CommandNode): string {
  const words =
    commands.length > 0 ? commands.map((child) => child.path.split(' ').at(-1) ?? '') : given.flatMap(({ choices }) => choices);
  const files = given.some(({ name }) => /file|dir/.test(name)) ? '_skein_files "$current"' : ':';
  return `    "${path}") COMPREPLY=($(compgen -W "${plainWords(words)}" -- "$current")); ${files};;`;
}

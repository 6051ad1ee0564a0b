/** Completion for zsh: a function for each command, over _arguments. Pure. */

import type { ArgumentWords, CommandNode, FlagWords } from './command-tree.js';
import { allCommands } from './command-tree.js';
import { firstSentence, plainWords, quoted } from './shell-words.js';

export function zshScript(root: CommandNode): string {
  return `#compdef skein
# Completion of skein for zsh. Load it with: source <(skein completion zsh)
${allCommands(root).map(functionOf).join('\n')}
compdef _skein skein
`;
}

function functionOf(node: CommandNode): string {
  const flags = node.flags.filter(({ hidden }) => !hidden).map(flagSpec);
  if (node.commands.length === 0)
    return `${nameOf(node)}() {\n  _arguments -s ${[...flags, ...node.arguments.map(argumentSpec)].map((spec) => `\\\n    ${spec}`).join(' ')}\n}`;
  const words = node.commands.map(({ path, description }) => quoted(`${path.split(' ').at(-1)}:${plain(description)}`));
  const steps = node.commands.map((child) => `        ${child.path.split(' ').at(-1)}) ${nameOf(child)} ;;`);
  return `${nameOf(node)}() {
  local state line
  _arguments -C ${[...flags, "'1:command:->command'", "'*::argument:->argument'"].map((spec) => `\\\n    ${spec}`).join(' ')}
  case $state in
    command)
      local -a commands=(${words.map((word) => `\n        ${word}`).join('')}
      )
      _describe command commands
      ;;
    argument)
      case $line[1] in
${steps.join('\n')}
      esac
      ;;
  esac
}`;
}

function nameOf({ path }: CommandNode): string {
  return path === '' ? '_skein' : `_skein_${path.replaceAll(/[ -]/g, '_')}`;
}

function flagSpec({ flag, takes, choices, description }: FlagWords): string {
  const said = `${flag}${takes === null ? '' : '='}[${plain(description)}]`;
  if (takes === null) return quoted(said);
  return quoted(`${said}:value:${choices.length > 0 ? `(${plainWords(choices)})` : takes === 'path' ? '_files' : ''}`);
}

function argumentSpec({ name, choices, variadic }: ArgumentWords): string {
  const what = choices.length > 0 ? `(${plainWords(choices)})` : /file|dir/.test(name) ? '_files' : '';
  return quoted(`${variadic ? '*' : ''}:${name.replaceAll('_', ' ')}:${what}`);
}

/** With a backslash before what _arguments and _describe would read as their own. */
function plain(text: string): string {
  return firstSentence(text).replaceAll(/[[\]:\\]/g, '\\$&');
}

/** `skein completion bash|zsh|fish`: what a shell needs to complete the words of skein, made from the parser's own tree. */

import { UsageError } from '../failure.js';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { bashScript } from './bash-script.js';
import type { CommandNode } from './command-tree.js';
import { fishScript } from './fish-script.js';
import { zshScript } from './zsh-script.js';

const SCRIPTS: Readonly<Record<string, (root: CommandNode) => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** @throws UsageError */
export function completion(shell: string, root: CommandNode, { output }: Surroundings): ExitCode {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) throw new UsageError(`there is no completion for ${shell}: ${Object.keys(SCRIPTS).join(', ')}`);
  output.write(script(root));
  return EXIT.done;
}

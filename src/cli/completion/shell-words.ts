/** Words and sentences as they stand in shell scripts. Pure.
 *  Invariant: nothing in them is more than a word to a shell. */

import type { FlagWords } from './command-tree.js';

/** @throws Error for a word that a shell would read as more: none of ours is one */
export function plainWords(words: readonly string[]): string {
  const strange = words.find((word) => !/^[\w.-]+$/.test(word));
  if (strange !== undefined) throw new Error(`${JSON.stringify(strange)} is no plain word`);
  return words.join(' ');
}

/** Those that help shows. */
export function flagsShown(flags: readonly FlagWords[]): string {
  return plainWords([...flags.filter(({ hidden }) => !hidden).map(({ flag }) => flag), '--help']);
}

/** Within single quotes; for zsh's specifications and fish's descriptions. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", '’').replaceAll(/\s+/g, ' ')}'`;
}

/** The first sentence: a list has no room for more. */
export function firstSentence(text: string): string {
  return (/^.*?[.;](?= |$)/.exec(text)?.[0] ?? text).replace(/[.;]$/, '');
}

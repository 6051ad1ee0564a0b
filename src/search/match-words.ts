/** Words of a text against the words that are wanted: all of them, any, or all in a row.
 *  Must not know: payloads, where the words come from. */

const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/** Words are runs of letters, marks and digits, in lower case. */
export function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

/** @param wanted one word at least, in the order of the query  @returns the test of the words of one text */
export function readsAs(wanted: readonly string[], how: 'all' | 'any' | 'phrase'): (words: readonly string[]) => boolean {
  if (how === 'phrase') return (words) => hasRow(words, wanted);
  const each = new Set(wanted);
  if (how === 'any') return (words) => words.some((word) => each.has(word));
  return (words) => {
    const said = new Set(words);
    return [...each].every((word) => said.has(word));
  };
}

/** Cost: words × wanted at worst. */
function hasRow(words: readonly string[], wanted: readonly string[]): boolean {
  for (let start = 0; start + wanted.length <= words.length; start++) {
    if (wanted.every((word, at) => words[start + at] === word)) return true;
  }
  return false;
}

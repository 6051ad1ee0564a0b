/** Names under which a server is called beside its own: a list in one setting. */

/** @param text names separated by commas, in any case @returns them in lower case */
export function hostNames(text: string | null): string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

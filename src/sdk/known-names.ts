/** Names that a program gives to a client and nobody looks at: refused, because a misspelt `timeoutMs` or `apiKey` would be passed over in silence.
 *  Fields of requests are not looked at here: they go along, and the server refuses them. Must not know: what the names mean. */

/** @param what the sentence begins with  @throws TypeError */
export function mustKnow(given: object, known: Readonly<Record<string, true>>, what: string): void {
  for (const name in given)
    if (!Object.hasOwn(known, name) && (given as Record<string, unknown>)[name] !== undefined)
      throw new TypeError(`${what} has no ${JSON.stringify(name)}; there are ${Object.keys(known).join(', ')}`);
}

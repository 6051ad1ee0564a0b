/** Bodies out of what a program gave, a part of it under other names. Pure. */

/** What is undefined stays behind, so that it does not travel as nil; it hides nothing that `others` has.
 *  @param others goes along under its own names, also what nobody knows: the server refuses that
 *  @param renamed under the names of the wire */
export function present<Shape extends object>(
  others: object,
  renamed: { readonly [Key in keyof Shape]?: Shape[Key] | undefined },
): Shape {
  const out: Record<string, unknown> = {};
  for (const given of [others, renamed])
    for (const [name, value] of Object.entries(given)) if (value !== undefined) out[name] = value as unknown;
  return out as Shape;
}

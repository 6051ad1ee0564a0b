/** Where bytes stop being UTF-8: for the message of a refusal, never on the way of good bodies. */

/** The offset of the first byte that breaks UTF-8. Decoding puts U+FFFD there, so encoding again differs from there on. */
export function firstBadByte(bytes: Buffer): number {
  const again = Buffer.from(bytes.toString('utf8'));
  let at = 0;
  while (at < bytes.length && bytes[at] === again[at]) at++;
  return at;
}

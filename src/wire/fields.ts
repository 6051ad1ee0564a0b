/** Objects with known fields and lists with a bound, pulled from a body; what does not belong there is refused by its place. */

import { invalidRequest } from '../model/errors.js';
import type { BodyReader } from './body-reader.js';
import { join, overLimit, unknownField } from './place.js';

/** Reads an object whose fields are all known, in any order. @throws InvalidRequest naming an unknown or a missing one */
export function readFields(
  reader: BodyReader,
  path: string,
  fields: Readonly<Record<string, () => void>>,
  required: readonly string[] = [],
): void {
  const missing = new Set(required);
  if (reader.kind() !== 'object') throw invalidRequest(path, 'must be an object');
  reader.enterObject();
  for (let key = reader.key(); key !== null; key = reader.key()) {
    const read = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (read === undefined) throw unknownField(join(path, key));
    read();
    missing.delete(key);
  }
  for (const key of missing) throw invalidRequest(join(path, key), 'missing');
}

/** Reads an array of at most `countMax` rows. @param limit what the refusal names, when countMax is what is left of it
 *  @throws InvalidRequest naming the limit */
export function readList(
  reader: BodyReader,
  list: string,
  countMax: number,
  row: (place: { list: string; index: number }) => void,
  limit = countMax,
): void {
  if (reader.kind() !== 'array') throw invalidRequest(list, 'must be an array');
  reader.enterArray();
  const place = { list, index: 0 };
  for (; reader.more(); place.index++) {
    if (place.index >= countMax) throw overLimit(list, limit === countMax ? 'entries' : 'entries in one request', limit);
    row(place);
  }
}

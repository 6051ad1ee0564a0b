/** Gives the refusal of an integer its place, by walking the body once more as far as that integer: who reads a body as a whole
 *  (`value`) learns the byte from the reader, not the path, and keeping paths while reading would cost every good body.
 *  Must not know: what bodies mean. */

import type { BodyReader } from './body-reader.js';
import { placed } from './place.js';

/** @param unplaced a refusal without a path, as integerBeyond makes it  @param reader a fresh one over the same body
 *  @returns the refusal with its path; as it was when the walk does not come to it. Cost: one reading of the body up to there */
export function locate(unplaced: Error, reader: BodyReader): unknown {
  let path: string | null = null;
  try {
    path = walk(reader, unplaced.message);
  } catch {
    // Something else is wrong in front of it; what was said stays true.
  }
  return path === null ? unplaced : placed(unplaced, path.replace(/^\./, ''));
}

/** The path behind this value of the integer that is refused with `message`, or null. */
function walk(reader: BodyReader, message: string): string | null {
  switch (reader.kind()) {
    case 'object':
      return walkObject(reader, message);
    case 'array':
      return walkArray(reader, message);
    case 'number':
      return refuses(reader, message) ? '' : null;
    default:
      reader.value();
      return null;
  }
}

function walkObject(reader: BodyReader, message: string): string | null {
  reader.enterObject();
  for (let key = reader.key(); key !== null; key = reader.key()) {
    const rest = walk(reader, message);
    if (rest !== null) return `.${key}${rest}`;
  }
  return null;
}

function walkArray(reader: BodyReader, message: string): string | null {
  reader.enterArray();
  for (let i = 0; reader.more(); i++) {
    const rest = walk(reader, message);
    if (rest !== null) return `[${i}]${rest}`;
  }
  return null;
}

function refuses(reader: BodyReader, message: string): boolean {
  try {
    reader.number();
    return false;
  } catch (error) {
    return error instanceof Error && error.message === message;
  }
}

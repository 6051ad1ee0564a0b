/** Making a text index, or opening one from the newest checkpoint that is whole and fits.
 *
 *  Invariant: no byte of a checkpoint is used before all of the file has been verified; what is not whole, or was made with other settings
 *  or another analysis, is refused, and whoever asked builds the index from the store.
 *  Must not know: threads, storage, which collections there are. */

import { join } from 'node:path';
import { type Clock, systemClock } from '../model/clock.js';
import type { TextSettings } from '../model/collection.js';
import { messageOf } from '../model/errors.js';
import { Bm25Index, type TextIndexContent, type TextIndexLimits } from './bm25-index.js';
import { readTextFile, verifyTextFile } from './checkpoint-file.js';
import { committedTexts } from './checkpoint-folder.js';
import { checkTextOwner, type ExpectedTextCheckpoint } from './checkpoint-head.js';
import { Corpus } from './corpus.js';
import type { OpenedTextCheckpoint, TextIndex } from './text-index.js';

export { textAnalyser } from './analyser.js';
export { knownLanguages } from './languages.js';
export { textsAt } from './text-fields.js';

/** All have defaults. */
export interface TextIndexOptions {
  readonly limits?: Partial<TextIndexLimits>;
  readonly clock?: Clock;
}

const DEFAULT_LIMITS: TextIndexLimits = { deadMin: 1_000 };

/** An empty index. @throws RangeError on a language that is not known, and on k1 below 0 or b outside 0 to 1 */
export function createTextIndex(settings: TextSettings, options: TextIndexOptions = {}): TextIndex {
  return indexOf(settings, options, { corpus: new Corpus(), nextLabel: 0, segmented: false });
}

/** Opens the newest checkpoint in the folder that is whole and fits. k1 and b may differ from those it was written with. Never rejects.
 *  @returns the index, or `refused`: 'none' when no checkpoint is there, else what is wrong with each
 *  Cost: reads the file twice (verifying, loading), in slices; about 2 µs a document of 60 words beside that. */
export async function openTextCheckpoint(
  folder: string,
  expected: ExpectedTextCheckpoint,
  options: TextIndexOptions = {},
): Promise<OpenedTextCheckpoint> {
  const refusals: string[] = [];
  try {
    for (const name of await committedTexts(folder)) {
      try {
        return await openOne(join(folder, name), expected, options);
      } catch (error) {
        refusals.push(`${name}: ${messageOf(error)}`);
      }
    }
  } catch (error) {
    refusals.push(messageOf(error));
  }
  return { refused: refusals.length === 0 ? 'none' : refusals.join('; ') };
}

async function openOne(path: string, expected: ExpectedTextCheckpoint, options: TextIndexOptions): Promise<OpenedTextCheckpoint> {
  const stored = await verifyTextFile(path);
  checkTextOwner(stored, expected);
  const { format, uid, labelGeneration, seq, nextLabel, segmenter } = stored;
  const { settings } = expected;
  const corpus = await readTextFile(path, stored);
  const index = indexOf(settings, options, { corpus, nextLabel, segmented: segmenter !== null });
  return { index, head: { format, uid, labelGeneration, seq, nextLabel, settings } };
}

function indexOf(settings: TextSettings, { limits, clock }: TextIndexOptions, content: TextIndexContent): TextIndex {
  const between = (name: string, value: number, most: number): void => {
    if (!(value >= 0 && value <= most)) throw new RangeError(`${name} is ${value}, not 0 to ${most}`);
  };
  between('k1', settings.k1, Number.MAX_VALUE);
  between('b', settings.b, 1);
  return new Bm25Index(settings, { ...DEFAULT_LIMITS, ...limits }, clock ?? systemClock, content);
}

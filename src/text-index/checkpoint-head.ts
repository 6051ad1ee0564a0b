/** The head of a text checkpoint: what the file belongs to, and what must be the same for its terms to mean anything.
 *
 *  JSON, the first thing in the file; the checksum at the file's end covers it. Must not know: files, documents. */

import type { TextSettings } from '../model/collection.js';
import { ANALYSIS_VERSION } from './analyser.js';
import type { TextCheckpointHead } from './text-index.js';
import { SEGMENTER } from './words.js';

/** What a checkpoint must belong to. */
export interface ExpectedTextCheckpoint {
  readonly uid: number;
  readonly labelGeneration: number;
  readonly settings: TextSettings;
}

export interface StoredTextHead extends TextCheckpointHead {
  /** ANALYSIS_VERSION of the process that wrote it. */
  readonly analysis: number;
  /** SEGMENTER of the process that wrote it when some term depends on that, else null. */
  readonly segmenter: string | null;
  readonly documents: number;
  readonly terms: number;
}

const FORMAT = 1;

export function storedHead(
  head: TextCheckpointHead,
  segmented: boolean,
  content: { readonly documents: number; readonly terms: number },
): StoredTextHead {
  return { ...head, analysis: ANALYSIS_VERSION, segmenter: segmented ? SEGMENTER : null, ...content };
}

export function encodeTextHead(head: StoredTextHead): string {
  const { fields, language, stopWords, k1, b } = head.settings;
  return JSON.stringify({
    format: head.format,
    kind: 'text',
    uid: head.uid,
    label_generation: head.labelGeneration,
    seq: head.seq,
    next_label: head.nextLabel,
    settings: { fields, language, stop_words: stopWords, k1, b },
    analysis: head.analysis,
    segmenter: head.segmenter,
    documents: head.documents,
    terms: head.terms,
  });
}

/** @param written what the checksum has been found to hold for  @throws Error on a head that this version does not write */
export function decodeTextHead(written: string): StoredTextHead {
  const head = JSON.parse(written) as Record<string, unknown>;
  if (head['format'] !== FORMAT || head['kind'] !== 'text')
    throw new Error(`checkpoint format ${String(head['format'])} is not known`);
  const { fields, language, stop_words: stopWords, k1, b } = head['settings'] as Record<string, unknown>;
  const decoded = {
    format: FORMAT,
    uid: head['uid'],
    labelGeneration: head['label_generation'],
    seq: head['seq'],
    nextLabel: head['next_label'],
    settings: { fields, language, stopWords, k1, b },
    analysis: head['analysis'],
    segmenter: head['segmenter'],
    documents: head['documents'],
    terms: head['terms'],
  } as StoredTextHead;
  if (encodeTextHead(decoded) !== written) throw new Error('the head is not as it is written');
  return decoded;
}

/** @throws Error naming what is not as expected. k1 and b are free: nothing in the file depends on them */
export function checkTextOwner(head: StoredTextHead, { uid, labelGeneration, settings }: ExpectedTextCheckpoint): void {
  const compare = (what: string, found: unknown, wanted: unknown): void => {
    if (found !== wanted) throw new Error(`it is of ${what} ${String(found)}, not ${String(wanted)}`);
  };
  compare('collection uid', head.uid, uid);
  compare('label generation', head.labelGeneration, labelGeneration);
  compare('fields', JSON.stringify(head.settings.fields), JSON.stringify(settings.fields));
  compare('language', head.settings.language, settings.language);
  compare('stop words', JSON.stringify(head.settings.stopWords), JSON.stringify(settings.stopWords));
  compare('analysis', head.analysis, ANALYSIS_VERSION);
  if (head.segmenter !== null) compare('segmenter', head.segmenter, SEGMENTER);
}

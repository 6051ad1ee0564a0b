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
  const { fields, language, stopWords, wordLength, k1, b } = head.settings;
  return JSON.stringify({
    format: head.format,
    kind: 'text',
    uid: head.uid,
    label_generation: head.labelGeneration,
    seq: head.seq,
    next_label: head.nextLabel,
    settings: {
      fields,
      language,
      stop_words: stopWords,
      ...(wordLength !== undefined && { word_length: [wordLength.min, wordLength.max] }),
      k1,
      b,
    },
    analysis: head.analysis,
    segmenter: head.segmenter,
    documents: head.documents,
    terms: head.terms,
  });
}

/** @throws Error on a head that this version does not write */
export function decodeTextHead(written: string): StoredTextHead {
  const head = fromJson(JSON.parse(written));
  if (encodeTextHead(head) !== written) throw new Error('the head is not as it is written');
  return head;
}

/** Every field has its type afterwards; what else may be wrong shows when it is written again. */
function fromJson(head: unknown): StoredTextHead {
  if (integer(head, 'format') !== FORMAT) throw new Error(`checkpoint format ${integer(head, 'format')} is not known`);
  const settings = field(head, 'settings');
  const stopWords = field(settings, 'stop_words');
  const lengths = Object.hasOwn(settings as object, 'word_length')
    ? (field(settings, 'word_length') as readonly unknown[])
    : null;
  const segmenter = field(head, 'segmenter');
  return {
    format: FORMAT,
    uid: integer(head, 'uid'),
    labelGeneration: integer(head, 'label_generation'),
    seq: integer(head, 'seq'),
    nextLabel: integer(head, 'next_label'),
    settings: {
      fields: texts(field(settings, 'fields')),
      language: text(field(settings, 'language')),
      stopWords: stopWords === 'default' ? stopWords : texts(stopWords),
      ...(lengths !== null && { wordLength: { min: number(lengths[0]), max: number(lengths[1]) } }),
      k1: number(field(settings, 'k1')),
      b: number(field(settings, 'b')),
    },
    analysis: integer(head, 'analysis'),
    segmenter: segmenter === null ? null : text(segmenter),
    documents: integer(head, 'documents'),
    terms: integer(head, 'terms'),
  };
}

function integer(parent: unknown, name: string): number {
  const value = field(parent, name);
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Error(`${name} is not an integer from 0`);
  return value as number;
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new Error('a parameter is not a number');
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('a text is none');
  return value;
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value)) throw new Error('a list of texts is none');
  return (value as unknown[]).map(text);
}

function field(parent: unknown, name: string): unknown {
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, name)) throw new Error(`${name} is missing`);
  return (parent as Record<string, unknown>)[name];
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
  compare('word lengths', lengthsOf(head.settings), lengthsOf(settings));
  compare('analysis', head.analysis, ANALYSIS_VERSION);
  if (head.segmenter !== null) compare('segmenter', head.segmenter, SEGMENTER);
}

function lengthsOf({ wordLength }: TextSettings): string {
  return wordLength === undefined ? 'all' : `${wordLength.min} to ${wordLength.max}`;
}

/** The index behind the door: texts become terms (analyser.ts), terms become postings (corpus.ts), postings are ranked (ranking.ts).
 *
 *  While a checkpoint is written, searches, changes and renewals go on: what is written is what was inside when it began, and of that
 *  nothing moves. Must not know: files' names, threads, storage. */

import type { Clock } from '../model/clock.js';
import type { TextSettings } from '../model/collection.js';
import type { LabelFilter } from '../model/label-filter.js';
import { FIXED } from '../model/limits.js';
import { type Analyser, analyserOf } from './analyser.js';
import { writeTextCheckpoint } from './checkpoint-folder.js';
import { Corpus } from './corpus.js';
import { noTerms, pushTerm, type TermCounts } from './document-bytes.js';
import { Ranking } from './ranking.js';
import { RenewingCorpus } from './renewing-corpus.js';
import type { TextCheckpointHead, TextHits, TextIndex, TextStatus } from './text-index.js';
import { TEXT_WORDS_MAX } from './words.js';

export interface TextIndexLimits {
  /** With fewer dead documents than this the index is not renewed, unless nothing in it is alive. */
  readonly deadMin: number;
}

/** What an index begins with. */
export interface TextIndexContent {
  readonly corpus: Corpus;
  /** The least label that may be added. */
  readonly nextLabel: number;
  /** Some term depends on the ICU of this process. */
  readonly segmented: boolean;
}

/** Different terms of a query behind this many are passed over. */
const QUERY_TERMS_MAX = 256;

export class Bm25Index implements TextIndex {
  readonly settings: TextSettings;
  readonly #clock: Clock;
  readonly #analyser: Analyser;
  readonly #ranking: Ranking;
  readonly #read = noTerms();
  #corpora: RenewingCorpus;
  #nextLabel: number;
  #segmented: boolean;
  #inserts = 0;
  #saving = false;
  #closed = false;

  /** @throws RangeError on a language that is not known */
  constructor(settings: TextSettings, limits: TextIndexLimits, clock: Clock, content: TextIndexContent) {
    this.settings = settings;
    this.#clock = clock;
    this.#analyser = analyserOf(settings);
    this.#ranking = new Ranking(settings);
    this.#corpora = new RenewingCorpus(content.corpus, limits.deadMin);
    this.#nextLabel = content.nextLabel;
    this.#segmented = content.segmented;
  }

  add(label: number, texts: readonly string[], replaces: number | null): void {
    this.#mustBeOpen();
    if (!Number.isInteger(label) || label < 0 || label > FIXED.labelMax) throw new RangeError(`label ${label} is out of range`);
    if (label < this.#nextLabel) throw new RangeError(`label ${label} is not beyond those before`);
    this.#corpora.put(label, this.#documentOf(texts));
    this.#nextLabel = label + 1;
    this.#inserts += 1;
    if (replaces !== null) this.#corpora.remove(replaces);
  }

  update(label: number, texts: readonly string[]): void {
    this.#mustBeOpen();
    if (!this.has(label)) return;
    if (this.#corpora.put(label, this.#documentOf(texts))) this.#inserts += 1;
  }

  remove(label: number): void {
    this.#mustBeOpen();
    this.#corpora.remove(label);
  }

  has(label: number): boolean {
    return this.#corpora.corpus.has(label);
  }

  liveLabels(): Uint32Array {
    return this.#corpora.corpus.liveLabels();
  }

  search(query: string, limit: number, filter?: LabelFilter): TextHits {
    this.#mustBeOpen();
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`limit is ${limit}, not an integer from 1`);
    const { terms } = this.#analyser.analyse(query);
    const counted = Array.from(timesOf(terms), ([word, times]) => ({ word, times })).slice(0, QUERY_TERMS_MAX);
    return this.#ranking.search(this.#corpora.corpus, counted, limit, filter);
  }

  work(budgetMs: number): number | null {
    if (this.#closed) return null;
    const untilMs = this.#clock.monotonicMs() + budgetMs;
    while (this.#corpora.step()) if (this.#clock.monotonicMs() >= untilMs) return 0;
    return null;
  }

  get inserts(): number {
    return this.#inserts + this.#corpora.moves;
  }

  status(): TextStatus {
    const { corpus, dead, renewing, renewals, memoryBytes } = this.#corpora;
    return {
      documents: corpus.live,
      worded: corpus.worded,
      dead,
      terms: corpus.terms,
      meanLength: corpus.live === 0 ? 0 : corpus.liveWords / corpus.live,
      memoryBytes: memoryBytes + this.#ranking.memoryBytes,
      renewing,
      renewals,
    };
  }

  async save(folder: string, head: Omit<TextCheckpointHead, 'format' | 'settings'>): Promise<number> {
    this.#mustBeOpen();
    if (this.#saving) throw new Error('a checkpoint is being written already');
    if (head.nextLabel < this.#nextLabel) throw new RangeError(`next_label ${head.nextLabel} is not beyond the labels inside`);
    this.#saving = true;
    try {
      const whole: TextCheckpointHead = { ...head, format: 1, settings: this.settings };
      return await writeTextCheckpoint(folder, whole, this.#segmented, this.#corpora.corpus.snapshot());
    } finally {
      this.#saving = false;
    }
  }

  close(): void {
    this.#closed = true;
    this.#corpora = new RenewingCorpus(new Corpus(), 0);
  }

  /** @returns terms that are valid until the next call */
  #documentOf(texts: readonly string[]): TermCounts {
    const terms: string[] = [];
    for (const text of texts) {
      const analysis = this.#analyser.analyse(text);
      this.#segmented ||= analysis.segmented;
      const left = TEXT_WORDS_MAX - terms.length;
      for (const term of analysis.terms.slice(0, left)) terms.push(term);
      if (terms.length >= TEXT_WORDS_MAX) break;
    }
    const { corpus } = this.#corpora;
    this.#read.size = 0;
    for (const [word, times] of timesOf(terms)) pushTerm(this.#read, corpus.termOf(word), times);
    return this.#read;
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Error('the index is closed');
  }
}

/** How often each word stands there, in the order of their first places. */
function timesOf(words: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const word of words) times.set(word, (times.get(word) ?? 0) + 1);
  return times;
}

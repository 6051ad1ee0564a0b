/** The door of the text index: documents ranked for words by BM25, owned by one worker thread.
 *
 *  A document is the text of one point under its label. Labels are added in ascending order, may be removed once, and never come back;
 *  the text of one that is inside may change in place. A document is found from the turn in which it is added.
 *  Invariant: what counts (documents, their mean length, in how many a term is) counts the live ones only, so two indexes with the same
 *  live documents give the same scores, bit for bit, whatever came and went before.
 *  Synchronous calls are short turns; long work (renewing, saving, opening) is sliced or asynchronous.
 *
 *  Must not know: ids, payloads, storage, threads. The store is the truth; everything here can be rebuilt from it. */

import type { TextSettings } from '../model/collection.js';
import type { LabelFilter } from '../model/label-filter.js';

export interface TextHits {
  /** Best first; equal scores in ascending order of labels. At most `limit`. */
  readonly labels: Uint32Array;
  readonly scores: Float64Array;
  /** Live documents that have any of the terms and pass the filter. */
  readonly matched: number;
  /** Postings that were read. */
  readonly visited: number;
  /** Live documents that have any of the terms and do not pass the filter. */
  readonly rejected: number;
  /** What the query was read as: each term once, in the order of the query, and the live documents that have it. Empty: nothing to look for. */
  readonly terms: readonly { readonly term: string; readonly documents: number }[];
}

export interface TextStatus {
  /** Live ones, those without any word among them. */
  readonly documents: number;
  /** Live ones with a word that is no stop word. */
  readonly worded: number;
  /** Removed ones that still take room. */
  readonly dead: number;
  /** Different terms that have been inside since the last renewal. */
  readonly terms: number;
  /** Words a document, stop words not counted; 0 without documents. */
  readonly meanLength: number;
  /** Resident bytes, estimated from counts. */
  readonly memoryBytes: number;
  /** Documents still to be moved while the index is renewed, else 0. */
  readonly renewing: number;
  /** Renewals that ended since this object was made. */
  readonly renewals: number;
}

/** What a checkpoint file belongs to and what it holds. */
export interface TextCheckpointHead {
  readonly format: 1;
  readonly uid: number;
  readonly labelGeneration: number;
  /** Everything up to this seq is inside. */
  readonly seq: number;
  /** Labels below this were offered to the index. */
  readonly nextLabel: number;
  readonly settings: TextSettings;
}

export interface TextIndex {
  readonly settings: TextSettings;
  /** Adds a document and removes `replaces` in the same turn, so that a search sees one of the two, never both, never neither.
   *  @param label beyond every label before
   *  @param texts read one behind the other; none, or none with a word: the document is inside and matches nothing
   *  Cost: about 50 ns a word, and 1 µs where words are told apart by a dictionary (Chinese, Japanese, Thai, …).
   *  @throws RangeError on a label that is not beyond those before; nothing is done then */
  add(label: number, texts: readonly string[], replaces: number | null): void;
  /** Gives a label other texts, as when the payload of a point changes in place. A label that is not inside is ignored; texts with the
   *  same terms cost nothing more than reading them. */
  update(label: number, texts: readonly string[]): void;
  /** A label that is not inside is ignored. Cost: the terms of the document. */
  remove(label: number): void;
  has(label: number): boolean;
  /** Labels inside, ascending. */
  liveLabels(): Uint32Array;
  /** Documents that have any of the query's terms, best first. A term that the query repeats counts as often as it stands there.
   *  @param limit ≥ 1  @param filter only labels inside may be hits; scores are those without it
   *  Scores: BM25 with idf = ln(1 + (N − n + 0.5) / (n + 0.5)), N all live documents, n those with the term (Robertson & Zaragoza 2009).
   *  Cost: about 5 ns a posting of the query's terms. */
  search(query: string, limit: number, filter?: LabelFilter): TextHits;
  /** Does a slice of what is pending: takes dead postings out of lists, or moves live documents into a fresh index once most are dead.
   *  @returns milliseconds until it should be called again (0: at once), or null: there is nothing to do before the next change */
  work(budgetMs: number): number | null;
  status(): TextStatus;
  /** Documents put in since this object was made, moves of renewals included: the measure of its work. */
  readonly inserts: number;
  /** Writes a checkpoint into `folder` (temporary file, fsync, rename, fsync of the folder) and removes older ones there. It has what is
   *  inside when it begins; searches and changes go on meanwhile. Nothing older is removed before the new one is durable, whatever fails.
   *  @returns bytes written  @throws Error when a save is running, a label inside is not below head.nextLabel, or the file could not be
   *  written whole */
  save(folder: string, head: Omit<TextCheckpointHead, 'format' | 'settings'>): Promise<number>;
  /** Every other call throws or answers nothing from then on. */
  close(): void;
}

/** What opening a checkpoint gave: an index, or why the files were not trusted ('none': there are none). */
export type OpenedTextCheckpoint =
  | { readonly index: TextIndex; readonly head: TextCheckpointHead }
  | { readonly refused: string };

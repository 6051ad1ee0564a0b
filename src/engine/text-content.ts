/** Texts of one collection in one worker: the text index, and the payload index that filters its searches.
 *  Must not know: the order of the log, threads, vectors. */

import type { CollectionSpec } from '../model/collection.js';
import type { LabelRow, StoreReads } from '../storage/storage.js';
import { createTextIndex, openTextCheckpoint, textsAt } from '../text-index/open-index.js';
import type { TextIndex } from '../text-index/text-index.js';
import type { ContentStatus, IndexedCollection } from './index-messages.js';
import { PayloadSide } from './payload-side.js';
import type { OpenedContent, SavedHead, ServedContent } from './served-content.js';
import { payloadOf } from './stored-payload.js';
import { sameFields } from './vector-content.js';

export class TextContent implements ServedContent {
  readonly index: TextIndex;
  readonly payloads: PayloadSide;
  readonly needsPayload = true;
  readonly #fields: readonly string[];

  constructor(reads: StoreReads, { uid, spec }: IndexedCollection, index: TextIndex) {
    this.index = index;
    this.payloads = new PayloadSide(reads, uid, spec.payloadIndexes, (label) => index.has(label));
    this.#fields = spec.text.fields;
  }

  static create(reads: StoreReads, collection: IndexedCollection): TextContent {
    return new TextContent(reads, collection, createTextIndex(collection.spec.text));
  }

  static async open(reads: StoreReads, collection: IndexedCollection): Promise<OpenedContent<TextContent>> {
    const { uid, labelGeneration, spec, folder } = collection;
    const opened = await openTextCheckpoint(folder, { uid, labelGeneration, settings: spec.text });
    if ('refused' in opened) return opened;
    return { content: new TextContent(reads, collection, opened.index), head: opened.head };
  }

  has(label: number): boolean {
    return this.index.has(label);
  }

  add(row: LabelRow, replaces: number | null): void {
    this.index.add(row.label, this.#textsOf(row.payload), replaces);
    this.payloads.put(row.label, row.payload);
    if (replaces !== null) this.payloads.remove(replaces);
  }

  update(label: number, payload: Uint8Array): void {
    this.index.update(label, this.#textsOf(payload));
    this.payloads.put(label, payload);
  }

  #textsOf(payload: Uint8Array | null): readonly string[] {
    return payload === null ? [] : textsAt(payloadOf({ payload }), this.#fields);
  }

  remove(label: number): void {
    this.index.remove(label);
    this.payloads.remove(label);
  }

  liveLabels(): Uint32Array {
    return this.index.liveLabels();
  }

  get crowded(): boolean {
    return false;
  }

  get inserts(): number {
    return this.index.inserts;
  }

  get complete(): boolean {
    return this.payloads.complete;
  }

  refill(): void {
    this.payloads.refill(this.index.liveLabels());
  }

  configure(before: CollectionSpec, spec: CollectionSpec): boolean {
    if (JSON.stringify(before.text) !== JSON.stringify(spec.text)) return false;
    if (!sameFields(before, spec)) this.payloads.declare(spec.payloadIndexes, this.index.liveLabels());
    return true;
  }

  work(budgetMs: number): number | null {
    if (!this.payloads.work(budgetMs)) return 0;
    return this.index.work(budgetMs);
  }

  status(nextLabel: number): ContentStatus {
    const { documents, worded, dead, memoryBytes, renewing, renewals } = this.index.status();
    return {
      kind: 'text',
      live: documents,
      worded,
      tombstones: dead,
      unranked: 0,
      memoryBytes: documents + dead === 0 ? 0 : memoryBytes + this.payloads.memoryBytes,
      waiting: 0,
      growing: renewing,
      rebuilds: renewals,
      payloadProgress: this.payloads.progress(nextLabel),
    };
  }

  get savable(): boolean {
    return this.index.inserts > 0 || this.index.status().documents > 0;
  }

  save(folder: string, headOf: () => SavedHead): Promise<number> {
    return this.index.save(folder, headOf());
  }

  relieve(): void {
    this.payloads.relieve();
  }

  close(): void {
    this.index.close();
  }
}

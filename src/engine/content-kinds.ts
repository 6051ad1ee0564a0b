/** The two kinds of content that an index worker may keep, each made and opened in its own way. Must not know: threads, messages. */

import type { StoreReads } from '../storage/storage.js';
import type { EngineKind, IndexedCollection } from './index-messages.js';
import { removeAllLeftovers } from './opened-indexes.js';
import type { OpenedContent, ServedContent } from './served-content.js';
import { TextContent } from './text-content.js';
import { VectorContent } from './vector-content.js';

export interface ContentKind {
  readonly engine: EngineKind;
  create(reads: StoreReads, collection: IndexedCollection): ServedContent;
  open(reads: StoreReads, collection: IndexedCollection): Promise<OpenedContent<ServedContent>>;
  /** Removes what a crash left in a folder of checkpoints. */
  removeLeftovers(folder: string): Promise<void>;
}

export const CONTENT_KINDS: Readonly<Record<EngineKind, ContentKind>> = {
  vector: {
    engine: 'vector',
    create: (reads, collection) => VectorContent.create(reads, collection),
    open: (reads, collection) => VectorContent.open(reads, collection),
    removeLeftovers: removeAllLeftovers,
  },
  text: {
    engine: 'text',
    create: (reads, collection) => TextContent.create(reads, collection),
    open: (reads, collection) => TextContent.open(reads, collection),
    removeLeftovers: async () => {},
  },
};

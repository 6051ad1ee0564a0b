/** The two kinds of content that an index worker may keep, each made and opened in its own way. Must not know: threads, messages. */

import type { EngineKind, IndexedCollection } from './index-messages.js';
import { removeAllLeftovers } from './opened-indexes.js';
import type { OpenedContent, ServedContent } from './served-content.js';
import type { IndexReads } from './sound-reads.js';
import { TextContent } from './text-content.js';
import { VectorContent } from './vector-content.js';

export interface ContentKind {
  readonly engine: EngineKind;
  create(reads: IndexReads, collection: IndexedCollection): ServedContent;
  open(reads: IndexReads, collection: IndexedCollection): Promise<OpenedContent<ServedContent>>;
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

/** What a worker owns and serves of a collection: content that is kept level, saved, loaded and told of new settings.
 *  Must not know: which index it is. */

import type { CollectionSpec } from '../model/collection.js';
import type { ContentStatus } from './index-messages.js';
import type { IndexedContent } from './indexed-content.js';
import type { PayloadSide } from './payload-side.js';

/** What a checkpoint belongs to and how far it goes. */
export interface SavedHead {
  readonly uid: number;
  readonly labelGeneration: number;
  /** Everything up to this seq is inside. */
  readonly seq: number;
  /** Labels below this were offered. */
  readonly nextLabel: number;
}

/** What opening checkpoints gave, or why none was trusted ('none': there is none). */
export type OpenedContent<Content> = OpenContent<Content> | { readonly refused: string };

interface OpenContent<Content> {
  readonly content: Content;
  readonly head: SavedHead;
  /** Why parts of it are built anew. */
  readonly refusals?: readonly string[];
}

export interface ServedContent extends IndexedContent {
  readonly payloads: PayloadSide;
  /** False while it is read in after a start: it must not answer filters yet. */
  readonly complete: boolean;
  /** Reads what its checkpoint does not hold; after reconcile(). */
  refill(): void;
  /** Takes new settings. @returns false when it cannot: content with the new settings must be built beside it */
  configure(before: CollectionSpec, spec: CollectionSpec): boolean;
  status(nextLabel: number): ContentStatus;
  /** Is there something that a checkpoint would hold? */
  readonly savable: boolean;
  /** @param headOf how far the content goes now: asked at the moment in which a part of it begins to be written, for others go on meanwhile
   *  @returns bytes written */
  save(folder: string, headOf: () => SavedHead): Promise<number>;
  /** Forgets what is kept only to be faster. */
  relieve(): void;
  close(): void;
}

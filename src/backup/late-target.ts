/** A target that is opened with the first call that needs it, and again with the next one when that failed: a folder may be mounted later,
 *  a store of objects be reached later. Must not know: what kinds of targets there are. */

import type { BackupTarget, StoredObject } from './target.js';

export class LateTarget implements BackupTarget {
  readonly name: string;
  readonly #open: () => Promise<BackupTarget>;
  #opening: Promise<BackupTarget> | null = null;

  constructor(name: string, open: () => Promise<BackupTarget>) {
    this.name = name;
    this.#open = open;
  }

  #target(): Promise<BackupTarget> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    yield* (await this.#target()).list(prefix);
  }

  async put(key: string, body: AsyncIterable<Uint8Array>): Promise<{ bytes: number }> {
    return (await this.#target()).put(key, body);
  }

  async *get(key: string): AsyncGenerator<Uint8Array> {
    yield* (await this.#target()).get(key);
  }

  async remove(key: string): Promise<void> {
    await (await this.#target()).remove(key);
  }
}

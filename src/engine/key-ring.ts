/** The access keys as the main thread sees them: what the last commit said. Few enough to be in memory, so that a request is checked
 *  without waiting. Must not know: secrets, requests. */

import type { AccessKey, AccessKeyChange } from '../model/access-key.js';
import type { AccessKeys, WriteReceipt } from './engine.js';
import type { KeyOperation } from './key-operations.js';
import type { WritePath } from './write-path.js';

export class KeyRing implements AccessKeys {
  readonly #keys = new Map<string, AccessKey>();
  readonly #writes: Pick<WritePath, 'writeCluster'>;

  constructor(keys: readonly AccessKey[], writes: Pick<WritePath, 'writeCluster'>) {
    for (const key of keys) this.#keys.set(key.id, key);
    this.#writes = writes;
  }

  /** Takes in what a commit did to keys. */
  take(changes: readonly AccessKeyChange[]): void {
    for (const { id, key } of changes) {
      if (key === null) this.#keys.delete(id);
      else this.#keys.set(id, key);
    }
  }

  get count(): number {
    return this.#keys.size;
  }

  find(id: string): AccessKey | undefined {
    return this.#keys.get(id);
  }

  all(): AccessKey[] {
    return [...this.#keys.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  write(operation: KeyOperation): Promise<WriteReceipt> {
    return this.#writes.writeCluster([operation]);
  }
}

/** Access keys in memory, resolved by the same rules as those of a store; and records for tests. */

import { hash } from 'node:crypto';
import type { AccessKeys, WriteReceipt } from '../../src/engine/engine.js';
import { type KeyOperation, resolveKey } from '../../src/engine/key-operations.js';
import type { AccessKey } from '../../src/model/access-key.js';
import type { Position } from '../../src/model/position.js';

/** A record whose secret is `secret-of-<id>`. */
export function accessKey(id: string, parts: Partial<AccessKey> = {}): AccessKey {
  return {
    id,
    name: `key ${id}`,
    role: 'read',
    scope: null,
    rateLimit: null,
    createdAtMs: 1_000,
    expiresAtMs: null,
    rotatedAtMs: null,
    hash: Uint8Array.from(hash('sha256', `secret-of-${id}`, 'buffer')),
    previous: null,
    ...parts,
  };
}

export class FakeKeys implements AccessKeys {
  readonly #keys = new Map<string, AccessKey>();
  readonly #position: () => Position;
  readonly #nowMs: () => number;

  constructor(position: () => Position, nowMs: () => number = Date.now) {
    this.#position = position;
    this.#nowMs = nowMs;
  }

  put(key: AccessKey): void {
    this.#keys.set(key.id, key);
  }

  remove(id: string): void {
    this.#keys.delete(id);
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

  async write(operation: KeyOperation): Promise<WriteReceipt> {
    const { effects } = resolveKey(operation, { accessKeys: this.#keys }, this.#nowMs());
    for (const effect of effects) {
      if (effect.kind === 'put_key') this.put(effect.key);
      if (effect.kind === 'remove_key') this.#keys.delete(effect.id);
    }
    const position = this.#position();
    return { results: [], seq: position.seq, position, repeated: false };
  }
}

/** A target that does as it is told: fails certain calls, and counts them. Everything else goes to a real one. */

import { type BackupTarget, type FailedCall, targetFailed } from '../../src/backup/target.js';

type Operation = FailedCall['operation'];

export class BreakableTarget implements BackupTarget {
  readonly name: string;
  readonly calls: Partial<Record<Operation, number>> = {};
  /** Why a call fails; null: it does not. */
  fails: (operation: Operation, key: string) => FailedCall['reason'] | null = () => null;
  /** What it throws instead of being asked; null: nothing. */
  refuses: () => Error | null = () => null;
  readonly #target: BackupTarget;

  constructor(target: BackupTarget) {
    this.#target = target;
    this.name = target.name;
  }

  #pass(operation: Operation, key: string): void {
    const refusal = this.refuses();
    if (refusal !== null) throw refusal;
    this.calls[operation] = (this.calls[operation] ?? 0) + 1;
    const reason = this.fails(operation, key);
    if (reason !== null) throw targetFailed({ target: this.name, operation, key, reason, message: 'as the test says' });
  }

  async *list(prefix: string) {
    this.#pass('list', prefix);
    yield* this.#target.list(prefix);
  }

  async put(key: string, body: AsyncIterable<Uint8Array>) {
    this.#pass('put', key);
    return this.#target.put(key, body);
  }

  async *get(key: string) {
    this.#pass('get', key);
    yield* this.#target.get(key);
  }

  async remove(key: string) {
    this.#pass('remove', key);
    await this.#target.remove(key);
  }
}

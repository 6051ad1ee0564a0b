/** Transactions: snapshots of readers, and the writer's begin, commit, savepoint, rollback.
 *
 *    idle ─begin► open ─commit► idle        open ─failure► failed ─rollback► idle
 *
 *  Invariant: a change runs only while open, upkeep only while idle; after a failure nothing can be committed.
 *  Must not know: tables. */

import type { Database } from './driver.js';
import type { StoreReads, StoreWriter } from './storage.js';

type Phase = 'idle' | 'open' | 'failed';

/** One read transaction around `read`; inside another transaction it joins that one. */
export function snapshots(db: Database): Pick<StoreReads, 'snapshot'> {
  const begin = db.prepare('BEGIN');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  return {
    snapshot: (read) => {
      if (db.inTransaction) return read();
      begin.run();
      try {
        const result = read();
        commit.run();
        return result;
      } catch (error) {
        if (db.inTransaction) rollback.run();
        throw error;
      }
    },
  };
}

export class WriteTransactions {
  readonly #db: Database;
  #phase: Phase = 'idle';
  readonly #statements: Readonly<Record<'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'back', { run(): unknown }>>;

  constructor(db: Database) {
    this.#db = db;
    this.#statements = {
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      rollback: db.prepare('ROLLBACK'),
      savepoint: db.prepare('SAVEPOINT unit'),
      release: db.prepare('RELEASE unit'),
      back: db.prepare('ROLLBACK TO unit'),
    };
  }

  get isOpen(): boolean {
    return this.#phase !== 'idle';
  }

  /** @throws Error when no transaction is open */
  mustBeOpen(): void {
    if (this.#phase !== 'open')
      throw new Error(`a change of the store belongs between begin and commit (the transaction is ${this.#phase})`);
  }

  /** @throws Error when a transaction is open */
  mustBeIdle(): void {
    if (this.#phase !== 'idle') throw new Error(`this must not run inside a transaction (it is ${this.#phase})`);
  }

  /** A statement failed: what is open can only be rolled back. */
  fail(): void {
    if (this.#phase === 'open') this.#phase = 'failed';
  }

  readonly door: Pick<StoreWriter, 'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollbackToSavepoint'> = {
    begin: () => {
      this.mustBeIdle();
      this.#statements.begin.run();
      this.#phase = 'open';
    },
    commit: () => {
      this.mustBeOpen();
      this.#statements.commit.run();
      this.#phase = 'idle';
    },
    rollback: () => {
      // SQLite rolls back by itself after some failures; then there is nothing left to undo.
      if (this.#db.inTransaction) this.#statements.rollback.run();
      this.#phase = 'idle';
    },
    savepoint: () => {
      this.mustBeOpen();
      this.#statements.savepoint.run();
    },
    release: () => {
      this.mustBeOpen();
      this.#statements.release.run();
    },
    rollbackToSavepoint: () => {
      this.mustBeOpen();
      this.#statements.back.run();
      this.#statements.release.run();
    },
  };

  /** The same functions, each in a durable transaction of its own. */
  eachAlone<T extends object>(functions: T): T {
    const wrapped: Record<string, unknown> = {};
    for (const [name, run] of Object.entries(functions) as [string, (...parameters: unknown[]) => unknown][]) {
      wrapped[name] = (...parameters: unknown[]): unknown => {
        this.door.begin();
        try {
          const result = run(...parameters);
          this.door.commit();
          return result;
        } catch (error) {
          this.door.rollback();
          throw error;
        }
      };
    }
    return wrapped as T;
  }
}

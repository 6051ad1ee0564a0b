/** A target behind its breaker, with retries where a call can be made again:
 *
 *    remove        always
 *    list, get     until the first piece came; later failures reach the reader, who knows what it has
 *    put           when its body can be read anew (ReplayableBody), else one try
 *
 *  While the breaker is open nobody calls, but for somebody who asks by hand: `reach` is then the try, with small questions.
 *
 *  Only failures that may pass count: a full or forbidden place answers, and must stay open for reading and removing. */

import type { Dependencies, Dependency } from '../resilience/dependencies.js';
import type { RetrySettings } from '../resilience/retry.js';
import { type BackupTarget, mayPass, type StoredObject } from './target.js';

/** A body that can be read again from its beginning, such as a file. */
export class ReplayableBody implements AsyncIterable<Uint8Array> {
  readonly #open: () => AsyncIterable<Uint8Array>;

  constructor(open: () => AsyncIterable<Uint8Array>) {
    this.#open = open;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#open()[Symbol.asyncIterator]();
  }
}

/** The name of every backup target in metrics; a node has one. */
const DEPENDENCY = 'backup_target';

export interface GuardOptions {
  readonly dependencies: Dependencies;
  /** Ends waits between tries. */
  readonly signal: AbortSignal;
  /** Over the defaults of retries. */
  readonly retry?: Partial<RetrySettings>;
}

export interface GuardedTarget extends BackupTarget {
  /** For what is asked by hand: a place that was left alone is looked at now, until it is proven again. Those who ask meanwhile share the
   *  look. Cost: nothing while the breaker is closed, else the beginning of a listing, a few times. @throws BackupTargetFailed · CircuitOpen */
  reach(): Promise<void>;
}

/** Looks in a row: as many successes as a setting may ask for. */
const LOOKS_MAX = 1_000;

export function guardTarget(target: BackupTarget, { dependencies, signal, retry = {} }: GuardOptions): GuardedTarget {
  const dependency = dependencies.add({ name: DEPENDENCY, isSlow: true, retry, isFailure: mayPass });
  const look = async (): Promise<void> => {
    for await (const _ of target.list('')) return;
  };
  const looks = async (): Promise<void> => {
    for (let left = LOOKS_MAX; left > 0 && dependency.status().state !== 'closed'; left--)
      await dependency.call('look', look, { signal, repeatable: false, asked: true });
  };
  let reaching: Promise<void> | null = null;
  const endOfReach = (): void => {
    reaching = null;
  };
  return {
    name: target.name,
    reach: () => {
      reaching ??= looks().finally(endOfReach);
      return reaching;
    },
    list: (prefix) => guarded<StoredObject>(dependency, `list ${prefix}`, () => target.list(prefix), signal),
    get: (key) => guarded<Uint8Array>(dependency, `get ${key}`, () => target.get(key), signal),
    put: (key, body) =>
      dependency.call(`put ${key}`, () => target.put(key, body), { signal, repeatable: body instanceof ReplayableBody }),
    remove: (key) => dependency.call(`remove ${key}`, () => target.remove(key), { signal }),
  };
}

async function* guarded<Piece>(
  dependency: Dependency,
  operation: string,
  open: () => AsyncIterable<Piece>,
  signal: AbortSignal,
): AsyncGenerator<Piece> {
  const begin = async (): Promise<{ pieces: AsyncIterator<Piece>; first: IteratorResult<Piece> }> => {
    const pieces = open()[Symbol.asyncIterator]();
    return { pieces, first: await pieces.next() };
  };
  const { pieces, first } = await dependency.call(operation, begin, { signal });
  try {
    for (let next = first; next.done !== true; next = await pieces.next()) yield next.value;
  } finally {
    await pieces.return?.();
  }
}

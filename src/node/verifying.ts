/** POST /replication/verify and the link requests that belong to it: a master asks its replicas, a replica compares itself with its master.
 *
 *  On a replica one comparison at a time. Must not know: HTTP, how data is compared. */

import type { RunningEngine } from '../engine/engine.js';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { Role, VerifiedReplica, VerifyAnswer } from '../model/replication.js';
import { answerComparison, isComparison } from '../replication/comparison-asks.js';
import type { Follower } from '../replication/follower.js';
import type { ReplicationSource } from '../replication/source.js';
import { type Verified, verifyReplica } from '../replication/verify-replica.js';
import type { LinkValues } from '../wire/frames.js';

export interface VerifyingParts {
  engine(): RunningEngine;
  role(): Role;
  follower(): Follower | null;
  readonly source: ReplicationSource;
}

/** The request by which a master has a replica compare itself. */
const VERIFY = 'verify';

export class Verifying {
  readonly #parts: VerifyingParts;
  #running: Promise<unknown> = Promise.resolve();

  constructor(parts: VerifyingParts) {
    this.#parts = parts;
  }

  async verify({ replicaId, repair }: { readonly replicaId: string | null; readonly repair: boolean }): Promise<VerifyAnswer> {
    const { historyId, epoch, seq, nodeId } = this.#parts.engine().log.state();
    if (this.#parts.role() === 'replica' && (replicaId === null || replicaId === nodeId)) {
      const { position, ...found } = await this.#verifySelf(repair);
      return { equal: found.equal, position, replicas: [replicaOf(nodeId, found)] };
    }
    const position = { historyId, epoch, seq };
    if (replicaId !== null) {
      this.#parts.source.mustBeLinked(replicaId);
      const found = await this.#verifyLinked(replicaId, repair);
      return { equal: found.equal, position, replicas: [found] };
    }
    const replicas: VerifiedReplica[] = [];
    for (const id of this.#parts.source.linkedIds())
      replicas.push(await this.#verifyLinked(id, repair).catch((error: unknown) => notCompared(id, error)));
    return { equal: equalityOf(replicas), position, replicas };
  }

  async #verifyLinked(id: string, repair: boolean): Promise<VerifiedReplica> {
    const answer = await this.#parts.source.ask(id, VERIFY, { repair }).catch((error: Error) => {
      throw new SkeinError('Timeout', `Replica ${id} did not answer (${error.message}); a repair is whole or has not begun`, {
        id,
      });
    });
    if (answer['refused'] !== undefined) throw SkeinError.fromRecord(answer['refused'] as ErrorRecord);
    // It comes from a node of this cluster, and is shown to the operator only.
    return replicaOf(id, answer as unknown as Verified);
  }

  /** @returns null when the request is none of these */
  answer(method: string, parameters: LinkValues): Promise<LinkValues> | null {
    if (isComparison(method)) return answerComparison(this.#parts.engine(), method, parameters);
    return method === VERIFY ? this.#answerVerify(parameters['repair'] === true) : null;
  }

  async #answerVerify(repair: boolean): Promise<LinkValues> {
    try {
      const { equal, differing, repaired } = await this.#verifySelf(repair);
      return { equal, differing, repaired };
    } catch (error) {
      if (!(error instanceof SkeinError)) throw error;
      return { refused: error.toRecord() };
    }
  }

  #verifySelf(repair: boolean): Promise<Verified> {
    const verified = this.#running.then(() => this.#verifyNow(repair));
    this.#running = verified.catch(() => undefined);
    return verified;
  }

  async #verifyNow(repair: boolean): Promise<Verified> {
    const follower = this.#parts.follower();
    if (follower?.state.phase !== 'following') throw new SkeinError('NoMaster', 'There is no link to a master to compare with');
    const parts = {
      engine: this.#parts.engine(),
      ask: (method: string, parameters: LinkValues) => follower.ask(method, parameters),
      standStill: () => follower.differs(),
    };
    const verified = await verifyReplica(parts, repair);
    const standsForNothing = verified.equal && follower.state.diverged;
    // Behind the answer, which goes over the same link.
    if (verified.mended || standsForNothing) setImmediate(() => follower.repaired());
    return verified;
  }
}

function replicaOf(id: string, { equal, differing, repaired }: Omit<Verified, 'position' | 'mended'>): VerifiedReplica {
  return { id, equal, differing, repaired };
}

/** One that cannot be compared now is named, and keeps no other from being. @throws what was not expected */
function notCompared(id: string, error: unknown): VerifiedReplica {
  if (!(error instanceof SkeinError)) throw error;
  const { type, message } = error;
  return { id, equal: null, differing: [], repaired: 0, error: { type, message } };
}

function equalityOf(replicas: readonly VerifiedReplica[]): boolean | null {
  if (replicas.some(({ equal }) => equal === false)) return false;
  return replicas.some(({ equal }) => equal === null) ? null : true;
}

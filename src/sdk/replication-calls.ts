/** The calls under /replication: what a node says, and what operators may make it do. Errors are those of every call.
 *
 *  Nothing here is repeated when it may have arrived, unless doing it twice is harmless. Must not know: sockets, when to retry. */

import type {
  FollowAnswerBody,
  PromoteAnswerBody,
  ReplicaListBody,
  ReplicationStatsBody,
  ReplicationStatusBody,
  ResyncAnswerBody,
  VerifyAnswerBody,
} from '../wire/http-bodies.js';
import type { Call } from './call.js';
import type { Caller } from './caller.js';
import { present } from './present.js';
import * as form from './replication-forms.js';
import type * as T from './replication-types.js';
import type { CallOptions } from './types.js';

export class ReplicationCalls {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** What the node is, master or replica, and its figures: position, lag, link. */
  async status(options: CallOptions = {}): Promise<T.ReplicationStatus> {
    return form.statusFromWire(await this.#get<ReplicationStatusBody>('status', options));
  }

  /** @throws SkeinApiError Starting, until the node has data */
  async stats(options: CallOptions = {}): Promise<T.ReplicationStats> {
    return form.statsFromWire(await this.#get<ReplicationStatsBody>('stats', options));
  }

  /** The replicas that the master knows, also those that are away. */
  async replicas(options: CallOptions = {}): Promise<readonly T.Replica[]> {
    return (await this.#get<ReplicaListBody>('replicas', options)).replicas.map(form.replicaFromWire);
  }

  /** Makes this replica the master; with `force` also when writes of the old master may be lost. @throws SkeinApiError NotPromotable */
  async promote(how: { readonly force?: boolean } = {}, options: CallOptions = {}): Promise<T.Promotion> {
    return form.promotionFromWire(await this.#do<PromoteAnswerBody>('promote', present(how, {}), options));
  }

  /** Makes this node a replica. @param masterUrl http(s) or ws(s), host and port @returns the role it then has */
  async follow(masterUrl: string, options: CallOptions = {}): Promise<{ readonly role: T.Role; readonly masterUrl: string }> {
    const { role, master_url } = await this.#do<FollowAnswerBody>('follow', { master_url: masterUrl }, options);
    return { role, masterUrl: master_url };
  }

  /** Starts a resync: of this replica, or on the master of the one that is named. */
  async resync(
    { replicaId, ...others }: { readonly replicaId?: string; readonly full?: boolean } = {},
    options: CallOptions = {},
  ): Promise<{ readonly mode: 'full' | 'partial' }> {
    const body = present<{ replica_id: string }>(others, { replica_id: replicaId });
    const { mode } = await this.#do<ResyncAnswerBody>('resync', body, options);
    return { mode };
  }

  /** Compares data at one position: on the master all replicas or one, on a replica itself. */
  async verify(
    { replicaId, ...others }: { readonly replicaId?: string; readonly repair?: boolean } = {},
    options: CallOptions = {},
  ): Promise<T.Verification> {
    const body = present<{ replica_id: string }>(others, { replica_id: replicaId });
    return form.verificationFromWire(await this.#do<VerifyAnswerBody>('verify', body, options, 'not-needed'));
  }

  /** Forgets a replica: it is no voter any more and leaves the lists. @throws SkeinApiError ReplicaNotFound */
  async forget(replicaId: string, options: CallOptions = {}): Promise<void> {
    await this.#caller.run({
      what: `forget replica ${replicaId}`,
      method: 'DELETE',
      path: `/replication/replicas/${encodeURIComponent(replicaId)}`,
      kind: 'write',
      options: { idempotencyKey: false, ...options },
    });
  }

  #get<Body>(name: string, options: CallOptions): Promise<Body> {
    const call: Call = {
      what: `replication ${name}`,
      method: 'GET',
      path: `/replication/${name}`,
      kind: 'read',
      ofNode: true,
      options,
    };
    return this.#caller.run(call) as Promise<Body>;
  }

  #do<Body>(name: string, body: object, options: CallOptions, idempotencyKey: false | 'not-needed' = false): Promise<Body> {
    const call: Call = {
      what: name,
      method: 'POST',
      path: `/replication/${name}`,
      ...({ kind: 'write', ofNode: true } as const),
      options: { idempotencyKey, ...options },
      body,
    };
    return this.#caller.run(call) as Promise<Body>;
  }
}

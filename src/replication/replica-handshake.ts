/** The replica's half of opening a link: what it says of itself, and whether what comes back is from a node that holds the key.
 *  One for each link. Must not know: sockets, what follows the welcome. */

import { randomBytes } from 'node:crypto';
import type { ReplicatedLog } from '../engine/engine.js';
import { type Challenge, type Hello, type Open, PROTOCOL_VERSION, type Reject, type Welcome } from '../wire/frames.js';
import { checkProof, makeProof } from './proof.js';
import type { ReplicaState } from './replica-progress.js';
import { standingOf } from './standing.js';

export interface HandshakeParts {
  readonly keys: readonly Uint8Array[];
  readonly runId: string;
  readonly software: string;
  readonly voter: boolean;
  readonly feed: ReplicatedLog;
  /** Where this node's HTTP is reached. */
  address(): { readonly host: string; readonly port: number };
  /** Where this node believes the master's HTTP to be. */
  masterUrl(): string | null;
  /** What an interrupted download left. */
  resumable(): Promise<{ readonly id: string; readonly nextChunk: number } | null>;
}

export class ReplicaHandshake {
  readonly #parts: HandshakeParts;
  readonly #nonce = randomBytes(16).toString('hex');
  #masterNonce: string | null = null;
  #clusterId: string | null = null;

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
  }

  open(): Open {
    const { software } = this.#parts;
    return { type: 'open', magic: 'skein', protoMin: 1, protoMax: PROTOCOL_VERSION, nonce: this.#nonce, software };
  }

  /** The challenge has come. */
  get isAnswered(): boolean {
    return this.#masterNonce !== null;
  }

  /** @returns null when one side has a key and the other has none */
  async hello(challenge: Challenge, state: ReplicaState, installed: string | null): Promise<Hello | null> {
    const { keys, feed, runId, voter } = this.#parts;
    this.#masterNonce = challenge.nonce;
    if (challenge.keyed !== keys.length > 0) return null;
    const resume = await this.#parts.resumable().catch(() => null);
    const standing = standingOf(feed);
    const { nodeId, clusterId } = standing;
    this.#clusterId = clusterId;
    const { epoch: highestEpoch, wants } = state;
    const speaker = { side: 'replica', nodeId, clusterId, epoch: highestEpoch } as const;
    return {
      type: 'hello',
      kind: 'follow',
      ...standing,
      runId,
      ...this.#parts.address(),
      voter,
      role: 'replica',
      highestEpoch,
      wants,
      resume: resume === null ? null : { snapshotId: resume.id, nextChunk: resume.nextChunk },
      installed,
      masterUrl: this.#parts.masterUrl(),
      proof: makeProof(keys, this.#nonces, speaker),
    };
  }

  get #nonces() {
    return { replica: this.#nonce, master: this.#masterNonce ?? '' };
  }

  isProven({ nodeId, clusterId, epoch, proof }: Welcome | Reject): boolean {
    return checkProof(this.#parts.keys, this.#nonces, { side: 'master', nodeId, clusterId, epoch }, proof) !== null;
  }

  /** Where a refusal sends this node: believed only of a node that holds the key and belongs to the same cluster. */
  redirection(reject: Reject): string | null {
    const isOurs = reject.clusterId !== null && (this.#clusterId ?? reject.clusterId) === reject.clusterId;
    return reject.reason === 'STALE_MASTER' && isOurs && this.isProven(reject) ? reject.masterUrl : null;
  }
}

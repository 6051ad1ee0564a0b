/** Proofs that both ends of a link hold the cluster key, without showing it: HMAC-SHA-256 over both nonces and who speaks.
 *
 *    replica ─ open(nonce) ─► master ─ challenge(nonce) ─► replica ─ hello(proof) ─► master ─ welcome(proof) ─► replica
 *  The replica proves itself first, so nobody learns anything from a master without the key. The two labels keep either side from
 *  sending the other's proof back. Two keys are accepted while they are exchanged; proofs are made with the first.
 *  Without keys the key is empty: that says nothing of who speaks, but a session of another link that is played again is refused.
 *  A proof says who opened the link; only TLS keeps what follows from being changed on the way. Source: RFC 2104. */

import { createHmac, timingSafeEqual } from 'node:crypto';

export interface Speaker {
  readonly side: 'replica' | 'master';
  readonly nodeId: string;
  readonly clusterId: string | null;
  readonly epoch: number;
}

export interface Nonces {
  readonly replica: string;
  readonly master: string;
}

const NO_KEY = new Uint8Array(0);

/** @returns 64 hex digits */
export function makeProof([key = NO_KEY]: readonly Uint8Array[], nonces: Nonces, speaker: Speaker): string {
  return proof(key, nonces, speaker);
}

/** @returns the key that the proof was made with; null when with none of them */
export function checkProof(keys: readonly Uint8Array[], nonces: Nonces, speaker: Speaker, given: string): Uint8Array | null {
  let matching: Uint8Array | null = null;
  for (const key of keys.length === 0 ? [NO_KEY] : keys) if (isEqual(proof(key, nonces, speaker), given)) matching = key;
  return matching;
}

function proof(key: Uint8Array, nonces: Nonces, { side, nodeId, clusterId, epoch }: Speaker): string {
  const text = ['skein link 1', side, nonces.replica, nonces.master, nodeId, clusterId ?? '', epoch].join('\n');
  return createHmac('sha256', key).update(text).digest('hex');
}

function isEqual(expected: string, given: string): boolean {
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(Buffer.from(expected), bytes);
}

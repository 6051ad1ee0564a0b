/** Asks a node who it is, on a link of its own that ends with the answer; and tells it who asks, so that a node that missed a change of
 *  mastership learns of it. Must not know: what follows from the answer. */

import { randomBytes } from 'node:crypto';
import type { ClientOptions } from 'ws';
import { type Frame, type Hello, type Message, PROTOCOL_VERSION, type Reject, type Welcome } from '../wire/frames.js';
import { LinkSocket } from './link-socket.js';
import { checkProof, makeProof, type Nonces } from './proof.js';

export interface ProbeParts {
  readonly streamUrl: string;
  readonly keys: readonly Uint8Array[];
  readonly tls: Pick<ClientOptions, 'ca' | 'cert' | 'key'>;
  readonly software: string;
  readonly timeoutMs: number;
  /** Everything but the proof. */
  readonly hello: Omit<Hello, 'proof' | 'type' | 'kind'>;
}

const ANSWERS: ReadonlySet<Message['type']> = new Set(['challenge', 'welcome', 'reject']);
const ANSWER_BYTES_MAX = 1024 * 1024;

/** @returns its welcome or refusal, of whatever cluster it is; null when it cannot be reached, says nothing in time, or does not hold the key */
export function probe(parts: ProbeParts): Promise<Welcome | Reject | null> {
  const { streamUrl, keys, tls, software, timeoutMs } = parts;
  return new Promise((resolve) => {
    const nonces: { replica: string; master: string } = { replica: randomBytes(16).toString('hex'), master: '' };
    const finish = (answer: Welcome | Reject | null): void => {
      clearTimeout(timer);
      // First, as the end of the socket is an answer too.
      resolve(answer);
      socket.close('asked');
    };
    const timer = setTimeout(() => finish(null), timeoutMs);
    const { highestEpoch } = parts.hello;
    const options = { ...tls, maxPayload: ANSWER_BYTES_MAX, handshakeTimeout: timeoutMs };
    const events = {
      expects: (type: Message['type']) => ANSWERS.has(type),
      frame: ({ message }: Frame): void => {
        if (message.type === 'reject' || message.type === 'welcome')
          return finish(isAuthentic(keys, nonces, message) ? message : null);
        if (message.type !== 'challenge' || message.keyed !== keys.length > 0) return finish(null);
        nonces.master = message.nonce;
        const { nodeId, clusterId } = parts.hello;
        const proof = makeProof(keys, nonces, { side: 'replica', nodeId, clusterId, epoch: highestEpoch });
        socket.send(highestEpoch, { type: 'hello', kind: 'probe', ...parts.hello, proof });
      },
      bad: () => finish(null),
      counted: () => {},
      sent: () => {},
      closed: () => finish(null),
    };
    const nonce = nonces.replica;
    const socket = LinkSocket.connect(streamUrl, options, events, () => {
      socket.send(highestEpoch, { type: 'open', magic: 'skein', protoMin: 1, protoMax: PROTOCOL_VERSION, nonce, software });
    });
  });
}

function isAuthentic(
  keys: readonly Uint8Array[],
  nonces: Nonces,
  { nodeId, clusterId, epoch, proof }: Welcome | Reject,
): boolean {
  return checkProof(keys, nonces, { side: 'master', nodeId, clusterId, epoch }, proof) !== null;
}

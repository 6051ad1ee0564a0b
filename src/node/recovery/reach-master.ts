/** Is the master there that a node would take its data from? Asked before its own store is moved away.
 *  Must not know: what follows from the answer. */

import { randomBytes } from 'node:crypto';
import { NO_EPOCH } from '../../model/position.js';
import { probe } from '../../replication/probe.js';
import { streamUrlOf } from '../master-url.js';
import type { RoleSettings } from '../role-parts.js';
import { version } from '../version.js';

const TIMEOUT_MS = 5_000;

export interface MasterToReach {
  readonly masterUrl: string;
  /** Null: the manifest is lost. */
  readonly own: { readonly clusterId: string; readonly nodeId: string } | null;
  readonly address: { readonly host: string; readonly port: number };
}

/** @returns why its data cannot be taken now, or null */
export async function reachMaster(settings: Pick<RoleSettings, 'keys' | 'tls'>, asked: MasterToReach): Promise<string | null> {
  const { masterUrl, own, address } = asked;
  const answer = await probe({
    streamUrl: streamUrlOf(masterUrl).stream,
    ...{ keys: settings.keys, tls: settings.tls, software: version, timeoutMs: TIMEOUT_MS },
    hello: {
      ...address,
      ...{ clusterId: own?.clusterId ?? null, nodeId: own?.nodeId ?? randomBytes(16).toString('hex') },
      ...{ runId: randomBytes(16).toString('hex'), position: null, lineage: [], voter: false, role: 'replica', wants: null },
      ...{ highestEpoch: NO_EPOCH, resume: null, installed: null, masterUrl: null },
    },
  }).catch(() => null);
  if (answer === null) return `no master answers at ${masterUrl} that holds the same cluster key`;
  if (answer.type === 'reject') return `the node at ${masterUrl} refuses: ${answer.message}`;
  if (own !== null && answer.clusterId !== own.clusterId) return `the node at ${masterUrl} belongs to another cluster`;
  return own !== null && answer.nodeId === own.nodeId ? `the node at ${masterUrl} has this node's own id` : null;
}

/** What a node remembers of itself beside its data: its role, whom it follows, the highest epoch it has ever seen.
 *
 *    NODE = JSON {format, role, masterUrl, highestEpoch, crc of the others}, replaced as a whole, durably
 *  It stands over the flags of a start: a node keeps the role that it last had. A file that cannot be trusted is no reason to guess:
 *  it is refused, naming what to do; so is its absence beside data that another node may have (forgotten-role.ts). Must not know: what roles do. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Role } from '../model/replication.js';
import { writeDurably } from '../storage/durable-files.js';

export interface NodeState {
  readonly role: Role;
  /** As it was given; null: none is known. */
  readonly masterUrl: string | null;
  readonly highestEpoch: number;
}

export const NODE_FILE = 'NODE';
const FORMAT = 1;

/** @returns null when there is none yet @throws Error when it is damaged */
export function readNodeState(dataDir: string): NodeState | null {
  const path = join(dataDir, NODE_FILE);
  if (!existsSync(path)) return null;
  const damaged = new Error(
    `${path} is damaged, so nobody knows whether this node is the master. It does not start; nothing was changed.
Move the file away and start again: with --master URL to go on as a replica of another node, with --take-mastership if this node is the master (a new epoch and history begin). Data that no other node ever had needs neither.`,
  );
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw damaged;
  }
  const { format, role, masterUrl, highestEpoch, crc } = (found ?? {}) as Record<string, unknown>;
  const roleKnown = role === 'master' || role === 'replica';
  const urlKnown = masterUrl === null || typeof masterUrl === 'string';
  if (format !== FORMAT || !roleKnown || !urlKnown || !Number.isSafeInteger(highestEpoch)) throw damaged;
  const state: NodeState = { role, masterUrl, highestEpoch: highestEpoch as number };
  if (checksum(state) !== crc) throw damaged;
  return state;
}

/** Durable on return. @throws Error of the file system */
export function writeNodeState(dataDir: string, state: NodeState): void {
  const text = `${JSON.stringify({ format: FORMAT, ...state, crc: checksum(state) })}\n`;
  writeDurably(join(dataDir, NODE_FILE), Buffer.from(text));
}

function checksum({ role, masterUrl, highestEpoch }: NodeState): number {
  return crc32(JSON.stringify([FORMAT, role, masterUrl, highestEpoch]));
}

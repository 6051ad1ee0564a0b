/** The keys that nodes prove to each other: one, or two while one is replaced by the other. */

import { type KeyReading, readKeyLines } from './api-key.js';
import { Secret } from './secret.js';

export const CLUSTER_KEY_LENGTH_MIN = 16;
const KEYS_MAX = 2;

export interface ClusterKeyReading extends Omit<KeyReading, 'lines'> {
  /** The first is used, all are accepted. */
  readonly keys: readonly Secret[];
}

/** @throws Error saying what is wrong with the file; no key is ever part of a message */
export function readClusterKeyFile(path: string): ClusterKeyReading {
  const { lines, warnings } = readKeyLines(path);
  const keys = lines.filter((line) => line !== '');
  if (keys.length === 0 || keys.length > KEYS_MAX)
    throw new Error(`the cluster key file ${path} has ${keys.length} lines; it has one key, or two, each on a line of its own`);
  for (const [i, key] of keys.entries()) checkClusterKey(key, `line ${i + 1} of the cluster key file ${path}`);
  return { keys: keys.map((key) => new Secret(key)), warnings };
}

/** @throws Error naming `place` */
export function checkClusterKey(key: string, place: string): void {
  if (key.length < CLUSTER_KEY_LENGTH_MIN)
    throw new Error(`${place} has ${key.length} characters; a key has at least ${CLUSTER_KEY_LENGTH_MIN}`);
}

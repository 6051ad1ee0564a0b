/** Backup target: the door to a place that keeps backups, such as a folder or a bucket. It holds objects: bytes under a key.
 *
 *  Invariants of every target (tests/contract/backup-target.test.ts): an object is there as a whole or not at all, whatever happens
 *  while it is put; `put` and `remove` are durable when they return; no call waits for the target longer than its stall limit.
 *  A key is 1–512 of A–Z a–z 0–9 . _ / - in segments between slashes; none is empty or begins with a dot, and no key is the folder of
 *  another. Must not know: what the bytes mean. */

import { SkeinError } from '../model/errors.js';

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

export interface BackupTarget {
  /** What it is, without secrets: `folder /backups`, `s3 bucket/prefix`. */
  readonly name: string;
  /** Objects whose keys begin with `prefix` (a plain text, which may end inside a segment), in bytewise order of the keys. What is put
   *  or removed meanwhile may or may not be listed. @throws BackupTargetFailed */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Stores an object, in place of one that has the key. Atomic and durable on return. An error of `body` breaks it off, leaves nothing
   *  behind and is thrown as it is. @returns the bytes that were stored @throws BackupTargetFailed */
  put(key: string, body: AsyncIterable<Uint8Array>): Promise<{ bytes: number }>;
  /** The bytes of an object, in pieces. @throws ObjectNotFound · BackupTargetFailed, also after some pieces: it never just ends early */
  get(key: string): AsyncIterable<Uint8Array>;
  /** Removes an object, durably; a key that is not there is no error. @throws BackupTargetFailed */
  remove(key: string): Promise<void>;
}

/** No object has this key. */
export class ObjectNotFound extends Error {
  override readonly name = 'ObjectNotFound';
  readonly key: string;

  constructor(target: string, key: string) {
    super(`${target} has no object ${key}`);
    this.key = key;
  }
}

/** Why a target failed.
 *   unreachable  no connection, or it broke; also an answer that says "later" (5xx, 429)
 *   timeout      no progress within the stall limit
 *   denied       it refuses these credentials, or this user
 *   full         no room, or a quota is reached
 *   refused      it answers something that asking again does not change */
export type TargetFailure = 'unreachable' | 'timeout' | 'denied' | 'full' | 'refused';

/** What may pass by itself, so that asking again makes sense. */
const PASSING: ReadonlySet<unknown> = new Set<TargetFailure>(['unreachable', 'timeout']);

export interface FailedCall {
  readonly target: string;
  readonly operation: 'open' | 'list' | 'put' | 'get' | 'remove';
  /** The key, or the prefix of a list. */
  readonly key: string;
  readonly reason: TargetFailure;
  /** What the target said; never a credential. */
  readonly message: string;
  readonly cause?: unknown;
}

/** @returns BackupTargetFailed, with all of it in its details but the cause */
export function targetFailed({ target, operation, key, reason, message, cause }: FailedCall): SkeinError {
  const what = key === '' ? operation : `${operation} ${key}`;
  const details = { target, operation, key, reason };
  return new SkeinError('BackupTargetFailed', `The backup target ${target} failed (${what}): ${message}`, details, cause);
}

/** May the same call succeed a little later? For retries and the breaker. */
export function mayPass(error: unknown): boolean {
  return error instanceof SkeinError && error.type === 'BackupTargetFailed' && PASSING.has(error.details['reason']);
}

const KEY_CHARACTERS_MAX = 512;
/** What most file systems take as a name. */
const SEGMENT_CHARACTERS_MAX = 255;

export function isKey(text: string): boolean {
  return (
    text.length <= KEY_CHARACTERS_MAX &&
    text.split('/').every((segment) => segment.length <= SEGMENT_CHARACTERS_MAX && /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(segment))
  );
}

/** @throws RangeError: keys are made by the server, so a bad one is a defect, or came from a file that was not checked */
export function checkKey(key: string): void {
  if (!isKey(key)) throw new RangeError(`not a key of a backup target: ${JSON.stringify(key.slice(0, 600))}`);
}

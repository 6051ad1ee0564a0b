/** A call before it is on the wire. Must not know: nodes, bytes. */

import type { ReadOptions, WriteOptions } from './types.js';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Call {
  /** For messages: what the caller asked for. */
  readonly what: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  /** Reads carry the session's position and may be repeated freely; writes carry an idempotency key. */
  readonly kind: 'read' | 'write';
  /** It is about one node, the first that the client was given, and no other. Default false. */
  readonly ofNode?: boolean;
  /** Or about this one: its base address. */
  readonly node?: string;
  /** Who asks tries again himself. Default false. */
  readonly once?: boolean;
  readonly options: ReadOptions & WriteOptions;
  /** Statuses beyond 2xx whose body is the answer. */
  readonly alsoFine?: readonly number[];
  /** The answer is plain text. Default false: what is no JSON or MessagePack is no answer. */
  readonly isText?: boolean;
}

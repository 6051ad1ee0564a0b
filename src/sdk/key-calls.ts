/** The calls under /v1/keys: access keys of a server. They need an admin key of all collections. Errors are those of every call.
 *
 *  Making a key and giving it another secret are never repeated when they may have arrived: the secret is in the first answer only.
 *  Must not know: sockets, when to retry. */

import type { KeyRole } from '../model/access-key.js';
import type { KeyBody, KeyListBody, KeySecretAnswer, NewKeyBody } from '../wire/http-bodies.js';
import type { Call } from './call.js';
import type { Caller } from './caller.js';
import { present } from './present.js';
import type { CallOptions } from './types.js';

export type { KeyRole };

export interface NewKey {
  /** For people; need not be unique. */
  readonly name: string;
  readonly role: KeyRole;
  /** Names of collections, or beginnings of names with `*` behind them; null or left out: all, and the node as a whole. */
  readonly collections?: readonly string[] | null;
  /** ISO 8601; null or left out: never. */
  readonly expiresAt?: string | null;
  readonly rateLimit?: { readonly requestsPerSecond: number; readonly burst?: number } | null;
}

/** A key without its secret. Instants are ISO 8601. */
export interface KeyInfo {
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  readonly collections: readonly string[] | null;
  readonly rateLimit: { readonly requestsPerSecond: number; readonly burst: number } | null;
  readonly state: 'active' | 'expired';
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly rotatedAt: string | null;
  /** Until when the secret before the last rotation works; null: it does not. */
  readonly previousUntil: string | null;
  /** By the node that was asked, since it started. */
  readonly lastUsedAt: string | null;
}

export interface KeyWithSecret extends KeyInfo {
  /** The whole key, to be sent as `Authorization: Bearer …`: shown this once. */
  readonly key: string;
  /** False: the nodes that the write concern asks for have not confirmed it in time. It works where it was made, and may be lost with that node. */
  readonly confirmed: boolean;
}

const PATH = '/v1/keys';

export class KeyCalls {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Every access key, without its secret. */
  async list(options: CallOptions = {}): Promise<readonly KeyInfo[]> {
    const call: Call = { what: 'list keys', method: 'GET', path: PATH, kind: 'read', options };
    return ((await this.#caller.run(call)) as KeyListBody).keys.map(keyFromWire);
  }

  /** @throws SkeinApiError AdminKeyRequired (the first key is an admin key of all collections that does not expire) */
  async create(key: NewKey, options: CallOptions = {}): Promise<KeyWithSecret> {
    return this.#secret({ what: 'create key', method: 'POST', path: PATH, body: newKeyToWire(key) }, options);
  }

  /** @param graceMs how long the secret of now goes on working @throws SkeinApiError KeyNotFound */
  async rotate(id: string, how: { readonly graceMs: number }, options: CallOptions = {}): Promise<KeyWithSecret> {
    const { graceMs, ...others } = how;
    const body = present<{ grace_ms: number }>(others, { grace_ms: graceMs });
    return this.#secret({ what: `rotate key ${id}`, method: 'POST', path: `${pathOf(id)}/rotate`, body }, options);
  }

  /** Ends a key at once. @throws SkeinApiError KeyNotFound, AdminKeyRequired (nobody could manage keys any more) */
  async revoke(id: string, options: CallOptions = {}): Promise<void> {
    await this.#caller.run(write({ what: `revoke key ${id}`, method: 'DELETE', path: pathOf(id) }, options));
  }

  async #secret(call: Pick<Call, 'what' | 'method' | 'path' | 'body'>, options: CallOptions): Promise<KeyWithSecret> {
    const body = (await this.#caller.run(write(call, options))) as KeySecretAnswer;
    return { ...keyFromWire(body), key: body.key, confirmed: body.confirmed };
  }
}

function write(call: Pick<Call, 'what' | 'method' | 'path' | 'body'>, options: CallOptions): Call {
  return { ...call, kind: 'write', options: { idempotencyKey: false, ...options } };
}

function pathOf(id: string): string {
  return `${PATH}/${encodeURIComponent(id)}`;
}

function newKeyToWire({ expiresAt, rateLimit, ...others }: NewKey): NewKeyBody {
  return present<NewKeyBody>(others, { expires_at: expiresAt, rate_limit: rateLimit && rateToWire(rateLimit) });
}

function rateToWire({ requestsPerSecond, ...others }: NonNullable<NewKey['rateLimit']>): NonNullable<NewKeyBody['rate_limit']> {
  return present<NonNullable<NewKeyBody['rate_limit']>>(others, { requests_per_second: requestsPerSecond });
}

function keyFromWire(body: KeyBody): KeyInfo {
  const { rate_limit: rate } = body;
  return {
    id: body.id,
    name: body.name,
    role: body.role,
    collections: body.collections,
    rateLimit: rate === null ? null : { requestsPerSecond: rate.requests_per_second, burst: rate.burst },
    state: body.state,
    createdAt: body.created_at,
    expiresAt: body.expires_at,
    rotatedAt: body.rotated_at,
    previousUntil: body.previous_until,
    lastUsedAt: body.last_used_at,
  };
}

/** Who asks: the key of a request, held against the key file, the access keys of the data, and tokens.
 *
 *  Invariant: without a key file, tokens and access keys everybody may do everything; with any of them every request needs a key.
 *  While nobody knows yet which keys the store has, only the key of the file and tokens count. Secrets are compared as digests, in
 *  constant time, and an id that nobody has is compared as well. A good key is never refused for wrong ones of its address: they are
 *  limited, not it. Must not know: routes, what a key allows. */

import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { AccessKeys } from '../../engine/engine.js';
import { type AccessKey, isExpired, type RateLimit } from '../../model/access-key.js';
import type { Clock } from '../../model/clock.js';
import { SkeinError } from '../../model/errors.js';
import type { Log } from '../../model/log.js';
import type { Meter } from '../../model/meter.js';
import { networkOf } from '../../resilience/network-of.js';
import { TokenBuckets } from '../../resilience/token-bucket.js';
import { accessKeyParts, givenCredential } from './credential.js';
import { ANYONE, KEY_FILE, type Principal } from './principal.js';

import type { TokenVerdict } from './token-claims.js';
import { looksLikeToken, type Tokens } from './tokens.js';

/** Wrong keys of one address: some at once, for a client that was set up wrongly, then one a second. */
const FAILURES: RateLimit = { perSecond: 1, burst: 30 };
const ADDRESSES_MAX = 10_000;
const USE_NOTED_MS = 1_000;
const NOBODY = { hash: new Uint8Array(32), previous: null, expiresAtMs: null };

export interface AuthenticationParts {
  /** The admin key, or null. */
  readonly keyFile: Uint8Array | null;
  /** @throws Starting while they are not known */
  readonly keys: () => AccessKeys;
  /** Null: tokens are not taken. */
  readonly tokens: Pick<Tokens, 'judge'> | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** How often a node that wanted to link showed a wrong cluster key, since the start. */
  readonly wrongClusterKeys: () => number;
}

type Failure = 'missing' | 'unknown' | 'expired' | 'limited';

export class Authentication {
  readonly #parts: AuthenticationParts;
  readonly #keyFile: Uint8Array | null;
  readonly #failing = new TokenBuckets(ADDRESSES_MAX);
  readonly #lastUsedMs = new Map<string, number>();
  readonly #count: (reason: Failure) => void;

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
    this.#keyFile = parts.keyFile === null ? null : digest(parts.keyFile);
    const help = 'Requests refused for want of a good key, by reason.';
    const counter = parts.meter.counter({ name: 'auth_failures_total', help, labels: ['reason'] });
    this.#count = (reason) => counter.series({ reason }).add(1);
    const links = counter.series({ reason: 'cluster_key' });
    let told = 0;
    parts.meter.beforePrinting(() => {
      const wrong = parts.wrongClusterKeys();
      links.add(wrong - told);
      told = wrong;
    });
  }

  /** When an access key was last used here, as milliseconds since 1970; null when it was not since the start. */
  lastUsedMs(id: string): number | null {
    return this.#lastUsedMs.get(id) ?? null;
  }

  /** @param address of the other end of the connection  @returns a promise for a token that was not seen before
   *  @throws Unauthorized, RateLimited (too many wrong keys), Starting */
  identify(headers: IncomingHttpHeaders, address: string): Principal | Promise<Principal> {
    const given = givenCredential(headers);
    if (given === undefined) return this.#anyone();
    const { tokens, clock } = this.#parts;
    // The key of the file never has this form (config/token-settings.ts).
    if (tokens !== null && looksLikeToken(given)) {
      const verdict = tokens.judge(given, clock.wallMs());
      return verdict instanceof Promise ? verdict.then((found) => this.#token(found, address)) : this.#token(verdict, address);
    }
    const parts = accessKeyParts(given);
    const found = parts === null ? null : this.#accessKey(parts, address);
    if (found !== null) return found;
    // Header bytes arrive as latin1 text.
    if (this.#keyFile !== null && timingSafeEqual(digest(Buffer.from(given, 'latin1')), this.#keyFile)) return KEY_FILE;
    if (this.#isOpen()) return ANYONE;
    throw this.#failed('unknown', address, 'The key is not known');
  }

  #anyone(): Principal {
    if (this.#isOpen()) return ANYONE;
    this.#count('missing');
    throw new SkeinError('Unauthorized', 'This server asks for a key: Authorization: Bearer … or api-key: …');
  }

  #isOpen(): boolean {
    return this.#keyFile === null && this.#parts.tokens === null && this.#parts.keys().count === 0;
  }

  /** Why a token is refused is for the operator alone. */
  #token(verdict: TokenVerdict, address: string): Principal {
    if ('principal' in verdict) return verdict.principal;
    this.#parts.log.debug('token_refused', { reason: verdict.reason, address });
    throw this.#failed(verdict.expired ? 'expired' : 'unknown', address, 'The token is not good');
  }

  /** @returns null when it is not known, by its id or by its secret: both take the same way on */
  #accessKey({ id, secret }: { id: string; secret: string }, address: string): Principal | null {
    const key = this.#parts.keys().find(id);
    const nowMs = this.#parts.clock.wallMs();
    const state = stateOf(key ?? NOBODY, hash('sha256', secret, 'buffer'), nowMs);
    if (key === undefined || state === 'unknown') return null;
    if (state === 'expired') throw this.#failed('expired', address, 'The key has expired');
    this.#noteUse(id, nowMs);
    return { kind: 'access_key', id, role: key.role, scope: key.scope, rateLimit: key.rateLimit };
  }

  /** To the second. Keys that were deleted leave their last use behind. */
  #noteUse(id: string, nowMs: number): void {
    if (nowMs - (this.#lastUsedMs.get(id) ?? 0) < USE_NOTED_MS) return;
    this.#lastUsedMs.set(id, nowMs);
    if (this.#lastUsedMs.size <= 2 * this.#parts.keys().count) return;
    for (const id of this.#lastUsedMs.keys()) if (this.#parts.keys().find(id) === undefined) this.#lastUsedMs.delete(id);
  }

  #failed(reason: Failure, address: string, message: string): SkeinError {
    const nowMs = this.#parts.clock.monotonicMs();
    const waitMs = this.#failing.of(networkOf(address), FAILURES, nowMs).take(FAILURES, nowMs);
    this.#count(waitMs > 0 ? 'limited' : reason);
    if (waitMs === 0) return new SkeinError('Unauthorized', message);
    return new SkeinError('RateLimited', 'Too many wrong keys came from this address', { retry_after_ms: waitMs });
  }
}

/** Both hashes are compared, whether there is a former one or not. */
function stateOf(
  { hash: current, previous, expiresAtMs }: Pick<AccessKey, 'hash' | 'previous' | 'expiresAtMs'>,
  given: Uint8Array,
  nowMs: number,
): 'good' | 'unknown' | 'expired' {
  const isCurrent = timingSafeEqual(given, current);
  const isFormer = timingSafeEqual(given, previous?.hash ?? NOBODY.hash) && previous !== null && nowMs < previous.untilMs;
  if (!isCurrent && !isFormer) return 'unknown';
  return isExpired({ expiresAtMs }, nowMs) ? 'expired' : 'good';
}

/** Digests are compared, so that neither the length nor a common beginning shows in the time it takes. */
function digest(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

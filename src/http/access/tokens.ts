/** JSON Web Tokens (RFC 7519, signed as RFC 7515): is one good, and for whom?
 *
 *    form ─► one key of the token's alg and kid ─► signature, exp, nbf, iss, aud (jose) ─► claims ─► remembered until it ends
 *
 *  Invariant: the key says which algorithm is used, the token only which key; a token that leaves open which key it means is refused,
 *  so that one costs one check. Whatever goes wrong is a refusal. Must not know: requests, what a role allows. */

import { hash } from 'node:crypto';
import type { decodeProtectedHeader, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { TokenKey, TokenRules } from '../token-rules.js';
import { judgeClaims, refused, type TokenVerdict } from './token-claims.js';

/** `{"` as base64url begins so. */
const TOKEN = /^ey[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const REMEMBERED_MAX = 10_000;

type Good = Extract<TokenVerdict, { readonly principal: unknown }>;
interface Jose {
  readonly decodeProtectedHeader: typeof decodeProtectedHeader;
  readonly jwtVerify: typeof jwtVerify;
}

export function looksLikeToken(text: string): boolean {
  return TOKEN.test(text);
}

export class Tokens {
  readonly #jose: Jose;
  readonly #rules: () => TokenRules;
  readonly #good = new LRUCache<string, Good>({ max: REMEMBERED_MAX });
  #remembers: TokenRules | null = null;

  private constructor(jose: Jose, rules: () => TokenRules) {
    this.#jose = jose;
    this.#rules = rules;
  }

  /** Loads the library, which nobody else needs. @param rules those of now; other keys end what was remembered */
  static async open(rules: () => TokenRules): Promise<Tokens> {
    return new Tokens(await import('jose'), rules);
  }

  /** Cost: one hash for a token that was good before, else one signature in a thread of Node's pool.
   *  @param nowMs milliseconds since 1970 */
  judge(token: string, nowMs: number): TokenVerdict | Promise<TokenVerdict> {
    // The library passes over spaces.
    if (!looksLikeToken(token)) return refused('form');
    const rules = this.#rules();
    if (rules !== this.#remembers) this.#good.clear();
    this.#remembers = rules;
    const name = hash('sha256', token, 'base64');
    const known = this.#good.get(name);
    if (known !== undefined) return nowMs < known.untilMs ? known : { expired: true, reason: 'claim exp' };
    const key = this.#keyOf(token, rules.keys);
    if (key === null) return refused('no key, or more than one, is meant by alg and kid');
    return this.#verify(token, key, rules, nowMs).then((verdict) => {
      if ('principal' in verdict && rules === this.#remembers) this.#good.set(name, verdict);
      return verdict;
    });
  }

  #keyOf(token: string, keys: readonly TokenKey[]): TokenKey | null {
    const { alg, kid } = headerOf(token, this.#jose);
    const fitting = keys.filter(({ algorithm, id }) => algorithm === alg && (kid === undefined || id === null || id === kid));
    const named = fitting.filter(({ id }) => id !== null && id === kid);
    const meant = named.length > 0 ? named : fitting;
    return meant.length === 1 ? (meant[0] ?? null) : null;
  }

  async #verify(token: string, { key, algorithm }: TokenKey, rules: TokenRules, nowMs: number): Promise<TokenVerdict> {
    const { issuer, audience, clockToleranceMs } = rules;
    try {
      const { payload } = await this.#jose.jwtVerify(token, key, {
        algorithms: [algorithm],
        requiredClaims: ['exp', 'sub'],
        clockTolerance: clockToleranceMs / 1_000,
        currentDate: new Date(nowMs),
        ...(issuer !== null && { issuer }),
        ...(audience !== null && { audience }),
      });
      return judgeClaims(payload, rules, nowMs);
    } catch (error) {
      const { code, claim } = error as { readonly code?: unknown; readonly claim?: unknown };
      return { expired: code === 'ERR_JWT_EXPIRED', reason: [code ?? 'unknown', claim].join(' ').trim() };
    }
  }
}

function headerOf(token: string, { decodeProtectedHeader }: Jose): { readonly alg?: unknown; readonly kid?: unknown } {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return {};
  }
}

/** From the claims of a token whose signature is good to who asks. Pure.
 *
 *    sub           who it is for: 1 to 256 characters that can be shown
 *    exp           when it ends, in seconds since 1970; required, and not further away than allowed
 *    role          admin, write, read or replicate
 *    collections   names, or beginnings of names with * behind them; without it all
 *
 *  Must not know: signatures, keys. */

import { isScopePattern, KEY_ROLES, type KeyRole, type KeyScope } from '../../model/access-key.js';
import { FIXED } from '../../model/limits.js';
import type { TokenRules } from '../token-rules.js';
import type { Principal } from './principal.js';

/** A token that is good until a moment (milliseconds since 1970), or why it is not, for logs. */
export type TokenVerdict =
  | { readonly principal: Principal; readonly untilMs: number }
  | { readonly expired: boolean; readonly reason: string };

const SUBJECT = /^\P{C}{1,256}$/u;

export function judgeClaims(
  claims: Readonly<Record<string, unknown>>,
  rules: Omit<TokenRules, 'keys'>,
  nowMs: number,
): TokenVerdict {
  const { sub, exp } = claims;
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) return refused('claim sub');
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return refused('claim exp');
  if (exp * 1_000 > nowMs + rules.lifeMsMax + rules.clockToleranceMs) return refused('claim exp is too far away');
  const role = claims[rules.roleClaim];
  if (!isRole(role)) return refused('the role');
  const scope = Object.hasOwn(claims, rules.collectionsClaim) ? scopeOf(claims[rules.collectionsClaim]) : null;
  if (scope === undefined || (scope !== null && role === 'replicate')) return refused('the collections');
  const principal: Principal = { kind: 'token', id: sub, role, scope, rateLimit: rules.rateLimit };
  return { principal, untilMs: exp * 1_000 + rules.clockToleranceMs };
}

export function refused(reason: string): TokenVerdict {
  return { expired: false, reason };
}

function isRole(role: unknown): role is KeyRole {
  return KEY_ROLES.includes(role as KeyRole);
}

/** @returns undefined when it is none: a scope that cannot be read must not become one of all collections */
function scopeOf(claim: unknown): KeyScope | undefined {
  if (!Array.isArray(claim) || claim.length === 0 || claim.length > FIXED.keyScopePatternsMax) return undefined;
  return claim.every((pattern) => typeof pattern === 'string' && isScopePattern(pattern)) ? (claim as string[]) : undefined;
}

/** The strict mode of a collection: what one request may ask of it, and how many requests a minute. Its names, in snake_case, are those that users
 *  of Qdrant know (strict_mode_config); so max_timeout counts seconds and rates are by the minute.
 *
 *  Part of the collection's spec, so it is replicated and the same on every node. Must not know: requests, who enforces it. */

import { SkeinError } from './errors.js';

export interface StrictMode {
  /** False: the limits are kept and not enforced. */
  readonly enabled: boolean;
  /** Hits of a search, points of a page, values of a facet. Here and below null: no limit but that of the server. */
  readonly maxQueryLimit: number | null;
  /** Seconds that a request may ask for as its timeout. */
  readonly maxTimeout: number | null;
  /** False: filters of reads use declared payload indexes only. */
  readonly unindexedFilteringRetrieve: boolean | null;
  /** False: so do filters of deletes. */
  readonly unindexedFilteringUpdate: boolean | null;
  readonly searchMaxHnswEf: number | null;
  /** False: no exact search. */
  readonly searchAllowExact: boolean | null;
  /** Searches of one batch. */
  readonly searchMaxBatchsize: number | null;
  /** Points of one upsert or patch. */
  readonly upsertMaxBatchsize: number | null;
  /** Operations a minute, on each node by itself. */
  readonly readRateLimit: number | null;
  readonly writeRateLimit: number | null;
  readonly maxPointsCount: number | null;
  /** Conditions of one filter, those inside others included. */
  readonly filterMaxConditions: number | null;
  /** Values of one condition. */
  readonly conditionMaxSize: number | null;
}

export type StrictSetting = Exclude<keyof StrictMode, 'enabled'>;

/** In the order in which they are stored: names may be added at the end. */
export const STRICT_SETTINGS = [
  'maxQueryLimit',
  'maxTimeout',
  'unindexedFilteringRetrieve',
  'unindexedFilteringUpdate',
  'searchMaxHnswEf',
  'searchAllowExact',
  'searchMaxBatchsize',
  'upsertMaxBatchsize',
  'readRateLimit',
  'writeRateLimit',
  'maxPointsCount',
  'filterMaxConditions',
  'conditionMaxSize',
] as const satisfies readonly StrictSetting[];

const NO_LIMITS = Object.fromEntries(STRICT_SETTINGS.map((name) => [name, null])) as Record<StrictSetting, null>;

/** What is given, and no limit for the rest. */
export function wholeStrictMode(given: Partial<StrictMode> & Pick<StrictMode, 'enabled'>): StrictMode {
  return { ...NO_LIMITS, ...given };
}

/** `maxQueryLimit` → `max_query_limit`. */
export function strictName(setting: StrictSetting): string {
  return setting.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A request that the strict mode does not allow, naming the setting. */
export function strictRefusal(
  setting: StrictSetting,
  { path, message, limit }: { readonly path: string; readonly message: string; readonly limit: number | boolean | null },
): SkeinError {
  const said = `${message} (${strictName(setting)} of the collection's strict_mode)`;
  const details = { issues: [{ path, message: said }], strict_mode: strictName(setting), limit };
  return new SkeinError('InvalidRequest', path === '' ? said : `${path}: ${said}`, details);
}

/** From the body of a search to the engine's request: defaults, limits, and the place of every mistake.
 *  Must not know: how a body is read, answers. */

import type { FastifyRequest } from 'fastify';
import type { SearchRequest } from '../engine/engine.js';
import { type ErrorType, invalidRequest, SkeinError } from '../model/errors.js';
import type { Filter } from '../model/filter.js';
import { DEFAULT_FUSION, type Fusion } from '../model/fusion.js';
import type { Limits } from '../model/limits.js';
import { checkPointId } from '../model/point.js';
import type { Span } from '../model/tracer.js';
import { parseFilter } from '../wire/filter.js';
import type { FusionBody, SearchBody } from '../wire/http-bodies.js';
import { join, overLimit } from '../wire/place.js';
import type { ReadSearch } from '../wire/search-body.js';
import { checkWait, type Freshness, type FreshnessFields, freshness, queryOf, READ_PARAMETERS } from './parameters.js';
import type { Room } from './room.js';

const LIMIT = 10;

/** What the caller said of how new the answer must be. @param inside where the body stands in the whole @throws InvalidRequest */
export function waitOf(request: FastifyRequest, body: FreshnessFields, limits: Limits, inside = ''): Freshness | null {
  return freshness(request, queryOf(request, READ_PARAMETERS), body, limits, inside);
}

/** The search as a part of its request. */
export function underSpan<Asked extends object>(asked: Asked, { span }: FastifyRequest): Asked & { readonly span?: Span } {
  return span === undefined ? asked : { ...asked, span };
}

/** What was waited for (beFresh) is what the answer must show, whoever gives it. */
export function notBefore<Asked extends object>(asked: Asked, waits: readonly (Freshness | null)[]): Asked {
  const notBeforeSeq = Math.max(0, ...waits.map((wanted) => wanted?.position?.seq ?? 0));
  return notBeforeSeq === 0 ? asked : { ...asked, notBeforeSeq };
}

/** The search as somebody waits for it: as long as it says itself, and not longer than he is there. */
export function whileWanted<Asked extends object>(asked: Asked, request: FastifyRequest, { times }: Pick<Room, 'times'>): Asked {
  if ('timeoutMs' in asked && typeof asked.timeoutMs === 'number') times.allow(request, asked.timeoutMs);
  const cancellation = times.cancellation(request);
  return cancellation === undefined ? asked : { ...asked, cancellation };
}

/** Runs a search; errors about what it asks name their place in the body.
 *  @param path of the search in the body */
export async function inPlace<Answer>(
  search: Pick<SearchRequest, 'id'>,
  path: string,
  run: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
    if (error.type === 'InvalidRequest') throw insideSearch(error, path);
    if (error.type === 'InvalidFilter') throw insideFilter(error, path);
    if (!ABOUT_TARGET.has(error.type)) throw error;
    // The engine names examples itself.
    const field = error.details['path'] ?? (search.id === undefined ? 'vector' : 'id');
    const place = join(path, String(field));
    throw new SkeinError(error.type, `${place}: ${error.message}`, { ...error.details, path: place });
  }
}

const ABOUT_TARGET: ReadonlySet<ErrorType> = new Set<ErrorType>([
  'DimensionMismatch',
  'InvalidVector',
  'ZeroVector',
  'PointNotFound',
]);

/** The engine does not know where in a body its search stood. */
function insideSearch(error: SkeinError, path: string): SkeinError {
  const [issue] = (error.details['issues'] ?? []) as readonly { readonly path: string; readonly message: string }[];
  if (path === '' || issue === undefined) return error;
  return invalidRequest(issue.path === '' ? path : join(path, issue.path), issue.message);
}

/** @throws InvalidRequest, InvalidFilter */
export function searchRequest(read: ReadSearch, body: SearchBody, limits: Limits): SearchRequest {
  checkTarget(read, body);
  return targetedRequest(read, body, limits);
}

/** The same, whatever it is that is searched for. @throws InvalidRequest, InvalidFilter */
export function targetedRequest(read: Pick<ReadSearch, 'vector' | 'path'>, body: SearchBody, limits: Limits): SearchRequest {
  const at = (field: string): string => join(read.path, field);
  const { vector } = read;
  const limit = body.limit ?? Math.min(LIMIT, limits.searchLimitMax);
  const offset = body.offset ?? 0;
  if (limit + offset > limits.searchLimitMax)
    throw overLimit(at('limit'), 'hits with limit and offset together', limits.searchLimitMax);
  const efSearch = body.ef_search;
  if (efSearch !== undefined && efSearch > limits.efSearchMax) throw overLimit(at('ef_search'), 'candidates', limits.efSearchMax);
  checkWait(body.timeout_ms, at('timeout_ms'), limits);
  return {
    ...(body.using === undefined ? {} : { using: body.using }),
    ...(vector === null ? {} : { vector }),
    ...(body.id === undefined ? {} : { id: checkPointId(body.id, at('id')) }),
    ...(body.text === undefined ? {} : { text: body.text }),
    ...(body.filter === undefined ? {} : { filter: filterOf(body.filter, read.path) }),
    fusion: fusionOf(body.fusion, at('fusion')),
    ...(body.candidates === undefined ? {} : { candidates: body.candidates }),
    cache: body.cache ?? true,
    ...(body.timeout_ms === undefined ? {} : { timeoutMs: body.timeout_ms }),
    limit,
    offset,
    exact: body.exact ?? false,
    explain: body.explain ?? false,
    withPayload: body.with_payload ?? true,
    withVector: body.with_vector ?? false,
    ...(efSearch === undefined ? {} : { efSearch }),
    ...(body.score_threshold === undefined ? {} : { scoreThreshold: body.score_threshold }),
  };
}

function checkTarget({ vector, path }: ReadSearch, { id, text, fusion, candidates }: SearchBody): void {
  const near = vector !== null || id !== undefined;
  if (!near && text === undefined) throw invalidRequest(path, 'at least one of vector, id and text is needed');
  if (vector !== null && id !== undefined) throw invalidRequest(path, 'vector and id are two ways to say the same: give one');
  if (near && text !== undefined) return;
  const field = fusion !== undefined ? 'fusion' : candidates !== undefined ? 'candidates' : null;
  if (field !== null) throw invalidRequest(join(path, field), 'is for a text together with a vector or an id');
}

/** A filter's mistake is named by its place inside the filter, in a batch with the place of the filter before it. */
function filterOf(value: unknown, path: string): Filter {
  try {
    return parseFilter(value);
  } catch (error) {
    throw error instanceof SkeinError && error.type === 'InvalidFilter' ? insideFilter(error, path) : error;
  }
}

function insideFilter(error: SkeinError, path: string): SkeinError {
  if (path === '') return error;
  const inside = String(error.details['path'] ?? '');
  const place = inside === '' ? join(path, 'filter') : join(join(path, 'filter'), inside);
  return new SkeinError('InvalidFilter', `${path}: ${error.message}`, { ...error.details, path: place });
}

function fusionOf(body: FusionBody | undefined, path: string): Fusion {
  const { method, rrfK, weights } = DEFAULT_FUSION;
  const { vector = weights.vector, text = weights.text } = body?.weights ?? {};
  if (vector === 0 && text === 0) throw invalidRequest(join(path, 'weights'), 'must not both be 0');
  return { method: body?.method ?? method, rrfK: body?.rrf_k ?? rrfK, weights: { vector, text } };
}

/** The tool `health_check`: how the server is, or one collection of it, as a headline, the facts as JSON, and what the words mean.
 *
 *  A server that does not answer is an answer here, UNHEALTHY, not an error: it is what was asked. Other failures are errors. */

import { Type } from 'typebox';
import { collectionPath } from '../../model/api-paths.js';
import { invalidRequest } from '../../model/errors.js';
import { SkeinApiError, SkeinConnectionError, SkeinTimeoutError } from '../../sdk/index.js';
import type { CollectionInfoBody, ErrorBody, HealthBody } from '../../wire/http-bodies.js';
import { type AskServer, type ToolAnswer, tool } from '../tool.js';
import { CollectionName, closed } from '../tool-inputs.js';

type Health = 'healthy' | 'degraded' | 'unhealthy';
type Facts = Readonly<Record<string, unknown>> & { readonly status: Health };

/** A health check that takes longer has its answer: the server's own looks take a second at most. */
const HEALTH_TIMEOUT_MS = 3_000;
const SIGNS: Readonly<Record<Health, string>> = { healthy: '✓', degraded: '⚠', unhealthy: '✗' };

const GUIDE = `Health Check Guide:
- HEALTHY: every part works; searches and writes are answered in full.
- DEGRADED: the server answers, with less than everything: reasons says what is wrong, components which part it is.
- UNHEALTHY: the server does not answer, or cannot serve; nothing else will work until it is back.
- A collection is "ready", or "building"/"rebuilding" its index: it is searched meanwhile, more slowly.`;

export const healthTool = tool(
  {
    name: 'health_check',
    title: 'Check health',
    description:
      'Says how the server is: the whole of it, or with a collection also that collection. Use it first, and whenever another tool fails in a way that is not the fault of its input.',
  },
  'reads',
  Type.Object(
    {
      collection: Type.Optional(CollectionName),
      directory: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 128,
          description: 'The same as collection, for callers that know it by this name.',
        }),
      ),
    },
    { ...closed, description: 'Without anything: the whole system.' },
  ),
  async ({ collection, directory }, ask) => {
    if (collection !== undefined && directory !== undefined && collection !== directory)
      throw invalidRequest('directory', 'is another word for collection: give one of them');
    const system = await systemHealth(ask);
    const name = collection ?? directory;
    return shown(name === undefined || system['reachable'] === false ? system : await withCollection(name, system, ask));
  },
);

async function systemHealth(ask: AskServer): Promise<Facts> {
  const get = (what: string, path: string): Promise<unknown> =>
    ask({ what, method: 'GET', path, kind: 'read', alsoFine: [503] }, { timeoutMs: HEALTH_TIMEOUT_MS });
  try {
    const health = (await get('health', '/health')) as HealthBody | ErrorBody;
    // Whoever stands before the server may answer for it.
    if ('error' in health) return { status: 'unhealthy', reasons: [health.error.message] };
    return { ...health, ...(await componentsOf(get)) } as Facts;
  } catch (error) {
    const reason = noAnswer(error);
    if (reason === null) throw error;
    return { status: 'unhealthy', reachable: false, reasons: [reason] };
  }
}

/** They name collections, so a key may be needed that the caller does not have; then the rest is told without them. */
async function componentsOf(get: (what: string, path: string) => Promise<unknown>): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { components, fallback } = (await get('health details', '/health/detailed')) as Readonly<Record<string, unknown>>;
    return { ...(components !== undefined && { components }), ...(fallback !== undefined && { fallback }) };
  } catch (error) {
    if (error instanceof SkeinApiError && (error.status === 401 || error.status === 403))
      return { components: null, components_reason: error.message };
    throw error;
  }
}

/** @throws SkeinApiError CollectionNotFound */
async function withCollection(name: string, system: Facts, ask: AskServer): Promise<Facts> {
  const call = { what: `collection ${name}`, method: 'GET', path: collectionPath(name), kind: 'read' } as const;
  const info = (await ask(call, { timeoutMs: HEALTH_TIMEOUT_MS })) as CollectionInfoBody;
  const { points_count, status, progress, tombstone_ratio, memory_bytes, disk_bytes, index_health } = info;
  const collection = { name: info.name, status, progress, points_count, tombstone_ratio, memory_bytes, disk_bytes, index_health };
  return { ...system, collection };
}

function noAnswer(error: unknown): string | null {
  if (error instanceof SkeinConnectionError) return `no connection to the server (${error.code})`;
  return error instanceof SkeinTimeoutError ? `no answer in ${error.timeoutMs} ms` : null;
}

function shown(facts: Facts): ToolAnswer {
  const { status } = facts;
  const headline = `${SIGNS[status]} System Status: ${status.toUpperCase()}`;
  return { text: `${headline}\n\n${JSON.stringify(facts, null, 2)}\n\n${GUIDE}`, object: facts };
}

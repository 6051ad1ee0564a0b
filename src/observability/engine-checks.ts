/** Health of the engine's parts: a search in each index thread, a read of the store, the sums of the digest tree, and what the engine says
 *  of itself. The engine may be exchanged for another while the node runs, so it is asked for anew each time.
 *  Must not know: what the findings mean for the node (health-rules.ts). */

import type { DigestProbe, Engine, EngineStatus, IndexProbe, SearchEngineStatus } from '../engine/engine.js';
import { SkeinError } from '../model/errors.js';
import type { HealthCheck, HealthFinding } from '../model/health.js';
import { FIXED, type Limits } from '../model/limits.js';
import type { RecoveryStatus } from '../model/recovery.js';
import { recoveryDetails } from './recovery-details.js';

export interface EngineCheckParts {
  /** @throws Starting, ShuttingDown */
  engine(): Engine;
  readonly limits: Pick<Limits, 'indexLagBytesMax'>;
  readonly timeoutMs: number;
  /** What the start's check of the store, or reading every row since, left to say; null: nothing. */
  storeConcern(): string | null;
  /** Of the store; null: nobody cares for it yet. */
  recovery(): RecoveryStatus | null;
}

type EngineName = 'vector' | 'text';

/** Answers come before the deadline of the look, so that the check itself can say who was silent. */
const PROBE_SHARE = 0.9;
/** Silent once may be a moment; twice is a fault. */
const MISSES_MAX = 1;
/** Moved long before, unless readers keep it from it. */
const WAL_BYTES_MAX = 4 * FIXED.walBytesCap;

export function engineChecks(parts: EngineCheckParts): HealthCheck[] {
  const deadlineMs = parts.timeoutMs;
  return [
    { name: 'vector', deadlineMs, whenSilent: 'unhealthy', check: indexCheck(parts, 'vector') },
    { name: 'text', deadlineMs, whenSilent: 'unhealthy', check: indexCheck(parts, 'text') },
    { name: 'search', deadlineMs, whenSilent: 'degraded', check: () => searching(parts.engine().status(), parts.limits) },
    { name: 'digest', deadlineMs, whenSilent: 'degraded', check: digestCheck(parts) },
    { name: 'storage', deadlineMs, whenSilent: 'unhealthy', check: () => storage(parts) },
  ];
}

function indexCheck({ engine, timeoutMs }: EngineCheckParts, name: EngineName): HealthCheck['check'] {
  let misses = 0;
  return async () => {
    const open = engine();
    const probe = await open.probes.index(name, timeoutMs * PROBE_SHARE);
    const silent = probe.asked > 0 && probe.answered + probe.busy < probe.asked;
    misses = silent ? misses + 1 : 0;
    return indexFinding(name, open.status().search[name], probe, misses);
  };
}

/** @param misses looks in a row, up to this one, in which a thread did not answer */
export function indexFinding(name: EngineName, status: SearchEngineStatus, probe: IndexProbe, misses: number): HealthFinding {
  const { breaker, stalled, loading, collections } = status;
  const { asked, answered, points, latencyMs } = probe;
  const reasons: string[] = [];
  if (breaker !== 'closed') reasons.push(`the ${name} index failed repeatedly and is hardly asked any more`);
  if (stalled > 0) reasons.push(`a thread of the ${name} indexes has stood still for seconds`);
  else if (misses > 0)
    reasons.push(`${asked - answered} of ${asked} threads of the ${name} indexes gave no answer (${probe.failure})`);
  if (loading > 0) reasons.push(`${loading} ${name} ${loading === 1 ? 'index is' : 'indexes are'} not there yet`);
  const down = breaker !== 'closed' || (asked > 0 && answered + probe.busy === 0 && (stalled > 0 || misses > MISSES_MAX));
  const bad = breaker === 'open' || stalled > 0 || misses > MISSES_MAX;
  return {
    status: bad ? 'unhealthy' : reasons.length > 0 ? 'degraded' : 'healthy',
    message: reasons.length > 0 ? reasons.join('; ') : operational(name, collections, points),
    latencyMs,
    serves: collections === 0 ? 'unused' : down ? 'no' : 'yes',
    details: { threads_asked: asked, threads_answered: answered, points },
  };
}

function operational(name: EngineName, collections: number, points: number): string {
  if (name === 'vector') return `Vector store operational (${points} vectors)`;
  return collections === 0 ? 'BM25 search is not used: no collection has text fields' : 'BM25 search operational';
}

/** Both engines together, and how far they are behind the log. */
export function searching({ search, index }: EngineStatus, limits: EngineCheckParts['limits']): HealthFinding {
  const { fallback } = search;
  const reasons: string[] = [];
  if (index.lagBytes > limits.indexLagBytesMax / 2) reasons.push('the indexes are far behind the log');
  if (fallback.active) reasons.push('hybrid searches are answered by one engine alone');
  return {
    status: reasons.length > 0 ? 'degraded' : 'healthy',
    message: reasons.length > 0 ? reasons.join('; ') : 'searches are answered as they are asked',
    latencyMs: null,
    details: {
      index_lag_bytes: index.lagBytes,
      index_waiting_bytes: index.waitingBytes,
      searches_waiting: index.searchesWaiting,
    },
  };
}

function digestCheck({ engine, timeoutMs }: EngineCheckParts): HealthCheck['check'] {
  let lastSeq: number | null = null;
  return async () => {
    const startMs = performance.now();
    try {
      const probe = await engine().probes.digest(timeoutMs * PROBE_SHARE);
      lastSeq = probe.seq;
      return digestFinding(probe, performance.now() - startMs);
    } catch (error) {
      const busy = error instanceof SkeinError && (error.type === 'Timeout' || error.type === 'Overloaded');
      if (!busy || lastSeq === null) throw error;
      const message = `the digest was whole at seq ${lastSeq}; large reads keep it from being looked at now`;
      return { status: 'healthy', message, latencyMs: null };
    }
  };
}

export function digestFinding({ seq, digest, collections, whole, bucketsWhole }: DigestProbe, latencyMs: number): HealthFinding {
  const wrong: string[] = [];
  if (!whole) wrong.push('the state digest is not the sum of its parts');
  if (bucketsWhole === false) wrong.push('the digest of a collection is not the sum of its buckets');
  return {
    status: wrong.length > 0 ? 'degraded' : 'healthy',
    message:
      wrong.length > 0
        ? `${wrong.join('; ')}: run a verification`
        : `Merkle digest exists at seq ${seq} and is the sum of its parts (${collections} collections)`,
    latencyMs,
    details: { seq, digest },
  };
}

function storage({ engine, storeConcern, recovery }: EngineCheckParts): HealthFinding {
  const open = engine();
  const { storage: figures, commits } = open.status();
  const reasons: string[] = [];
  const probe = open.probes.store();
  if (!probe.whole) reasons.push('the end of the operation log is not what the state of the store says');
  if (figures.full) reasons.push('the disk is full or below its watermark: writes are refused');
  if (figures.readOnly) reasons.push('the data folder cannot be written: writes are refused');
  if (figures.walBytes > WAL_BYTES_MAX)
    reasons.push('the write-ahead log of the database grows: a reader keeps it from being moved');
  const concern = storeConcern();
  if (concern !== null) reasons.push(concern);
  return {
    status: reasons.length > 0 ? 'degraded' : 'healthy',
    message: reasons.length > 0 ? reasons.join('; ') : 'the store is open, readable and takes writes',
    latencyMs: probe.latencyMs,
    serves: 'yes',
    details: {
      seq: probe.seq,
      database_bytes: figures.databaseBytes,
      wal_bytes: figures.walBytes,
      wal_bytes_max: WAL_BYTES_MAX,
      last_commit_ms: commits.count === 0 ? null : commits.lastMs,
      ...recoveryDetails(recovery()),
    },
  };
}

/** Small real questions to the parts of an engine, so that their health is seen and not guessed: a search in each index thread, a read of
 *  the store, the sums of the digest tree.
 *
 *  Rule: asking changes nothing. Probes go past the breakers and past the measures of searches, so neither is opened, closed or
 *  flattered by them. Each is bounded in time and work. Must not know: what the answers mean for the node. */

import { SkeinError } from '../model/errors.js';
import { targetsOf, type VectorSpec } from '../model/vector-spec.js';
import type { StoreReads } from '../storage/storage.js';
import type { Catalogue, CatalogueEntry } from './catalogue.js';
import { DIGEST_PAGES } from './digest-reads.js';
import type { AskOf } from './index-asks.js';
import type { IndexKeeper } from './index-keeper.js';
import type { EngineKind } from './index-messages.js';
import type { EngineProbes, IndexProbe } from './probe-answers.js';
import type { Reader } from './reader.js';

export interface EngineProbeParts {
  readonly keeper: IndexKeeper;
  readonly catalogue: Catalogue;
  readonly reader: Reader;
  readonly reads: StoreReads;
  voters(): number;
}

/** Any text does: it is read as every query is, and looked up. */
const PROBE_TEXT = 'operational';
/** Few candidates: the question is whether it answers, not how well. */
const PROBE_EF = 16;

export function engineProbes(parts: EngineProbeParts): EngineProbes {
  let turn = 0;
  return {
    index: (engine, timeoutMs) => probeIndexes(parts, engine, turn++, timeoutMs),
    store: () => {
      const startMs = performance.now();
      const { seq, whole } = parts.reads.snapshot(() => {
        const state = parts.reads.state();
        const end = parts.reads.chainHashAt(state.seq);
        return { seq: state.seq, whole: end !== undefined && Buffer.compare(end, state.chainHash) === 0 };
      });
      return { seq, whole, latencyMs: performance.now() - startMs };
    },
    digest: (timeoutMs) => {
      const { catalogue, reader } = parts;
      const rows = catalogue.size + catalogue.aliases().length + parts.voters() + DIGEST_PAGES;
      return reader.read({ kind: 'digest', turn: turn++, rows }, 0, timeoutMs);
    },
  };
}

async function probeIndexes(
  { keeper, catalogue }: EngineProbeParts,
  engine: EngineKind,
  turn: number,
  timeoutMs: number,
): Promise<IndexProbe> {
  const serving = [...catalogue.all()].filter((entry) => entry[engine]?.serving === true);
  const points = serving.reduce((sum, { row }) => sum + row.pointsCount, 0);
  const chosen = serving.length === 0 ? [] : oneOfEachThread(keeper.pool(engine).ownedByThreads(), serving, turn);
  const outcomes = await Promise.all(chosen.map((entry) => probeOne(keeper, engine, entry, timeoutMs)));
  const latencies = outcomes.map(({ latencyMs }) => latencyMs).filter((ms) => ms !== null);
  return {
    asked: outcomes.length,
    answered: latencies.length,
    busy: outcomes.filter(({ failure }) => failure === 'Overloaded' || failure === 'ShuttingDown').length,
    points,
    latencyMs: latencies.length === 0 ? null : Math.max(...latencies),
    failure: outcomes.map(({ failure }) => failure).find((type) => type !== null) ?? null,
  };
}

/** Another one each time, so that in time every index is asked. */
function oneOfEachThread(
  owned: readonly (readonly number[])[],
  serving: readonly CatalogueEntry[],
  turn: number,
): CatalogueEntry[] {
  const byUid = new Map(serving.map((entry) => [entry.row.uid, entry]));
  return owned
    .map((uids) => uids.filter((uid) => byUid.has(uid)))
    .map((uids) => byUid.get(uids[turn % Math.max(1, uids.length)] ?? -1))
    .filter((entry) => entry !== undefined);
}

async function probeOne(
  keeper: IndexKeeper,
  engine: EngineKind,
  { row }: CatalogueEntry,
  timeoutMs: number,
): Promise<{ readonly latencyMs: number | null; readonly failure: string | null }> {
  const startMs = performance.now();
  try {
    await keeper.pool(engine).ask(row.uid, question(engine, row.spec), timeoutMs);
    return { latencyMs: performance.now() - startMs, failure: null };
  } catch (error) {
    const failure = error instanceof SkeinError ? error.type : 'Internal';
    // Dropped, or taken away, between the look and the question: its thread has answered.
    return failure === 'CollectionNotFound'
      ? { latencyMs: performance.now() - startMs, failure: null }
      : { latencyMs: null, failure };
  }
}

function question(engine: EngineKind, spec: VectorSpec): AskOf<'vector'> | AskOf<'text'> | AskOf<'facet'> {
  const all = { filter: null, labels: null } as const;
  if (engine === 'text') return { kind: 'text', query: PROBE_TEXT, wanted: 1, ...all };
  const target = targetsOf(spec).find(({ kind }) => kind === 'dense');
  // Where there is no graph, one that only the worker's being there answers.
  if (target?.kind !== 'dense') return { kind: 'facet', path: PROBE_TEXT, filter: null, limit: 1 };
  const { key, dimension } = target;
  // Of length one, whatever the distance.
  const query = new Float32Array(dimension).fill(1 / Math.sqrt(dimension));
  return { kind: 'vector', key, query, wanted: 1, ef: PROBE_EF, exact: false, ...all };
}

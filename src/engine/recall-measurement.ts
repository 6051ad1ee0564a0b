/** Recall on demand: the vectors of stored points, spread over all that match, are searched for as a client would, and exactly.
 *
 *    labels that match and have the vector ─► a spread of them ─► their vectors, some at a time ─► each: walk and exact scan at once ─► recall
 *
 *  Where the index moved between the two they are asked once more, with the index held still for both; if it has moved then too, the point
 *  does not count. Where the graph keeps rounded copies, the truth comes from the rows. Bounded in time: it ends with what it has.
 *  Must not know: HTTP, how a live search is answered. */

import type { Clock } from '../model/clock.js';
import { invalidRequest, SkeinError } from '../model/errors.js';
import { type LabelFilter, spreadOf } from '../model/label-filter.js';
import { FIXED } from '../model/limits.js';
import { DEFAULT_VECTOR } from '../model/point.js';
import type { Position } from '../model/position.js';
import { type FilterClass, filterClassOf } from '../model/recall.js';
import { type DenseTarget, targetNamed } from '../model/vector-spec.js';
import { type RankedLabels, recallOf } from '../search/recall.js';
import type { CatalogueEntry } from './catalogue.js';
import { type EngineCalls, within } from './engine-calls.js';
import type { DenseAsk, IndexAnswers, VectorAsk, VectorFound } from './index-asks.js';
import type { Reader } from './reader.js';
import type { RecallAnswer, RecallRequest } from './recall-request.js';

export interface RecallMeasurementParts {
  readonly calls: EngineCalls;
  readonly reader: Reader;
  readonly clock: Clock;
  /** Asks the vector index of a collection, past its breaker. */
  readonly ask: (uid: number, ask: VectorAsk, timeoutMs: number) => Promise<IndexAnswers['vector']>;
  readonly timeoutMs: number;
  readonly positionAt: (seq: number) => Position;
}

/** Vectors that are read at once. */
const PAGE_POINTS = 16;

/** One measurement on its way. */
interface Run {
  readonly entry: CatalogueEntry;
  readonly request: RecallRequest;
  readonly leftMs: () => number;
  /** Found by reading rows, when the index alone does not know which labels match. */
  readonly labels: LabelFilter | null;
  readonly target: DenseTarget;
  readonly among: LabelFilter;
  readonly seq: number;
}

interface Sample {
  readonly recall: number;
  readonly filterClass: FilterClass;
}

export class RecallMeasurement {
  readonly #parts: RecallMeasurementParts;
  readonly #running = new Set<number>();

  constructor(parts: RecallMeasurementParts) {
    this.#parts = parts;
  }

  /** @throws Overloaded (one of this collection runs) · Timeout (not one point was searched for in time) · as searches */
  async measure(entry: CatalogueEntry, request: RecallRequest): Promise<RecallAnswer> {
    const { uid } = entry.row;
    if (this.#running.has(uid)) {
      throw new SkeinError('Overloaded', `The recall of '${entry.row.name}' is being measured already`, {
        reason: 'recall_running',
      });
    }
    this.#running.add(uid);
    try {
      return await this.#measure(entry, request);
    } finally {
      this.#running.delete(uid);
    }
  }

  async #measure(entry: CatalogueEntry, request: RecallRequest): Promise<RecallAnswer> {
    const { clock, calls, positionAt } = this.#parts;
    const target = targetOf(entry, request);
    const startMs = clock.monotonicMs();
    const untilMs = startMs + (request.timeoutMs ?? this.#parts.timeoutMs);
    const leftMs = (): number => untilMs - clock.monotonicMs();
    const ask = { kind: 'match', key: target.key, filter: request.filter ?? null, labels: null } as const;
    const { answer, unindexed, shownSeq } = await calls.ask('vector', entry, ask, leftMs);
    const { labels: among, seq } = answer;
    const labels = unindexed.length > 0 ? among : null;
    const samples = await this.#samples({ entry, request, target, leftMs, labels, among, seq });
    const { limit, filter } = request;
    return {
      ...summary(samples),
      limit,
      efSearch: request.efSearch ?? target.hnsw.efSearch,
      tookMs: clock.monotonicMs() - startMs,
      position: positionAt(shownSeq),
      ...(filter === undefined ? {} : { byFilterClass: byClass(samples) }),
    };
  }

  async #samples(run: Run): Promise<Sample[]> {
    const chosen = spreadOf(run.among, run.request.sample);
    const samples: Sample[] = [];
    try {
      for (let from = 0; from < chosen.length; from += PAGE_POINTS) {
        for (const query of await this.#vectors(run, chosen.subarray(from, from + PAGE_POINTS))) {
          const sample = await this.#sample(run, query);
          if (sample !== null) samples.push(sample);
        }
      }
    } catch (error) {
      if (!(error instanceof SkeinError) || error.type !== 'Timeout' || samples.length === 0) throw error;
    }
    return samples;
  }

  async #vectors({ entry, target, leftMs }: Run, labels: Uint32Array): Promise<Float32Array[]> {
    const { uid } = entry.row;
    const { name, key, dimension } = target;
    const named = [{ name, key }];
    const reading = this.#parts.reader.read(
      {
        kind: 'hits',
        uid,
        labels: labels.slice(),
        ranking: { by: 'score', scores: new Float64Array(labels.length) },
        recheck: null,
        selection:
          key === DEFAULT_VECTOR ? { withPayload: false, withVector: true } : { withPayload: false, withVector: false, named },
        page: { offset: 0, limit: labels.length, without: [] },
        bytesMax: Number.POSITIVE_INFINITY,
        bytesBefore: 0,
      },
      dimension * 4,
    );
    const { hits } = await within(reading, leftMs(), 'Reading the points took too long');
    return hits.flatMap(({ vector, vectors }) => {
      const values = vector ?? vectors?.get(name)?.values;
      return values === undefined ? [] : [values];
    });
  }

  /** @returns null when the index did not stand still */
  async #sample(run: Run, query: Float32Array): Promise<Sample | null> {
    const { request, leftMs, labels } = run;
    const { key, hnsw, quantization, distance } = run.target;
    const spread = quantization?.rescore === true ? quantization.oversampling : 1;
    const wanted = Math.min(FIXED.searchCandidatesMax, Math.ceil(request.limit * spread));
    const ef = Math.max(request.efSearch ?? hnsw.efSearch, wanted);
    const filter = request.filter ?? null;
    const ask: DenseAsk = { kind: 'vector', key, query, wanted, ef, exact: false, filter, labels };
    if (leftMs() <= 0) throw new SkeinError('Timeout', 'Measuring the recall took longer than it had time', {});
    const pair =
      quantization === null
        ? ((await this.#asked(run, ask, true)) ?? (await this.#asked(run, ask, false)))
        : await this.#byRows(run, ask);
    if (pair === null) return null;
    const { found, matches, live } = pair;
    const recall = recallOf(found, pair.truth, request.limit, distance === 'euclid');
    return recall === null ? null : { recall, filterClass: filterClassOf(filter !== null, matches, live) };
  }

  /** @param background the scan gives way to everything else; else the index stands still for it, and so for the walk */
  async #asked(
    { entry, leftMs }: Run,
    ask: DenseAsk,
    background: boolean,
  ): Promise<{ found: VectorFound; truth: RankedLabels; matches: number; live: number } | null> {
    const { uid } = entry.row;
    const timeoutMs = Math.max(1, Math.ceil(leftMs()));
    const exactly: VectorAsk = { ...ask, exact: true, ...(background ? { background: true } : {}) };
    const scan = this.#parts.ask(uid, exactly, timeoutMs);
    const walk = this.#parts.ask(uid, ask, timeoutMs);
    const [truth, found] = await Promise.all([scan, walk]);
    if ('narrow' in truth || 'narrow' in found) return null;
    if (truth.seq !== found.seq || truth.live !== found.live) return null;
    return { found, truth, matches: found.matches, live: found.live };
  }

  /** Candidates of rounded copies are ordered by their rows in the end, so whatever is among them counts, and the truth is that of rows. */
  async #byRows(
    { entry, target, leftMs, among, seq, request }: Run,
    ask: DenseAsk,
  ): Promise<{ found: RankedLabels; truth: RankedLabels; matches: number; live: number } | null> {
    const { uid } = entry.row;
    const found = await this.#parts.ask(uid, ask, Math.max(1, Math.ceil(leftMs())));
    if ('narrow' in found || found.seq !== seq) return null;
    const { key, distance } = target;
    const { query } = ask;
    const reading = this.#parts.reader.read({ kind: 'exact', uid, key, distance, query, limit: request.limit, among });
    const truth = await within(reading, leftMs(), 'The exact search took too long');
    const never = distance === 'euclid' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    const { labels, matches, live } = found;
    return { found: { labels, scores: new Float64Array(labels.length).fill(never) }, truth, matches, live };
  }
}

/** @throws InvalidRequest */
function targetOf({ row }: CatalogueEntry, { using }: RecallRequest): DenseTarget {
  const target = targetNamed(row.spec, using ?? DEFAULT_VECTOR, 'using');
  if (target.kind === 'dense') return target;
  throw invalidRequest('using', 'these vectors are sparse: their searches are always exact, so there is nothing to measure');
}

function summary(samples: readonly Sample[]): Pick<RecallAnswer, 'recall' | 'sampled' | 'worst'> {
  if (samples.length === 0) return { recall: null, sampled: 0, worst: null };
  const sum = samples.reduce((total, { recall }) => total + recall, 0);
  return {
    recall: sum / samples.length,
    sampled: samples.length,
    worst: samples.reduce((least, { recall }) => Math.min(least, recall), 1),
  };
}

function byClass(samples: readonly Sample[]): NonNullable<RecallAnswer['byFilterClass']> {
  const classes = new Set(samples.map(({ filterClass }) => filterClass));
  return [...classes].map((filterClass) => {
    const own = samples.filter((sample) => sample.filterClass === filterClass);
    return { filterClass, recall: own.reduce((sum, { recall }) => sum + recall, 0) / own.length, sampled: own.length };
  });
}

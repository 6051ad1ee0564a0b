/** A search by groups: round after round of an ordinary search, until the groups are full (group-rounds.ts decides), each round's hits joined
 *  with those of the rounds before.
 *
 *  No silent under-fill: the groups are full, or all points that match were met, or `complete` is false and says why.
 *  Must not know: HTTP, threads, how an index works. */

import type { AnswerBudget } from '../model/answer-budget.js';
import { collectionDropped, type PayloadIndexType } from '../model/collection.js';
import { messageOf } from '../model/errors.js';
import type { Condition, Filter } from '../model/filter.js';
import type { Position } from '../model/position.js';
import { spanned } from '../model/tracer.js';
import { type CatalogueEntry, damagedReason } from './catalogue.js';
import type { GroupAnswer, GroupRequest } from './engine.js';
import { isEngineFailure, within } from './engine-calls.js';
import { explain, workOf } from './explanation.js';
import type { GroupsAnswer, LabelledGroup } from './group-reads.js';
import { firstRound, type GroupsWanted, nextRound, type RoundPlan } from './group-rounds.js';
import type { LabelledHit, Ranking } from './hit-ranking.js';
import type { Reader } from './reader.js';
import type { RecallWatch } from './recall-watch.js';
import { rowSelection } from './row-reads.js';
import { type Ask, type Ranked, type Searcher, thresholdOf } from './searcher.js';

export interface GroupSearchParts {
  readonly searcher: Searcher;
  readonly reader: Reader;
  /** False once the collection was dropped. */
  readonly isThere: (uid: number) => boolean;
  readonly recall: RecallWatch;
  readonly positionAt: (seq: number) => Position;
}

type Failures = Ranked['results']['failures'];

/** Payload indexes that know which value a point has. */
const HAS_VALUES: ReadonlySet<PayloadIndexType> = new Set<PayloadIndexType>(['keyword', 'integer', 'float', 'bool']);

/** What the rounds up to now gave. */
interface Gathered {
  readonly ranked: Ranked;
  readonly read: GroupsAnswer;
}

export class GroupSearch {
  readonly #parts: GroupSearchParts;

  constructor(parts: GroupSearchParts) {
    this.#parts = parts;
  }

  /** @throws as Searcher.search */
  search(entry: CatalogueEntry, request: GroupRequest, budget: AnswerBudget): Promise<GroupAnswer> {
    const fused = request.text !== undefined && (request.vector ?? request.id ?? request.examples) !== undefined;
    const wanted: GroupsWanted = {
      path: request.groupBy,
      limit: request.limit,
      groupSize: request.groupSize,
      keysOnly: request.keysOnly ?? false,
      indexed: entry.row.spec.payloadIndexes.some(({ path, type }) => path === request.groupBy && HAS_VALUES.has(type)),
      fused,
      candidatesMin: fused ? (request.candidates ?? 0) : 0,
    };
    return this.#parts.searcher.open(entry, { ...request, offset: 0 }, budget, (ask) => this.#untilFull(ask, wanted));
  }

  async #untilFull(asked: Ask, wanted: GroupsWanted): Promise<Omit<GroupAnswer, 'tookMs'>> {
    let ask = asked;
    let failures: Failures = [];
    let plan = firstRound(wanted);
    let first: Ranked | null = null;
    let before: Gathered | null = null;
    for (;;) {
      let found: Gathered;
      try {
        found = await this.#round(ask, wanted, plan, before, failures);
      } catch (error) {
        if (first === null || before === null || !isEngineFailure(error)) throw error;
        return this.#answer(ask, first, before, `round ${plan.round} failed: ${messageOf(error)}`);
      }
      first ??= found.ranked;
      const { groups, cut, lost, stale } = found.read;
      const next = nextRound(wanted, plan, { groups, cut, gone: lost + stale, seenAll: seenAll(found.ranked) });
      if ('done' in next) return this.#answer(ask, first, found, next.reason);
      if (!this.#parts.isThere(ask.entry.row.uid)) throw collectionDropped();
      // An engine that did not answer is not waited for again.
      if (failures.length === 0) ask = ofWhatAnswered(ask, found.ranked);
      ({ failures } = found.ranked.results);
      before = found;
      plan = next;
    }
  }

  async #round(ask: Ask, wanted: GroupsWanted, plan: RoundPlan, before: Gathered | null, failures: Failures): Promise<Gathered> {
    const { entry, request, without, budget } = ask;
    const filter = bothOf(request.filter, plan.condition);
    const narrowed = filter === undefined ? request : { ...request, filter };
    const candidates = plan.candidates + without.length;
    const found = await this.#parts.searcher.rank({ ...ask, request: narrowed, wanted: candidates });
    ask.watch.restart();
    const latest = failures.length === 0 ? found : { ...found, results: { ...found.results, failures } };
    const ranked = before === null || wanted.fused ? latest : joined(before, latest);
    const { path, limit, groupSize, keysOnly } = wanted;
    const { uid, spec } = entry.row;
    if (before !== null) budget.giveBack(before.read.bytes);
    const reading = budget.take((bytesBefore) =>
      this.#parts.reader.read(
        {
          kind: 'groups',
          uid,
          labels: ranked.labels,
          ranking: ranked.ranking,
          recheck: request.filter === undefined ? null : { filter: request.filter, spec, afterSeq: ranked.seq },
          page: { path, limit, groupSize, keysOnly, without, ...thresholdOf(request, ranked) },
          selection: rowSelection(spec, request),
          bytesMax: budget.bytesMax,
          bytesBefore,
        },
        0,
        ask.leftMs(),
        request.cancellation,
      ),
    );
    const read = await spanned(request.span, 'rows', () => within(reading, ask.leftMs(), 'Reading the hits took too long'));
    ask.watch.step('groups');
    return { ranked, read };
  }

  #answer(ask: Ask, first: Ranked, { ranked, read }: Gathered, reason: string | null): Omit<GroupAnswer, 'tookMs'> {
    const { entry, request, watch } = ask;
    if (read.lost > 0 && !this.#parts.isThere(entry.row.uid)) throw collectionDropped();
    const { mode, results, seq } = ranked;
    const hits = read.groups.flatMap((group) => group.hits);
    if (reason !== null) this.#parts.recall.shortfall(entry);
    const incomplete = reason ?? damagedReason(entry);
    return {
      groups: read.groups,
      complete: incomplete === null,
      ...(incomplete === null ? {} : { incompleteReason: incomplete }),
      mode,
      degraded: results.failures.length > 0,
      position: this.#parts.positionAt(seq),
      work: workOf(first.results),
      ...(request.explain ? { explain: explain(entry, request, first.results, hits, watch.steps) } : {}),
    };
  }
}

function ofWhatAnswered(ask: Ask, { mode, results }: Ranked): Ask {
  if (results.failures.length === 0) return ask;
  if (mode === 'text') return { ...ask, query: null, target: null };
  const { text: _, ...request } = ask.request;
  return { ...ask, request };
}

function bothOf(filter: Filter | undefined, condition: Condition | null): Filter | undefined {
  if (condition === null) return filter;
  return { must: filter === undefined ? [condition] : [condition, { kind: 'filter', filter }] };
}

/** Did every engine that answered give all that matches? */
function seenAll({ results: { vector, text } }: Ranked): boolean {
  return [vector, text].every((found) => found === null || found.answer.labels.length >= found.answer.matches);
}

/** The hits of the groups so far, and what the latest round found. */
function joined(before: Gathered, latest: Ranked): Ranked {
  const held = new Map<number, LabelledHit>();
  for (const { hits } of before.read.groups as readonly LabelledGroup[]) for (const hit of hits) held.set(hit.label, hit);
  const fresh = [...latest.labels.keys()].filter((place) => !held.has(latest.labels[place] as number));
  const { scores } = latest.ranking;
  const all =
    scores === null
      ? null
      : Float64Array.from([...[...held.values()].map(({ score }) => score), ...fresh.map((place) => scores[place] as number)]);
  return {
    ...latest,
    labels: Uint32Array.from([...held.keys(), ...fresh.map((place) => latest.labels[place] as number)]),
    ranking: { ...latest.ranking, scores: all } as Ranking,
    seq: Math.min(before.ranked.seq, latest.seq),
  };
}

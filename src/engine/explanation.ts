/** What `explain` says of a search: the plan and why, what was estimated and what was met, what each engine did, and what would help.
 *  Must not know: how a search runs. */

import { DEFAULT_VECTOR } from '../model/point.js';
import { targetsOf } from '../model/vector-spec.js';
import type { CatalogueEntry } from './catalogue.js';
import type { Explanation, SearchRequest, SearchWork } from './engine.js';
import type { Found } from './engine-calls.js';
import type { LabelledHit } from './hit-ranking.js';
import type { Step, TextFound, Unindexed, VectorFound } from './index-asks.js';

/** What the engines gave, best first, by label. */
export interface EngineResults {
  readonly vector: Found<VectorFound> | null;
  readonly text: Found<TextFound> | null;
  /** Why an engine that was asked did not answer. */
  readonly failures: readonly { readonly engine: string; readonly message: string }[];
}

const UNRANKED_ADVICE =
  'up to 64 are compared one by one with every query, beyond that all points are. Multiply all vectors by one number.';

export function explain(
  entry: CatalogueEntry,
  request: SearchRequest,
  results: EngineResults,
  hits: readonly LabelledHit[],
  steps: readonly Step[],
): Explanation {
  const { vector, text } = results;
  const { estimated, matches, ...work } = workOf(results);
  return {
    ...work,
    cardinality: { estimated, actual: matches },
    steps: [...inner('vector', vector), ...inner('text', text), ...steps],
    engines: {
      ...(vector === null ? {} : { vector: vectorEngine(entry, request, vector.answer, hits) }),
      ...(text === null ? {} : { text: textEngine(text.answer, hits) }),
    },
    advice: adviceOn(entry, results),
  };
}

/** With every search, so it costs next to nothing. */
export function workOf(results: EngineResults): SearchWork {
  const vector = results.vector?.answer;
  const text = results.text?.answer;
  return {
    plan: planOf(results),
    reason: reasonOf(results),
    estimated: Math.round((vector ?? text)?.estimated ?? 0),
    matches: Math.max(vector?.matches ?? 0, text?.matches ?? 0),
    visited: (vector?.visited ?? 0) + (text?.visited ?? 0),
    rejected: (vector?.rejected ?? 0) + (text?.rejected ?? 0),
  };
}

function planOf({ vector, text }: EngineResults): string {
  if (vector === null) return 'text';
  return text === null ? vector.answer.plan : `${vector.answer.plan} + text`;
}

function reasonOf({ vector, text, failures }: EngineResults): string {
  const reasons = failures.map(({ engine, message }) => `the ${engine} index did not answer (${message})`);
  if (vector !== null) reasons.push(vector.answer.reason);
  if (vector === null && text !== null) reasons.push('documents are ranked by their words');
  return reasons.join('; ');
}

function inner(engine: string, found: Found<VectorFound | TextFound> | null): Step[] {
  if (found === null) return [];
  return [...found.steps, ...found.answer.steps].map(({ name, tookMs }) => ({ name: `${engine}: ${name}`, tookMs }));
}

function vectorEngine(entry: CatalogueEntry, request: SearchRequest, found: VectorFound, hits: readonly LabelledHit[]) {
  const { plan, matches, live, visited, rejected, labels, seq } = found;
  return {
    kind: plan,
    ef_search: request.efSearch ?? efSearchOf(entry, request),
    candidates: labels.length,
    selectivity: live === 0 ? 1 : matches / live,
    visited,
    rejected,
    tombstones: entry.vector.report?.status.tombstones ?? 0,
    seq,
    hits: placesOf(found, hits),
  };
}

/** Of the vectors that were searched; null: no graph is. */
function efSearchOf({ row }: CatalogueEntry, { using = DEFAULT_VECTOR }: SearchRequest): number | null {
  const target = targetsOf(row.spec).find(({ name }) => name === using);
  return target?.kind === 'dense' ? target.hnsw.efSearch : null;
}

function textEngine(found: TextFound, hits: readonly LabelledHit[]) {
  const { terms, matches, live, visited, rejected, labels, seq } = found;
  return {
    kind: 'bm25',
    terms,
    candidates: labels.length,
    matches,
    documents: live,
    visited,
    rejected,
    seq,
    hits: placesOf(found, hits),
  };
}

/** Where each hit of the answer stood in the engine's own list. */
function placesOf(
  { labels, scores }: { readonly labels: Uint32Array; readonly scores: Float64Array },
  hits: readonly LabelledHit[],
) {
  const places = new Map([...labels].map((label, place) => [label, place]));
  return hits.flatMap(({ id, label }) => {
    const place = places.get(label);
    return place === undefined ? [] : [{ id, rank: place + 1, score: scores[place] as number }];
  });
}

function adviceOn(entry: CatalogueEntry, { vector, text }: EngineResults): string[] {
  const advice: string[] = [];
  const status = entry.vector.report?.status;
  if (status !== undefined && vector !== null) {
    const { waiting, growing, unranked, payloadProgress } = status;
    if (waiting > 0) advice.push(`${waiting} points wait for their place in the graph and are compared one by one.`);
    if (growing > 0) advice.push(`The graph is being rebuilt, so two are searched; ${growing} points are still to be moved.`);
    if (unranked > 0) advice.push(`${unranked} vectors are too long or too short for the graph: ${UNRANKED_ADVICE}`);
    if (payloadProgress < 1) advice.push(`Payload indexes are being built, ${Math.floor(payloadProgress * 100)} % is read.`);
  }
  const missing = new Map([vector, text].flatMap(unindexedOf).map((one) => [`${one.type} ${one.path}`, one]));
  for (const one of missing.values()) advice.push(indexAdvice(one));
  return advice;
}

function indexAdvice({ path, type }: Unindexed[number]): string {
  if (type === null) return `No payload index can answer the condition on '${path}': rows were read for it.`;
  return `A payload index of type ${type} on '${path}' would answer this filter without reading rows.`;
}

/** What rows were read for, in the worker or elsewhere. */
function unindexedOf(found: Found<VectorFound | TextFound> | null): Unindexed {
  return found === null ? [] : [...found.unindexed, ...found.answer.unindexed];
}

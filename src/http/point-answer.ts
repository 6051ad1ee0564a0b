/** Points and hits as answers hold them, written straight from what the engine found. */

import type { FacetAnswer, FoundPoint, GroupAnswer, SearchAnswer, SearchHit } from '../engine/engine.js';
import type { NamedVectors } from '../model/point.js';
import type { AnswerWriter } from '../wire/answer-writer.js';
import { tokenOf } from './answer.js';

function writeFields(out: AnswerWriter, point: FoundPoint): void {
  out.key('version');
  out.number(point.version);
  if (point.payload !== null) {
    out.key('payload');
    out.payload(point.payload);
  }
  if (point.vector !== null) {
    out.key('vector');
    out.vector(point.vector);
  }
  if (point.vectors !== undefined) {
    out.key('vectors');
    writeVectors(out, point.vectors);
  }
}

export function writeVectors(out: AnswerWriter, vectors: NamedVectors): void {
  out.openObject(vectors.size);
  for (const [name, vector] of vectors) {
    out.key(name);
    if (vector.kind === 'dense') out.vector(vector.values);
    else {
      out.openObject(2);
      out.key('indices');
      out.value([...vector.indices]);
      out.key('values');
      out.vector(vector.values);
      out.closeObject();
    }
  }
  out.closeObject();
}

function optionalFields({ payload, vector, vectors }: FoundPoint): number {
  return (payload === null ? 0 : 1) + (vector === null ? 0 : 1) + (vectors === undefined ? 0 : 1);
}

/** `{id, version, payload?, vector?, vectors?, expires_at?}`: whole enough to be written again elsewhere. */
export function writePoint(out: AnswerWriter, point: FoundPoint): void {
  const { expiresAtMs = null } = point;
  out.openObject(2 + optionalFields(point) + (expiresAtMs === null ? 0 : 1));
  out.key('id');
  out.id(point.id);
  writeFields(out, point);
  if (expiresAtMs !== null) {
    out.key('expires_at');
    out.value(new Date(expiresAtMs).toISOString());
  }
  out.closeObject();
}

function writeHit(out: AnswerWriter, hit: SearchHit): void {
  out.openObject(3 + optionalFields(hit));
  out.key('id');
  out.id(hit.id);
  out.key('score');
  out.number(hit.score);
  writeFields(out, hit);
  out.closeObject();
}

/** One list of points, then whatever `rest` holds. */
export function* writePoints(
  out: AnswerWriter,
  points: readonly FoundPoint[],
  rest: Readonly<Record<string, unknown>>,
): Generator<void> {
  const others = Object.entries(rest);
  out.openObject(1 + others.length);
  out.key('points');
  out.openArray(points.length);
  for (const point of points) {
    writePoint(out, point);
    yield;
  }
  out.closeArray();
  for (const [name, value] of others) {
    out.key(name);
    out.value(value);
  }
  out.closeObject();
}

export function* writeSearchAnswer(out: AnswerWriter, answer: SearchAnswer): Generator<void> {
  out.openObject(1 + searchFields(answer));
  out.key('hits');
  yield* writeHits(out, answer.hits);
  writeSearchFields(out, answer);
  out.closeObject();
}

export function* writeGroupAnswer(out: AnswerWriter, answer: GroupAnswer): Generator<void> {
  out.openObject(1 + searchFields(answer));
  out.key('groups');
  out.openArray(answer.groups.length);
  for (const { value, hits } of answer.groups) {
    out.openObject(2);
    out.key('value');
    out.value(value);
    out.key('hits');
    yield* writeHits(out, hits);
    out.closeObject();
  }
  out.closeArray();
  writeSearchFields(out, answer);
  out.closeObject();
}

function* writeHits(out: AnswerWriter, hits: readonly SearchHit[]): Generator<void> {
  out.openArray(hits.length);
  for (const hit of hits) {
    writeHit(out, hit);
    yield;
  }
  out.closeArray();
}

type SearchFields = Omit<SearchAnswer, 'hits'>;

function searchFields({ explain, incompleteReason, cached }: SearchFields): number {
  return 5 + [explain, incompleteReason, cached].filter((field) => field !== undefined).length;
}

/** What every answer of a search says beside its hits. */
function writeSearchFields(out: AnswerWriter, answer: SearchFields): void {
  const { explain, incompleteReason, cached } = answer;
  out.key('complete');
  out.value(answer.complete);
  if (incompleteReason !== undefined) {
    out.key('incomplete_reason');
    out.value(incompleteReason);
  }
  out.key('mode');
  out.value(answer.mode);
  out.key('degraded');
  out.value(answer.degraded);
  out.key('took_ms');
  out.value(rounded(answer.tookMs));
  out.key('position');
  out.value(tokenOf(answer.position));
  if (cached !== undefined) {
    out.key('cached');
    out.value(cached);
  }
  if (explain !== undefined) {
    out.key('explain');
    out.value(explainBody(explain));
  }
}

export function* writeSearchAnswers(out: AnswerWriter, answers: readonly SearchAnswer[]): Generator<void> {
  out.openObject(1);
  out.key('results');
  out.openArray(answers.length);
  for (const answer of answers) yield* writeSearchAnswer(out, answer);
  out.closeArray();
  out.closeObject();
}

export function* writeFacet(out: AnswerWriter, { values, exact, position }: FacetAnswer): Generator<void> {
  out.openObject(3);
  out.key('values');
  out.openArray(values.length);
  for (const value of values) {
    out.value(value);
    yield;
  }
  out.closeArray();
  out.key('exact');
  out.value(exact);
  out.key('position');
  out.value(tokenOf(position));
  out.closeObject();
}

function explainBody(explain: NonNullable<SearchAnswer['explain']>): unknown {
  const steps = explain.steps.map(({ name, tookMs }) => ({ name, took_ms: rounded(tookMs) }));
  return { ...explain, steps };
}

/** Milliseconds to a thousandth. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Hits as people and programs see them. Pure. */

import { floatText } from '../../codec/float-text.js';
import { floatsOf } from '../../codec/msgpack.js';
import { counted } from '../numbers.js';
import { tableLines } from '../table.js';

export interface SearchHitBody {
  readonly id: string | number;
  readonly score: number;
  readonly version: number;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly vector?: DenseBody;
  readonly vectors?: Readonly<Record<string, DenseBody | SparseBody>>;
}

type DenseBody = Uint8Array | Float32Array | readonly number[];
interface SparseBody {
  readonly indices: readonly number[];
  readonly values: DenseBody;
}

/** What of an answer is used here (docs/HTTP_API.md). */
export interface SearchAnswerBody {
  readonly hits: readonly SearchHitBody[];
  readonly complete: boolean;
  readonly incomplete_reason?: string;
  readonly mode: string;
  readonly degraded: boolean;
  readonly took_ms: number;
  readonly position: string;
  readonly explain?: ExplainShown;
}

interface ExplainShown {
  readonly plan: string;
  readonly reason: string;
  readonly cardinality?: { readonly estimated?: number | null; readonly actual?: number | null };
  readonly visited?: number | null;
  readonly steps?: readonly { readonly name: string; readonly took_ms: number }[];
  readonly advice?: readonly string[];
}

const PAYLOAD_CHARACTERS_MAX = 100;

/** One object for each hit, and one for the answer. */
export function answerObjects(answer: SearchAnswerBody): object[] {
  const { hits, ...rest } = answer;
  return [
    ...hits.map(({ vector, vectors, ...hit }, i) => ({
      kind: 'hit',
      rank: i + 1,
      ...hit,
      ...(vector === undefined ? {} : { vector: numbersOf(vector) }),
      ...(vectors === undefined ? {} : { vectors: shownVectors(vectors) }),
    })),
    { kind: 'answer', hits: hits.length, ...rest },
  ];
}

export function answerLines(answer: SearchAnswerBody): string[] {
  const { hits, mode, degraded, took_ms: tookMs, explain } = answer;
  const rows = hits.map(({ id, score, payload }) => [
    JSON.stringify(id),
    scoreText(score),
    shortened(JSON.stringify(payload ?? {})),
  ]);
  const columns = [{ title: 'id' }, { title: 'score', right: true }, { title: 'payload' }];
  const how = degraded ? `${mode}, less than was asked for answered` : mode;
  return [
    ...(hits.length === 0 ? [] : tableLines(columns, rows)),
    `${counted(hits.length, 'hit')} by ${how} in ${tookMs.toFixed(1)} ms`,
    ...(explain === undefined ? [] : explainLines(explain)),
  ];
}

function explainLines({ plan, reason, cardinality, visited, steps = [], advice = [] }: ExplainShown): string[] {
  const figures = [
    ...(typeof cardinality?.estimated === 'number'
      ? [`about ${counted(cardinality.estimated, 'point')} may pass the filter`]
      : []),
    ...(typeof cardinality?.actual === 'number' ? [`${cardinality.actual} do`] : []),
    ...(typeof visited === 'number' ? [`${visited} were visited`] : []),
  ];
  return [
    '',
    `plan    ${plan}: ${reason}`,
    ...(figures.length === 0 ? [] : [`points  ${figures.join(', ')}`]),
    ...(steps.length === 0
      ? []
      : [`steps   ${steps.map(({ name, took_ms: tookMs }) => `${name} ${tookMs.toFixed(2)} ms`).join(', ')}`]),
    ...advice.map((sentence) => `advice  ${sentence}`),
  ];
}

/** Seven digits are what a float32 has. */
function scoreText(score: number): string {
  return Number.isInteger(score) ? String(score) : String(Number(score.toPrecision(7)));
}

function shortened(text: string): string {
  return text.length <= PAYLOAD_CHARACTERS_MAX ? text : `${text.slice(0, PAYLOAD_CHARACTERS_MAX - 1)}…`;
}

function shownVectors(vectors: NonNullable<SearchHitBody['vectors']>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(vectors).map(([name, vector]) => [
      name,
      'indices' in vector ? { indices: vector.indices, values: numbersOf(vector.values) } : numbersOf(vector),
    ]),
  );
}

/** Of a float32 the shortest number that is it, as the JSON of the server has it: 0.1, not 0.10000000149011612. */
function numbersOf(vector: Uint8Array | Float32Array | readonly number[]): readonly number[] {
  const floats = vector instanceof Uint8Array ? floatsOf(vector) : vector;
  return floats instanceof Float32Array ? Array.from(floats, (value) => Number(floatText(value))) : floats;
}

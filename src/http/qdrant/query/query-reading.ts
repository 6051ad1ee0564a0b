/** What a stage orders points by, from the forms that the dialect has for it. Must not know: prefetches, limits of stages. */

import { FIXED } from '../../../model/limits.js';
import type { ExamplePair } from '../../../model/rank-rule.js';
import { join } from '../../../wire/place.js';
import { countOf, type Form, formOf, listOf, numberOf, shareOf, textOf } from '../form.js';
import { formMistake, rangeMistake, wrongInput } from '../mistakes.js';
import { readOrder } from '../order-by.js';
import { isObject } from '../plain-object.js';
import type { Query, VectorInput } from './stages.js';
import { vectorInput } from './vector-reading.js';

const KINDS = [
  'nearest',
  'recommend',
  'discover',
  'context',
  'order_by',
  'fusion',
  'rrf',
  'formula',
  'sample',
  'relevance_feedback',
];
const STRATEGIES = ['average_vector', 'best_score', 'sum_scores'] as const;
/** Of reciprocal ranks, where nothing else is said. */
const RRF_K = 2;
const DIVERSITY = 0.5;

/** @param candidatesMax of mmr  @throws InvalidRequest */
export function readQuery(value: unknown, path: string, candidatesMax: number): Query {
  const kind = isObject(value) ? KINDS.find((one) => value[one] !== undefined && value[one] !== null) : undefined;
  if (kind === undefined) return { kind: 'nearest', to: vectorInput(value, path), mmr: null };
  const others = kind === 'nearest' ? ['mmr'] : kind === 'formula' ? ['defaults'] : [];
  const fields = formOf(value, path, [kind, ...others]);
  const place = join(path, kind);
  switch (kind) {
    case 'nearest':
      return {
        kind,
        to: vectorInput(fields['nearest'], place),
        mmr: readDiversity(fields['mmr'], join(path, 'mmr'), candidatesMax),
      };
    case 'recommend':
      return recommendQuery(formOf(fields['recommend'], place, ['positive', 'negative', 'strategy']), place);
    case 'discover': {
      const { target, context } = formOf(fields['discover'], place, ['target', 'context']);
      if (target === undefined) throw formMistake(join(place, 'target'), 'is missing');
      return {
        kind,
        target: vectorInput(target, join(place, 'target')),
        pairs: readPairs(context ?? [], join(place, 'context')),
      };
    }
    case 'context':
      return { kind, pairs: readPairs(fields['context'], place) };
    case 'order_by':
      return { kind, order: readOrder(fields['order_by'], place) };
    case 'fusion':
      return fusionQuery(fields['fusion'], place);
    case 'rrf':
      return rrfQuery(fields['rrf'], place);
    case 'sample':
      if (fields['sample'] !== 'random') throw formMistake(place, 'must be "random"');
      return { kind };
    default:
      throw wrongInput(`${kind} queries are not supported here`, place);
  }
}

function readDiversity(value: unknown, path: string, most: number): Extract<Query, { kind: 'nearest' }>['mmr'] {
  if (value === undefined) return null;
  const { diversity, candidates_limit: candidates } = formOf(value, path, ['diversity', 'candidates_limit']);
  return {
    diversity: diversity === undefined ? DIVERSITY : shareOf(diversity, join(path, 'diversity')),
    candidates: candidates === undefined ? null : countOf(candidates, join(path, 'candidates_limit'), 1, most),
  };
}

/** @param fields positive, negative and strategy @throws InvalidRequest */
export function recommendQuery(fields: Form, path: string): Query {
  const { positive, negative, strategy = 'average_vector' } = fields;
  const named = STRATEGIES.find((one) => one === strategy);
  if (named === undefined) throw formMistake(join(path, 'strategy'), `must be one of ${STRATEGIES.join(', ')}`);
  const like = readInputs(positive ?? [], join(path, 'positive'));
  const unlike = readInputs(negative ?? [], join(path, 'negative'));
  if (like.length === 0 && named === 'average_vector')
    throw wrongInput('at least one positive example is needed', join(path, 'positive'));
  if (like.length + unlike.length === 0) throw wrongInput('at least one example is needed', join(path, 'positive'));
  return { kind: 'recommend', strategy: named, positive: like, negative: unlike };
}

function readInputs(value: unknown, path: string): VectorInput[] {
  const inputs = listOf(value, path);
  if (inputs.length > FIXED.examplesMax) throw rangeMistake(path, `has more than ${FIXED.examplesMax} examples`);
  return inputs.map((input, i) => vectorInput(input, `${path}[${i}]`));
}

/** One pair, or a list of them. @throws InvalidRequest */
export function readPairs(value: unknown, path: string): ExamplePair<VectorInput>[] {
  const pairs = Array.isArray(value) ? (value as unknown[]) : [value];
  if (pairs.length > FIXED.examplesMax) throw rangeMistake(path, `has more than ${FIXED.examplesMax} pairs`);
  return pairs.map((pair, i) => {
    const place = Array.isArray(value) ? `${path}[${i}]` : path;
    const { positive, negative } = formOf(pair, place, ['positive', 'negative']);
    if (positive === undefined || negative === undefined) throw formMistake(place, 'must have positive and negative');
    return {
      positive: vectorInput(positive, join(place, 'positive')),
      negative: vectorInput(negative, join(place, 'negative')),
    };
  });
}

function fusionQuery(value: unknown, path: string): Query {
  const method = textOf(value, path);
  if (method === 'rrf') return { kind: 'rrf', k: RRF_K, weights: null };
  if (method === 'dbsf') return { kind: 'dbsf' };
  throw formMistake(path, 'must be rrf or dbsf');
}

function rrfQuery(value: unknown, path: string): Query {
  const { k, weights } = formOf(value, path, ['k', 'weights']);
  return {
    kind: 'rrf',
    k: k === undefined ? RRF_K : countOf(k, join(path, 'k'), 1, FIXED.rrfKMax),
    weights:
      weights === undefined
        ? null
        : listOf(weights, join(path, 'weights')).map((weight, i) => {
            const number = numberOf(weight, join(path, `weights[${i}]`));
            if (number < 0 || number > FIXED.fusionWeightMax)
              throw rangeMistake(join(path, `weights[${i}]`), `must be from 0 to ${FIXED.fusionWeightMax}`);
            return number;
          }),
  };
}

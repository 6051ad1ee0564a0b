/** The bodies of measuring recall. Must not know: how it is measured. */

import { type Static, Type } from 'typebox';
import { FIXED } from '../model/limits.js';
import { FILTER_CLASSES } from '../model/recall.js';
import { closed, FilterBody, freshness, nullable, Token } from './body-parts.js';

const Recall = Type.Number({ minimum: 0, maximum: 1 });
const ClassRecall = Type.Object({ recall: Recall, sampled: Type.Integer() });

export const RecallBody = Type.Object(
  {
    sample: Type.Optional(
      Type.Integer({ minimum: 1, maximum: FIXED.recallSampleMax, default: 100, description: 'Points to search for.' }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, default: 10, description: 'Hits of each.' })),
    ef_search: Type.Optional(Type.Integer({ minimum: 1 })),
    using: Type.Optional(Type.String({ minLength: 1, description: 'Name of the vectors; left out: the default ones.' })),
    filter: Type.Optional(FilterBody),
    timeout_ms: Type.Optional(Type.Integer({ minimum: 1, description: 'Then it answers with what it has.' })),
    ...freshness,
  },
  closed,
);
export type RecallBody = Static<typeof RecallBody>;

export const RecallAnswerBody = Type.Object({
  recall: nullable(Type.Number({ minimum: 0, maximum: 1, description: 'Share of the true nearest points that were found.' })),
  sampled: Type.Integer({ description: 'Points that were searched for; fewer than asked for when time was over.' }),
  limit: Type.Integer(),
  ef_search: Type.Integer(),
  worst: nullable(Type.Number({ minimum: 0, maximum: 1, description: 'Of one point.' })),
  took_ms: Type.Number(),
  position: Token,
  by_filter_class: Type.Optional(
    Type.Object(Object.fromEntries(FILTER_CLASSES.map((name) => [name, Type.Optional(ClassRecall)])), {
      description: 'With a filter: by the share of points that it lets pass, in percent.',
    }),
  ),
});
export interface RecallAnswerBody extends Omit<Static<typeof RecallAnswerBody>, 'by_filter_class'> {
  readonly by_filter_class?: Readonly<Partial<Record<(typeof FILTER_CLASSES)[number], { recall: number; sampled: number }>>>;
}

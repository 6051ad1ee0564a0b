/** Parts of the bodies of search: what hybrid search adds to a request, and what an explanation holds. */

import { type Static, Type } from 'typebox';
import { FUSION_METHODS } from '../model/fusion.js';
import { FIXED } from '../model/limits.js';
import { closed } from './body-parts.js';

const Weight = Type.Optional(Type.Number({ minimum: 0, maximum: FIXED.fusionWeightMax, default: 1 }));

export const FusionBody = Type.Object(
  {
    method: Type.Optional(Type.Enum([...FUSION_METHODS], { default: 'rrf' })),
    rrf_k: Type.Optional(
      Type.Integer({ minimum: 1, maximum: FIXED.rrfKMax, default: 60, description: 'Added to ranks; of rrf only.' }),
    ),
    weights: Type.Optional(
      Type.Object(
        { vector: Weight, text: Weight },
        { ...closed, description: 'Shares of the two engines, not both 0; only their ratio counts.' },
      ),
    ),
  },
  { ...closed, description: 'How the hits of vector and text become one list; only where both are searched.' },
);
export type FusionBody = Static<typeof FusionBody>;

export const searchEngines = {
  text: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: FIXED.queryTextLengthMax,
      description: 'Words to find in the text fields of the collection.',
    }),
  ),
  fusion: Type.Optional(FusionBody),
  candidates: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: FIXED.searchCandidatesMax,
      description: 'Hits taken from each engine before fusion; only where both are searched.',
    }),
  ),
  cache: Type.Optional(Type.Boolean({ default: true, description: 'false: the answer is computed anew.' })),
  timeout_ms: Type.Optional(Type.Integer({ minimum: 1, description: 'How long the search itself may take.' })),
};

const engineReport = Type.Optional(Type.Object({}, { additionalProperties: true }));
export const ExplainBody = Type.Object({
  plan: Type.String(),
  reason: Type.String(),
  cardinality: Type.Object({ estimated: Type.Number(), actual: Type.Number() }),
  visited: Type.Number(),
  rejected: Type.Number(),
  steps: Type.Array(Type.Object({ name: Type.String(), took_ms: Type.Number() })),
  engines: Type.Object({ vector: engineReport, text: engineReport }),
  advice: Type.Array(Type.String()),
});
export type ExplainBody = Static<typeof ExplainBody>;

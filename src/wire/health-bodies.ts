/** The bodies of health: of the server at /health/detailed, and of the graph of a collection. Unknown is null, never 0. Must not know: how a node finds these values. */

import { type Static, Type } from 'typebox';
import { FILTER_CLASSES } from '../model/recall.js';
import { nullable, Timestamp } from './body-parts.js';

const Count = Type.Integer({ minimum: 0 });
const Health = Type.Enum(['healthy', 'degraded', 'unhealthy']);
const BreakerState = Type.Enum(['closed', 'half_open', 'open'], { description: 'open: not asked; half_open: one call tries.' });

const component = {
  status: Health,
  message: Type.String({ description: 'What is well, or all that is not.' }),
  latency_ms: nullable(Type.Number({ description: 'Of the query or read that the check did; null when it did none.' })),
  check_ms: Type.Optional(Type.Number({ description: 'The whole look.' })),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
};
const ComponentBody = Type.Object(component);
export type ComponentBody = Static<typeof ComponentBody>;

const IndexComponentBody = Type.Object({
  ...component,
  breaker: BreakerState,
  restarts: Type.Integer({ minimum: 0, description: 'Workers that were started again after they died.' }),
  stalled: Type.Integer({ minimum: 0, description: 'Workers that have said nothing for seconds.' }),
  collections: Type.Integer({ minimum: 0, description: 'Collections that have such an index.' }),
  loading: Type.Integer({ minimum: 0, description: 'Of those, how many answer nothing yet.' }),
});

const BreakerBody = Type.Object({
  state: BreakerState,
  failures: Type.Integer({ minimum: 0, description: 'In a row, up to now.' }),
});

export const RecallFigureBody = Type.Object({
  collection: nullable(Type.String({ description: 'null: of all that have no figures of their own.' })),
  filter_class: Type.Enum([...FILTER_CLASSES], { description: 'Points that pass the filter, in percent.' }),
  recall: Type.Number({ minimum: 0, maximum: 1, description: 'Mean of about the newest 1,000 checks.' }),
  checks: Count,
});

export const HealthDetailsBody = Type.Object({
  status: Health,
  reasons: Type.Array(Type.String()),
  checked_at: Timestamp,
  took_ms: Type.Number({ description: 'All looks, which run at once.' }),
  components: Type.Object(
    { vector: IndexComponentBody, text: IndexComponentBody, storage: ComponentBody },
    { additionalProperties: ComponentBody },
  ),
  fallback: Type.Object({ active: Type.Boolean(), since: nullable(Timestamp), count: Count }),
  breakers: Type.Object(
    { vector: BreakerBody, text: BreakerBody },
    { additionalProperties: BreakerBody, description: 'Of the search engines, and of each outside dependency by its name.' },
  ),
  recall: Type.Object({
    figures: Type.Array(RecallFigureBody),
    skipped: Type.Integer({ minimum: 0, description: 'Checks that were not made, for want of time.' }),
    discarded: Type.Integer({ minimum: 0, description: 'Checks without a result: the index moved meanwhile.' }),
  }),
  history: Type.Array(
    Type.Object({
      at: Timestamp,
      status: Health,
      took_ms: Type.Number(),
      failing: Type.Array(Type.String(), { description: 'Components that were not healthy.' }),
    }),
    { description: 'Looks of the monitor, oldest first.' },
  ),
  transitions: Type.Array(
    Type.Object({
      at: Timestamp,
      component: nullable(Type.String({ description: 'null: of the node as a whole.' })),
      from: Health,
      to: Health,
      message: Type.String(),
    }),
    { description: 'Changes that lasted, oldest first.' },
  ),
  errors: Type.Array(
    Type.Object({
      type: Type.String(),
      count: Count,
      first_at: Timestamp,
      last_at: Timestamp,
      last_message: Type.String(),
      last_stack: nullable(Type.String()),
      last_context: Type.Record(Type.String(), Type.Unknown()),
    }),
    { description: 'Errors since the start, by type, most frequent first.' },
  ),
});
export type HealthDetailsBody = Static<typeof HealthDetailsBody>;

/** What the newest look at a graph found. */
export const IndexHealthBody = Type.Object({
  checked_at: Timestamp,
  sampled: Count,
  reachable: Type.Integer({ minimum: 0, description: 'Of the sample, how many points their own vector finds.' }),
  orphans: Type.Integer({ minimum: 0, description: 'Places that no other one links to.' }),
  in_degree_min: Count,
  in_degree_mean: Type.Number({ minimum: 0 }),
});

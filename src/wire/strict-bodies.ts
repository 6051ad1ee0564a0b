/** The strict mode of a collection, as it stands in bodies: null takes a limit away, or the whole mode. */

import { type Static, Type } from 'typebox';
import { closed } from './body-parts.js';

const MOST = 1_000_000_000;
const Count = (description: string) =>
  Type.Optional(Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 1, maximum: MOST, description }));
const Allowed = (description: string) => Type.Optional(Type.Unsafe<boolean | null>({ type: ['boolean', 'null'], description }));

const limits = {
  max_query_limit: Count('Largest limit of a search, a page, a facet.'),
  max_timeout: Count('Longest timeout_ms that a request may ask for, in seconds.'),
  unindexed_filtering_retrieve: Allowed('false: filters of reads use declared payload indexes only.'),
  unindexed_filtering_update: Allowed('false: so do filters of deletes.'),
  search_max_hnsw_ef: Count('Largest ef_search of a request.'),
  search_allow_exact: Allowed('false: no exact search.'),
  search_max_batchsize: Count('Searches of one batch.'),
  upsert_max_batchsize: Count('Points of one upsert or patch.'),
  read_rate_limit: Count('Reads a minute, on each node by itself.'),
  write_rate_limit: Count('Writes a minute.'),
  max_points_count: Count('Points of the collection.'),
  filter_max_conditions: Count('Conditions of one filter, those inside others included.'),
  condition_max_size: Count('Values of one condition.'),
};
const Enabled = Type.Boolean({ description: 'false: the limits are kept and not enforced.' });

export const NewStrictModeBody = Type.Object({ enabled: Enabled, ...limits }, closed);
export const ChangedStrictModeBody = Type.Object({ enabled: Type.Optional(Enabled), ...limits }, closed);
export const ShownStrictModeBody = Type.Required(NewStrictModeBody);
export type ChangedStrictModeBody = Static<typeof ChangedStrictModeBody>;
export type ShownStrictModeBody = Static<typeof ShownStrictModeBody>;

/** What a copy is going to do: which collections, made with which settings, and under which aliases. Pure; everything that stands against it is found
 *  before anything is written. */

import { isDeepStrictEqual } from 'node:util';
import type { AliasBody, InfoBody } from './side.js';

/** A copy that cannot be; the message says what to do. */
export class CopyProblem extends Error {
  override readonly name = 'CopyProblem';
}

export interface CopyPlan {
  readonly collections: readonly PlannedCollection[];
  readonly aliases: readonly AliasBody[];
}

export interface PlannedCollection {
  readonly info: InfoBody;
  readonly settings: Readonly<Record<string, unknown>>;
  /** An interrupted copy has made it already. */
  readonly made: boolean;
}

export interface PlanInput {
  /** null: all */
  readonly names: readonly string[] | null;
  readonly source: readonly InfoBody[];
  readonly sourceAliases: readonly AliasBody[];
  readonly target: readonly InfoBody[];
  readonly targetAliases: readonly AliasBody[];
  /** Names of collections that an interrupted copy began. */
  readonly begun: ReadonlySet<string>;
}

/** What of a collection's information declares it: the fields of its creation. */
const SETTINGS = [
  ...['dimension', 'distance', 'vectors', 'sparse_vectors', 'hnsw', 'quantization'],
  ...['text_fields', 'text', 'payload_indexes', 'embedding', 'strict_mode', 'ttl_ms'],
];

/** @throws CopyProblem */
export function planCopy(input: PlanInput): CopyPlan {
  const { names, source, sourceAliases, target, targetAliases, begun } = input;
  const unknown = names?.find((name) => !source.some((info) => info.name === name));
  if (unknown !== undefined)
    throw new CopyProblem(
      `the source has no collection ${unknown}; it has ${source.map(({ name }) => name).join(', ') || 'none'}`,
    );
  const chosen = source.filter(({ name }) => names === null || names.includes(name));
  const collections = chosen.map((info) => planned(info, target, targetAliases, begun));
  const chosenNames = new Set(chosen.map(({ name }) => name));
  const aliases = sourceAliases.filter(({ collection }) => chosenNames.has(collection));
  for (const { alias, collection } of aliases) checkAlias(alias, collection, target, targetAliases);
  return { collections, aliases };
}

/** Only what is set: null is what creation takes for it anyhow. */
export function settingsOf(info: InfoBody): Readonly<Record<string, unknown>> {
  const told = SETTINGS.filter((name) => Object.hasOwn(info, name) && info[name] !== null);
  const settings = Object.fromEntries(told.map((name) => [name, declaredOf(name, info[name])]));
  if (info['dimension'] !== null) return settings;
  // Without a default vector it is said which there are instead, also when there are none; and there is no graph of it.
  const { hnsw: _hnsw, quantization: _quantization, ...others } = settings;
  return { vectors: {}, ...others };
}

/** Vectors under names are told with how many points have them. */
function declaredOf(name: string, value: unknown): unknown {
  if (name !== 'vectors' && name !== 'sparse_vectors') return value;
  const named = Object.entries(value as Readonly<Record<string, Readonly<Record<string, unknown>>>>);
  return Object.fromEntries(named.map(([key, { points_count: _, ...declared }]) => [key, declared]));
}

/** Points of one request: no more than the strict mode of the collection lets a page, or an upsert, have. */
export function batchOf(info: InfoBody, batch: number): number {
  const mode = info['strict_mode'] as Readonly<Record<string, unknown>> | null | undefined;
  if (mode?.['enabled'] !== true) return batch;
  const limits = [mode['max_query_limit'], mode['upsert_max_batchsize']].filter((limit) => typeof limit === 'number');
  return Math.min(batch, ...limits);
}

function planned(
  info: InfoBody,
  target: readonly InfoBody[],
  targetAliases: readonly AliasBody[],
  begun: ReadonlySet<string>,
): PlannedCollection {
  const settings = settingsOf(info);
  const there = target.find(({ name }) => name === info.name);
  if (there === undefined && targetAliases.some(({ alias }) => alias === info.name))
    throw new CopyProblem(`the target has an alias ${info.name}, so there can be no collection of that name`);
  if (there !== undefined && !begun.has(info.name))
    throw new CopyProblem(
      `the target has a collection ${info.name} already: --resume goes on with an interrupted copy, --collections names others, or delete it there first`,
    );
  if (there !== undefined && !isDeepStrictEqual(settingsOf(there), settings))
    throw new CopyProblem(
      `collection ${info.name} of the target has other settings now than the source; delete it there and copy it again`,
    );
  return { info, settings, made: there !== undefined };
}

/** @throws CopyProblem */
function checkAlias(alias: string, collection: string, target: readonly InfoBody[], targetAliases: readonly AliasBody[]): void {
  if (target.some(({ name }) => name === alias))
    throw new CopyProblem(`the target has a collection ${alias}, which is an alias in the source`);
  const there = targetAliases.find((one) => one.alias === alias);
  if (there !== undefined && there.collection !== collection)
    throw new CopyProblem(`alias ${alias} stands for ${there.collection} in the target and for ${collection} in the source`);
}

/** The collection that an import fills: the one that is there, if it is as was asked for, or a new one after the settings of the origin.
 *  Must not know: how points are read or sent. */

import { type CollectionInfo, type Distance, SkeinApiError, type SkeinClient } from '../../sdk/index.js';
import { UsageError } from '../failure.js';
import type { Origin } from './origin.js';
import { placeText, type RecordSource, type RefusedRecord } from './record.js';

export interface AskedSettings {
  readonly dimension: number | null;
  readonly distance: Distance | null;
}

export interface TargetParts {
  readonly client: SkeinClient;
  readonly collection: string;
  readonly asked: AskedSettings;
  readonly origin: Origin;
  readonly signal: AbortSignal;
  note(line: string): void;
}

/** @param first records of the origin from its beginning  @throws UsageError when one is there and is not as asked */
export async function targetCollection(parts: TargetParts, first: RecordSource): Promise<CollectionInfo> {
  const known = await existing(parts);
  if (known === null) return create(parts, first);
  mustBeAsAsked(known, parts.asked);
  const { settings, name } = parts.origin;
  if (settings.distanceKnown && settings.distance !== undefined && settings.distance !== known.distance)
    parts.note(`collection ${known.name} is there and has distance ${known.distance}; ${name} has ${settings.distance}`);
  return known;
}

async function existing({ client, collection, signal }: TargetParts): Promise<CollectionInfo | null> {
  try {
    return await client.collection(collection, { signal });
  } catch (error) {
    if (error instanceof SkeinApiError && error.type === 'CollectionNotFound') return null;
    throw error;
  }
}

/** A setting that cannot come true is not passed over. */
function mustBeAsAsked(known: CollectionInfo, wanted: AskedSettings): void {
  for (const setting of ['dimension', 'distance'] as const) {
    const asked = wanted[setting];
    if (asked === null || asked === known[setting]) continue;
    throw new UsageError(
      `collection ${known.name} is there and has ${setting} ${known[setting]}, not ${asked}; leave out --${setting} to import into it`,
    );
  }
}

async function create(parts: TargetParts, first: RecordSource): Promise<CollectionInfo> {
  const { client, collection, asked, origin, signal, note } = parts;
  const { distanceKnown, dimension: known, distance: own, ...settings } = origin.settings;
  if (own === undefined) return createNamed(parts);
  const dimension = asked.dimension ?? known ?? (await dimensionOf(parts, first));
  const distance = asked.distance ?? own;
  const chosen = asked.distance !== null || distanceKnown ? '' : ' (--distance chooses another)';
  note(`making collection ${collection}: dimension ${dimension}, distance ${distance}${chosen}${namesIn(origin)}`);
  return client.createCollection(collection, { ...settings, dimension, distance }, { signal });
}

/** One without a default vector. @throws UsageError */
function createNamed({ client, collection, asked, origin, signal, note }: TargetParts): Promise<CollectionInfo> {
  if (asked.dimension !== null || asked.distance !== null)
    throw new UsageError(
      `the vectors of ${origin.name} have names, with settings of their own: leave out --dimension and --distance`,
    );
  const { distanceKnown: _, ...settings } = origin.settings;
  note(`making collection ${collection}${namesIn(origin)}`);
  return client.createCollection(collection, settings, { signal });
}

function namesIn({ settings: { vectors = {}, sparseVectors = {} } }: Origin): string {
  const names = [...Object.keys(vectors), ...Object.keys(sparseVectors).map((name) => `${name} (sparse)`)];
  return names.length === 0 ? '' : `, with vectors ${names.join(', ')}`;
}

/** That of the first point; the records before it are read again later. */
async function dimensionOf({ collection, origin }: TargetParts, source: RecordSource): Promise<number> {
  let refused: RefusedRecord | null = null;
  let dimension: number | null = null;
  for await (const group of source.records()) {
    if (dimension !== null) return dimension;
    for (const record of group) {
      if (record.kind === 'refused') {
        refused ??= record;
        continue;
      }
      const names = Object.keys(record.vectors ?? {});
      if (record.vector !== undefined && names.length === 0) {
        dimension = record.vector.length;
        // A file of another format may begin with what looks like one point: nothing is made before it can be read behind it.
        if (group.length === 1) break;
        return dimension;
      }
      throw new Error(
        `${origin.name} has vectors under names (${names.join(', ')}), whose settings it does not tell: make collection ${collection} with them, then import`,
      );
    }
  }
  if (dimension !== null) return dimension;
  if (refused !== null)
    throw new Error(
      `${origin.name} holds no point that could be read, so collection ${collection} was not made; its ${placeText(source.placeWord, refused)} ${refused.problem}`,
    );
  throw new Error(`${origin.name} holds no point, so the dimension of collection ${collection} is not known: give --dimension`);
}

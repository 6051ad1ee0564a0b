/** Ids of points to look for. The own API has other texts as ids than the dialect: reads find them and show them as they are, writes of points
 *  refuse them. A UUID that the own API was given in another spelling is another text there: it is found by that spelling where no point has
 *  the canonical one. Must not know: bodies. */

import type { Engine } from '../../engine/engine.js';
import { checkPointId, type PointId } from '../../model/point.js';
import { canonicalUuid, checkDialectId } from '../../wire/qdrant-id.js';
import { asFormMistake } from './mistakes.js';

/** An id as somebody asks for it. */
export interface AskedId {
  readonly id: PointId;
  /** The text as it was given, where `id` is another spelling of it. */
  readonly spelled: string | null;
}

/** @throws InvalidRequest */
export function askedId(value: unknown, path: string): AskedId {
  try {
    if (typeof value !== 'string') return { id: checkDialectId(value, path), spelled: null };
    const id = canonicalUuid(value) ?? checkPointId(value, path);
    return { id, spelled: id === value ? null : value };
  } catch (error) {
    throw asFormMistake(error);
  }
}

/** What stands in a path: digits alone are an integer. @throws InvalidRequest */
export function idInPath(text: string): AskedId {
  return askedId(/^\d+$/.test(text) ? Number(text) : text, 'id');
}

/** Of each asked id the one that a point of the collection has. Cost: none where all are canonical, else a look for both spellings.
 *  @returns as many as were asked, in their order @throws CollectionNotFound */
export async function heldIds(
  engine: Pick<Engine, 'get'>,
  collection: string,
  asked: readonly AskedId[],
): Promise<readonly PointId[]> {
  const others = asked.flatMap(({ id, spelled }) => (spelled === null ? [] : [id, spelled]));
  if (others.length === 0) return asked.map(({ id }) => id);
  const { missing } = await engine.get(collection, [...new Set(others)], { withPayload: false, withVector: false });
  const absent = new Set(missing);
  return asked.map(({ id, spelled }) => (spelled !== null && absent.has(id) && !absent.has(spelled) ? spelled : id));
}

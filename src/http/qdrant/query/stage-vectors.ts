/** The vectors that a stage names by ids: of points of its collection, or of another one. Under cosine distance they have length 1, as the
 *  dialect stores them. Must not know: what the vectors are for. */

import type { FoundPoint } from '../../../engine/engine.js';
import { SkeinError } from '../../../model/errors.js';
import { DEFAULT_VECTOR, type PointId, type QueryVector } from '../../../model/point.js';
import { join } from '../../../wire/place.js';
import { wrongInput } from '../mistakes.js';
import { heldIds } from '../point-id.js';
import { withLengthOne } from '../record.js';
import { distanceOf, vectorNamed } from '../vector-names.js';
import type { QueryContext, StageVectors } from './query-context.js';
import { inputsOf, type Stage } from './stages.js';

/** @throws CollectionNotFound, PointNotFound, InvalidRequest, PayloadTooLarge */
export async function stageVectors(context: QueryContext, stage: Stage): Promise<StageVectors> {
  const { engine, collection, budget, positions } = context;
  const asked = inputsOf(stage.query).flatMap((input) => ('asked' in input ? [input.asked] : []));
  const from = stage.lookupFrom;
  const source = from === null ? collection : engine.collection(from.collection);
  const name = from?.vector ?? stage.using;
  const held = await heldIds(engine, source.name, asked);
  const ids = [...new Set(held)];
  const vectors = new Map<PointId, QueryVector>();
  if (ids.length > 0) {
    const distance = distanceOf(source, name, join(stage.path, from === null ? 'using' : 'lookup_from.vector'));
    const { points, missing, position } = await budget.hold(
      () => engine.get(source.name, ids, { withPayload: false, withVector: [name] }),
      (answer) => answer.points,
    );
    positions.push(position);
    if (missing[0] !== undefined) throw noPoint(missing[0]);
    for (const point of points) vectors.set(point.id, asStored(vectorUnder(point, name), distance));
  }
  const vectorOf = new Map(asked.map((one, i) => [one, vectors.get(held[i] as PointId) as QueryVector]));
  return {
    of: (input) => ('asked' in input ? (vectorOf.get(input.asked) as QueryVector) : input.vector),
    ids: source.uid === collection.uid ? ids : [],
  };
}

function asStored(vector: QueryVector, distance: string): QueryVector {
  return distance === 'cosine' && vector instanceof Float32Array ? withLengthOne(vector) : vector;
}

/** @throws InvalidRequest when the point has none */
function vectorUnder(point: FoundPoint, name: string): QueryVector {
  const vector = vectorNamed(point, name);
  if (vector !== null) return vector;
  throw wrongInput(`point ${String(point.id)} has no vector ${name === DEFAULT_VECTOR ? 'without a name' : `\`${name}\``}`);
}

function noPoint(id: PointId): SkeinError {
  return new SkeinError('PointNotFound', `No point with id ${String(id)} found`);
}

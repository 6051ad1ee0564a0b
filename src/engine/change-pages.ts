/** From entries as they crossed from the feed's thread to changes, one for each point, decoded as they are taken. Pure.
 *
 *  A change within an entry has a token of its own; the last of an entry has the token of what lies behind the entry.
 *  Must not know: reads, sockets. */

import { decodeEntry } from '../codec/entry.js';
import { type ChangePlace, encodeChangeToken, tokensWithin } from '../model/change-place.js';
import type { Entry, PointValue } from '../model/entry.js';
import { type ChangesAnswer, MARK } from './change-reads.js';
import type { Change, ChangedPoint, ChangeEvent } from './changes.js';
import { type RowSelection, selectedVectors } from './row-reads.js';

const NO_PARTS: RowSelection = { withPayload: false, withVector: false };
const NO_VECTOR = { vector: null };

export interface PageParts {
  readonly answer: ChangesAnswer;
  /** Points of the first entry of the log behind the place that are behind the reader already. */
  readonly done: number;
  /** Right behind an entry. */
  readonly placeOf: (seq: number) => ChangePlace;
}

export function* changesOf({ answer, done, placeOf }: PageParts, fromSeq: number): Generator<Change, void, undefined> {
  const { bytes, ends, marks, collections } = answer;
  let start = 0;
  let mark = 0;
  for (const end of ends) {
    const entry = decodeEntry(bytes.subarray(start, end));
    start = end;
    const skip = entry.seq === fromSeq ? done : 0;
    const events = eventsOf(entry, collections, marks === null ? null : marks.subarray(mark));
    if (entry.effect.kind === 'put_points') mark += entry.effect.points.length;
    yield* tokened(entry, events, skip, placeOf);
  }
}

/** @param skip so many points of it are behind the reader */
function* tokened(
  { seq, timeMs }: Entry,
  events: readonly (ChangeEvent | null)[],
  skip: number,
  placeOf: PageParts['placeOf'],
): Generator<Change, void, undefined> {
  const behind = placeOf(seq);
  const tokenOf = events.length > 1 ? tokensWithin({ ...behind, afterSeq: seq - 1 }) : null;
  for (let i = skip; i < events.length; i++) {
    const event = events[i];
    if (event === null || event === undefined) continue;
    const isLast = i === events.length - 1;
    yield { event, seq, timeMs, token: isLast || tokenOf === null ? encodeChangeToken(behind) : tokenOf(i + 1) };
  }
}

/** One for each point of the entry; null: left out. */
function eventsOf(
  { effect }: Entry,
  collections: ChangesAnswer['collections'],
  marks: Uint8Array | null,
): (ChangeEvent | null)[] {
  const known = 'uid' in effect ? collections.get(effect.uid) : undefined;
  const collection = known?.name ?? '';
  const parts = known?.parts ?? NO_PARTS;
  switch (effect.kind) {
    case 'put_points':
      return effect.points.map((point, i) => {
        const mark = marks === null ? MARK.upsert : marks[i];
        if (mark === MARK.leave) return { kind: 'leave', collection, id: point.id };
        return mark === MARK.upsert ? { kind: 'upsert', collection, point: changedPoint(point, parts) } : null;
      });
    case 'delete_points':
      return effect.ids.map((id) => ({ kind: 'delete', collection, id }));
    case 'create_collection':
    case 'update_collection':
      return [{ kind: effect.kind, collection, spec: effect.spec }];
    case 'drop_collection':
      return [{ kind: 'delete_collection', collection }];
    case 'put_alias':
      return [{ kind: 'put_alias', alias: effect.name, collection }];
    case 'remove_alias':
      return [{ kind: 'delete_alias', alias: effect.name }];
    default:
      return [];
  }
}

function changedPoint({ id, payload, vectorSet, expiresAtMs }: PointValue, parts: RowSelection): ChangedPoint {
  const vectors =
    parts.withVector || parts.named !== undefined ? selectedVectors(vectorSet, { ...parts, named: parts.named }) : NO_VECTOR;
  return { id, payload: parts.withPayload ? payload : null, ...vectors, expiresAtMs };
}

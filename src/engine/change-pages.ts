/** From entries as they crossed from the feed's thread to changes, one for each point, decoded as they are taken. Pure.
 *
 *  A change within an entry has a token of its own; the last of an entry has the token of what lies behind the entry.
 *  Must not know: reads, sockets. */

import { decodeEntry } from '../codec/entry.js';
import { decodeDefaultVector } from '../codec/vector-set.js';
import { type ChangePlace, encodeChangeToken, tokensWithin } from '../model/change-place.js';
import type { Entry, PointValue } from '../model/entry.js';
import { type ChangesAnswer, MARK } from './change-reads.js';
import type { Change, ChangedPoint, ChangeEvent, ChangeSelection } from './changes.js';

export interface PageParts {
  readonly answer: ChangesAnswer;
  /** Points of the first entry of the log behind the place that are behind the reader already. */
  readonly done: number;
  readonly selection: ChangeSelection;
  /** Right behind an entry. */
  readonly placeOf: (seq: number) => ChangePlace;
}

export function* changesOf({ answer, done, selection, placeOf }: PageParts, fromSeq: number): Generator<Change, void, undefined> {
  const { bytes, ends, marks, names } = answer;
  let start = 0;
  let mark = 0;
  for (const end of ends) {
    const entry = decodeEntry(bytes.subarray(start, end));
    start = end;
    const skip = entry.seq === fromSeq ? done : 0;
    const events = eventsOf(entry, names, selection, marks === null ? null : marks.subarray(mark));
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
  names: ReadonlyMap<number, string>,
  selection: ChangeSelection,
  marks: Uint8Array | null,
): (ChangeEvent | null)[] {
  const collection = 'uid' in effect ? (names.get(effect.uid) ?? '') : '';
  switch (effect.kind) {
    case 'put_points':
      return effect.points.map((point, i) => {
        const mark = marks === null ? MARK.upsert : marks[i];
        if (mark === MARK.leave) return { kind: 'leave', collection, id: point.id };
        return mark === MARK.upsert ? { kind: 'upsert', collection, point: changedPoint(point, selection) } : null;
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

function changedPoint({ id, payload, vectorSet, expiresAtMs }: PointValue, selection: ChangeSelection): ChangedPoint {
  return {
    id,
    payload: selection.withPayload ? payload : null,
    vector: selection.withVector ? decodeDefaultVector(vectorSet) : null,
    expiresAtMs,
  };
}

/** The change feed over the log of one engine: from a place to what comes behind it.
 *
 *    place ─► of this data's past? (PositionLost) ─► still in the log? (ChangesGone) ─► a page in the feed's thread ─► changes, next place
 *
 *  Invariant: only what is durable is told, in the order of the log; a page begins exactly where the one before ended. In a snapshot, and
 *  behind it until the log has caught up with what was read, the place names the newest state that was read, because
 *  on a node without that state the snapshot would have left things out. Must not know: HTTP, how changes travel. */

import { inScope } from '../model/access-key.js';
import type { Cancellation } from '../model/cancellation.js';
import { type ChangePlace, encodeChangeToken, placeAt, SCAN_ALIASES, type ScanPlace } from '../model/change-place.js';
import type { Clock } from '../model/clock.js';
import { invalidRequest, SkeinError } from '../model/errors.js';
import { type Position, positionAt } from '../model/position.js';
import type { StoreState } from '../storage/storage.js';
import type { Catalogue } from './catalogue.js';
import { changesOf } from './change-pages.js';
import { CHANGE_ROWS_MAX, type ScanItem } from './change-reads.js';
import type { Change, ChangeEvent, ChangeLog, ChangePage, ChangeSelection, ChangeStart } from './changes.js';
import { checkFilterTexts } from './filter-texts.js';
import { abandoned } from './given-up.js';
import { MESSAGE_WAIT_MS, type PositionSource, reachPosition } from './position-wait.js';
import type { Reader } from './reader.js';
import type { Tail } from './tail.js';

export interface LocalChangesParts {
  readonly source: Omit<PositionSource, 'state'> & { state(): StoreState };
  readonly reader: Pick<Reader, 'read'>;
  readonly catalogue: Pick<Catalogue, 'find' | 'get'>;
  readonly durable: Tail;
  readonly clock: Clock;
}

export class LocalChanges implements ChangeLog {
  readonly #parts: LocalChangesParts;

  constructor(parts: LocalChangesParts) {
    this.#parts = parts;
  }

  async begin(start: ChangeStart, selection: ChangeSelection, reachMs: number): Promise<ChangePage> {
    this.#check(start, selection);
    const end = placeAt(this.#positionAt(this.#parts.durable.seq));
    if (start === 'now') return { changes: [], place: end };
    if (start === 'snapshot') {
      const place = { ...end, scan: { stage: 0, after: null } };
      return { changes: [controlAt(place, 'snapshot_begin')], place };
    }
    await this.#reach(start, reachMs);
    return { changes: [], place: start };
  }

  /** A place may be of a time when the collection was there. */
  #check(start: ChangeStart, { collection, filter, scope }: ChangeSelection): void {
    if (collection === null) return;
    const { catalogue } = this.#parts;
    const entry = typeof start === 'string' ? catalogue.get(collection) : catalogue.find(collection);
    if (entry === undefined) return;
    const { name, spec } = entry.row;
    if (name !== collection) {
      // What it stands for is told to whom it is told anyhow.
      const itself = inScope(scope, name) ? `'${name}' itself` : 'a collection by its own name';
      throw invalidRequest('collection', `'${collection}' is an alias, which may be switched: follow ${itself}`);
    }
    checkFilterTexts(spec, filter ?? undefined);
  }

  async next(place: ChangePlace, selection: ChangeSelection, waitMs: number, cancellation?: Cancellation): Promise<ChangePage> {
    await this.#reach(place, 0);
    if (place.scan !== null) return this.#scan(place, place.scan, selection, cancellation);
    const { durable, reader } = this.#parts;
    const { afterSeq } = place;
    if (durable.seq <= afterSeq && !(await this.#advanced(afterSeq + 1, waitMs, cancellation))) return { changes: [], place };
    const rowsMax = Math.min(CHANGE_ROWS_MAX, durable.seq - afterSeq);
    const request = { kind: 'changes', fromSeq: afterSeq + 1, rowsMax, selection } as const;
    const answer = await reader.read(request, 0, Number.POSITIVE_INFINITY, cancellation);
    if (answer.throughSeq <= afterSeq) throw this.#gone(afterSeq);
    const seen = place.position;
    const placeOf = (seq: number): ChangePlace => {
      const position = seq < seen.seq ? seen : this.#positionAt(seq);
      return { position, afterSeq: seq, done: 0, scan: null };
    };
    const changes = changesOf({ answer, done: place.done, placeOf }, afterSeq + 1);
    return { changes, place: placeOf(answer.throughSeq) };
  }

  async #scan(
    place: ChangePlace,
    scan: ScanPlace,
    selection: ChangeSelection,
    cancellation: Cancellation | undefined,
  ): Promise<ChangePage> {
    const { reader, durable } = this.#parts;
    const request = { kind: 'changes_scan', scan, stateSeq: place.afterSeq, selection } as const;
    const page = await reader.read(request, 0, Number.POSITIVE_INFINITY, cancellation);
    // A reader may see a commit a moment before its message arrives.
    if (page.seq > durable.seq) await durable.reach(page.seq, MESSAGE_WAIT_MS);
    const position = page.seq > place.position.seq ? this.#positionAt(page.seq) : place.position;
    const next = { ...place, position, scan: page.next };
    const changes = page.items.map((item) => scannedChange(item, next));
    if (page.next === null) changes.push(controlAt(next, 'snapshot_end'));
    return { changes, place: next };
  }

  /** @throws PositionLost, ReplicaBehind, ChangesGone */
  async #reach(place: ChangePlace, maxWaitMs: number): Promise<void> {
    const { source, durable, clock } = this.#parts;
    await reachPosition(place.position, source, durable, clock, maxWaitMs);
    if (place.afterSeq + 1 < source.state().logMinSeq) throw this.#gone(place.afterSeq);
  }

  #gone(afterSeq: number): SkeinError {
    const oldest = this.#parts.source.state().logMinSeq - 1;
    return new SkeinError('ChangesGone', 'The log does not reach back to this place any more: begin again with from=snapshot', {
      requested_seq: afterSeq,
      oldest_seq: oldest,
      oldest: encodeChangeToken(placeAt(this.#positionAt(oldest))),
    });
  }

  /** @throws Timeout when it is cancelled */
  async #advanced(seq: number, waitMs: number, cancellation: Cancellation | undefined): Promise<boolean> {
    const { durable } = this.#parts;
    if (cancellation === undefined) return durable.reach(seq, waitMs);
    let stopListening = (): void => {};
    const cancelled = new Promise<never>((_, reject) => {
      stopListening = cancellation.onCancel(() => reject(abandoned()));
    });
    try {
      return await Promise.race([durable.reach(seq, waitMs), cancelled]);
    } finally {
      stopListening();
    }
  }

  #positionAt(seq: number): Position {
    const { source } = this.#parts;
    return positionAt(source.lineage(), seq, source.state());
  }
}

function controlAt(place: ChangePlace, kind: 'snapshot_begin' | 'snapshot_end'): Change {
  return { event: { kind }, seq: place.afterSeq, timeMs: null, token: encodeChangeToken(place) };
}

function scannedChange(item: ScanItem, page: ChangePlace): Change {
  const { event, seq, scan } = scannedEvent(item, page.afterSeq);
  return { event, seq, timeMs: null, token: encodeChangeToken({ ...page, scan }) };
}

function scannedEvent(item: ScanItem, stateSeq: number): { event: ChangeEvent; seq: number; scan: ScanPlace } {
  switch (item.kind) {
    case 'collection': {
      const { uid, name: collection, spec } = item;
      return { event: { kind: 'create_collection', collection, spec }, seq: stateSeq, scan: { stage: uid, after: null } };
    }
    case 'point': {
      const { uid, collection, point, version } = item;
      return { event: { kind: 'upsert', collection, point }, seq: version, scan: { stage: uid, after: point.id } };
    }
    case 'alias': {
      const { alias, collection } = item;
      return { event: { kind: 'put_alias', alias, collection }, seq: stateSeq, scan: { stage: SCAN_ALIASES, after: alias } };
    }
  }
}

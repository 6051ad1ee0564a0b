/** One write from request to receipt, and a write to all points that match a filter as a row of such writes.
 *
 *    write:  admit ─► room in the indexes ─► writer (durable) ─► tail.durable ─► wait=indexed ─► receipt
 *
 *  Must not know: HTTP, threads, how reads are answered, how a commit is published. */

import type { Clock } from '../model/clock.js';
import { invalidRequest, SkeinError } from '../model/errors.js';
import type { Filter } from '../model/filter.js';
import type { Limits } from '../model/limits.js';
import type { Idempotency, Operation } from '../model/operation.js';
import type { PointChange, PointId } from '../model/point.js';
import type { Position } from '../model/position.js';
import { traceparentOf } from '../model/trace-context.js';
import { type Span, spanned } from '../model/tracer.js';
import { type Catalogue, type CatalogueEntry, leastIndexed, reachConfigured, reachIndexed } from './catalogue.js';
import type { ClusterOperation } from './cluster-operations.js';
import type { DiskWatch } from './disk-watch.js';
import type { EngineWork, WriteOptions, WriteReceipt } from './engine.js';
import { within } from './engine-calls.js';
import type { EngineGuards } from './engine-guards.js';
import type { FilterLookup } from './filter-lookup.js';
import { afterUnits, deletesOf, patchesOf, pointsOf, type UnitForm, type UnitsDone } from './filtered-units.js';
import { abandoned } from './given-up.js';
import type { IndexKeeper } from './index-keeper.js';
import { changesSettings } from './index-settings.js';
import type { KeyOperation } from './key-operations.js';
import { givenAway, operationBytes } from './operation-size.js';
import type { Reader } from './reader.js';
import type { ReadAnswers } from './reads.js';
import type { UnitOutcome, UnitRequest } from './unit-writer.js';
import { durableBefore } from './write-deadline.js';
import type { WriterLink } from './writer-link.js';

const TRACE_LENGTH_MAX = 255;
/** What may be written while the disk or the memory is short of room. */
const FREES_ROOM: ReadonlySet<Operation['kind']> = new Set(['delete', 'delete_collection', 'delete_alias'] as const);

export interface WritePathParts {
  readonly link: WriterLink;
  readonly reader: Reader;
  readonly keeper: IndexKeeper;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly disk: DiskWatch;
  readonly lookup: FilterLookup;
  readonly limits: Limits;
  readonly guards: EngineGuards;
  readonly durableSeq: () => number;
  readonly positionAt: (seq: number) => Position;
  onWork(work: EngineWork): void;
}

interface NextUnit {
  readonly name: string;
  readonly filter: Filter;
  /** It begins behind this point; null: at the first. */
  readonly after: PointId | null;
  /** The last point that was there at the first unit: however many come behind it, the write has an end. Null: this is the first. */
  readonly through: PointId | null;
  readonly done: UnitsDone;
  /** Of all units; null: each has its own, and the look for what matches has none. */
  readonly deadlineMs: number | null;
}

export class WritePath {
  readonly #parts: WritePathParts;
  #closed = false;

  constructor(parts: WritePathParts) {
    this.#parts = parts;
  }

  /** From now on nothing is admitted; what was goes its way. */
  close(): void {
    this.#closed = true;
  }

  /** @throws as Engine.write */
  write(operations: readonly Operation[], options: WriteOptions): Promise<WriteReceipt> {
    return spanned(options.span, 'write', (span) => this.#write(operations, options, span));
  }

  async #write(operations: readonly Operation[], options: WriteOptions, span: Span | undefined): Promise<WriteReceipt> {
    const deadlineMs = this.#parts.clock.monotonicMs() + options.timeoutMs;
    this.#admit(operations);
    if (options.trace !== undefined && options.trace.length > TRACE_LENGTH_MAX)
      throw invalidRequest('trace', 'a traceparent is short');
    const bytes = operationBytes(operations);
    this.#parts.link.reserve(bytes);
    if (!(await spanned(span, 'room', () => this.#parts.keeper.room(options.timeoutMs)))) {
      this.#parts.link.release(bytes);
      throw new SkeinError('Overloaded', 'The indexes are too far behind to take more; nothing was written', {
        reason: 'index_lag',
      });
    }
    const { idempotency } = options;
    // Whoever applies the entry goes on with this span's work.
    const trace = span === undefined ? options.trace : traceparentOf(span.context);
    const request: UnitRequest = { operations, ...(idempotency && { idempotency }), ...(trace && { trace }) };
    const sent = this.#parts.link.write(request, bytes, givenAway(operations));
    const outcome = await spanned(span, 'commit', (own) => this.#durable(sent, deadlineMs, own));
    span?.set({ 'skein.operations': operations.length, 'skein.bytes': bytes, 'skein.seq': outcome.seq });
    if (options.wait === 'indexed') {
      await spanned(span, 'index', async () => {
        await this.#indexed(namesOf(operations), outcome, deadlineMs);
        await this.#configured(operations, outcome.seq, deadlineMs);
      });
    }
    return this.#receiptOf(outcome);
  }

  /** What the transaction itself took is the end of the wait; before it stands what waited in the queue. */
  async #durable(sent: Promise<UnitOutcome>, deadlineMs: number, span: Span | undefined): Promise<UnitOutcome> {
    const { clock, link } = this.#parts;
    const startMs = clock.monotonicMs();
    const outcome = await durableBefore(deadlineMs - startMs, sent);
    if (span === undefined) return outcome;
    const endMs = clock.monotonicMs();
    const commitMs = Math.min(link.lastCommitMs, endMs - startMs);
    span.child('queue', { startMs }).end(endMs - commitMs);
    span.child('fsync', { startMs: endMs - commitMs }).end(endMs);
    return outcome;
  }

  #receiptOf({ results, seq, repeated }: UnitOutcome): WriteReceipt {
    if (!repeated) this.#parts.onWork({ kind: 'written', results });
    return { results, seq, position: this.#parts.positionAt(seq), repeated };
  }

  /** Logs what replication asks for, or a change of keys, as one unit. @throws as Engine.write, without Timeout · NotMaster */
  async writeCluster(operations: readonly (ClusterOperation | KeyOperation)[]): Promise<WriteReceipt> {
    this.#admit([]);
    this.#parts.link.reserve(0);
    const outcome = await this.#parts.link.write({ operations }, 0);
    return this.#receiptOf(outcome);
  }

  #admit(operations: readonly Operation[]): void {
    if (this.#closed) throw new SkeinError('ShuttingDown', 'The server is stopping and takes no writes');
    const frees = operations.every(({ kind }) => FREES_ROOM.has(kind));
    this.#parts.disk.admit(frees);
    if (!frees) this.#parts.guards.admitGrowth();
  }

  async #indexed(
    names: readonly string[],
    outcome: { readonly seq: number; readonly uids?: readonly number[] },
    deadlineMs: number,
  ): Promise<void> {
    const { catalogue } = this.#parts;
    // What a name stood for inside the unit is known by uid; a repeat knows names alone.
    const named = names.map((name) => catalogue.find(name));
    const changed = (outcome.uids ?? []).map((uid) => catalogue.byUid(uid));
    for (const entry of new Set([...named, ...changed])) {
      if (entry === undefined || outcome.seq > this.#parts.durableSeq()) continue;
      // A collection that this unit did not change has nothing to wait for beyond its own last entry.
      const goal = Math.min(outcome.seq, entry.row.lastSeq);
      if (await reachIndexed(entry, goal, () => deadlineMs - this.#parts.clock.monotonicMs())) continue;
      if (this.#parts.catalogue.byUid(entry.row.uid) === undefined) continue;
      throw notApplied(outcome.seq, entry);
    }
  }

  /** Other settings of what is indexed are applied when they serve. */
  async #configured(operations: readonly Operation[], seq: number, deadlineMs: number): Promise<void> {
    const { catalogue, clock } = this.#parts;
    for (const operation of operations) {
      if (operation.kind !== 'update_collection' || !changesSettings(operation.change)) continue;
      const entry = catalogue.find(operation.collection);
      if (entry === undefined || (await reachConfigured(entry, () => deadlineMs - clock.monotonicMs()))) continue;
      if (catalogue.byUid(entry.row.uid) !== undefined) throw notApplied(seq, entry);
    }
  }

  /** @throws as Engine.write; units that were durable before stay deleted */
  deleteByFilter(collection: string, filter: Filter, options: WriteOptions): Promise<WriteReceipt> {
    return this.#inUnits(deletesOf(filter), collection, filter, options);
  }

  /** @throws as Engine.write; units that were durable before stay changed */
  patchByFilter(collection: string, filter: Filter, change: PointChange, options: WriteOptions): Promise<WriteReceipt> {
    return this.#inUnits(patchesOf(filter, change, this.#parts.limits.writeQueueBytesMax), collection, filter, options);
  }

  async #inUnits(form: UnitForm, collection: string, filter: Filter, options: WriteOptions): Promise<WriteReceipt> {
    const { clock } = this.#parts;
    const { idempotency, eachUnitAnew } = options;
    const endMs = clock.monotonicMs() + options.timeoutMs;
    const deadlineMs = eachUnitAnew === true ? null : endMs;
    const known = idempotency === undefined ? null : await this.#recall(idempotency);
    if (known !== null) {
      if (options.wait === 'indexed') await this.#indexed([collection], known, endMs);
      return known;
    }
    // All units go into one collection, also when the name is an alias that is switched meanwhile.
    const { name } = this.#parts.catalogue.get(collection).row;
    let done: UnitsDone = { points: 0, units: 0 };
    let through: PointId | null = null;
    for (let after: PointId | null = null; ; ) {
      try {
        const unit = await this.#unit(form, { name, filter, after, through, done, deadlineMs }, options);
        if (unit.isLast) return unit.receipt;
        done = { points: pointsOf(unit.receipt.results[0]), units: done.units + 1 };
        ({ last: after, through } = unit);
      } catch (error) {
        throw afterUnits(error, form, done);
      }
    }
  }

  /** The next of what matches. */
  async #unit(
    form: UnitForm,
    { name, filter, after, through, done, deadlineMs }: NextUnit,
    { idempotency, ...rest }: WriteOptions,
  ): Promise<
    Pick<NextUnit, 'through'> & { readonly receipt: WriteReceipt; readonly isLast: boolean; readonly last: PointId | null }
  > {
    const leftMs = (): number => (deadlineMs === null ? rest.timeoutMs : deadlineMs - this.#parts.clock.monotonicMs());
    if (rest.cancellation?.isCancelled === true) throw abandoned();
    if (done.units > 0 && leftMs() <= 0) throw new SkeinError('Timeout', 'The time was over before the next unit');
    const entry = this.#parts.catalogue.get(name);
    const rowFilter = await this.#parts.lookup.rowFilter(entry, filter);
    const ask = { kind: 'match', uid: entry.row.uid, filter: rowFilter, after, through, ...form.bounds } as const;
    const matching = this.#parts.reader.read(ask, 0, Number.POSITIVE_INFINITY, rest.cancellation);
    const matched: ReadAnswers['match'] =
      deadlineMs === null ? await matching : await within(matching, leftMs(), 'Looking for what matches took too long');
    // The key is remembered with the last unit, and the count of all: a retry of an interrupted request does what is left.
    const isLast = !matched.more;
    const timeoutMs = Math.max(1, leftMs());
    const operation = form.operation(name, matched.ids, done);
    // Indexes take units in their order: the last one is waited for in the place of all. And a wait that ends before it does not say that all
    // is durable.
    const how = isLast
      ? { ...rest, timeoutMs, ...(idempotency && { idempotency }) }
      : { ...rest, timeoutMs, wait: 'durable' as const };
    const receipt = await this.write([operation], how);
    return { receipt, isLast, last: matched.ids.at(-1) ?? after, through: matched.through };
  }

  /** What an idempotency key was answered before, or null. */
  async #recall(idempotency: Idempotency): Promise<WriteReceipt | null> {
    this.#admit([]);
    this.#parts.link.reserve(0);
    const outcome = await this.#parts.link.write({ operations: [], idempotency, recallOnly: true }, 0);
    return outcome.repeated ? this.#receiptOf(outcome) : null;
  }
}

function notApplied(seq: number, entry: CatalogueEntry): SkeinError {
  return new SkeinError('Timeout', 'The write is durable; its index has not applied it yet', {
    state: 'durable',
    seq,
    indexed_seq: leastIndexed(entry),
  });
}

function namesOf(operations: readonly Operation[]): string[] {
  return operations.flatMap((operation) => ('collection' in operation ? [operation.collection] : []));
}

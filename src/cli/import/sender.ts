/** Sends points in batches, several at once, and keeps count of how far the file is done.
 *
 *    records ─► batch (points, bytes) ─► [in flight ≤ max, no id twice] ─► server ─► done up to index n, without gaps
 *
 *  Invariant: two points with one id are never under way together, so the later one wins as it does in the file.
 *  A refused batch is taken apart until the point that is at fault stands alone. Must not know: files, formats, HTTP. */

import type { PointId } from '../../model/point.js';
import { type PointInput, SkeinApiError } from '../../sdk/index.js';
import { type ImportRecord, type PointRecord, type RefusedRecord, refusedRecord, type SourceKey } from './record.js';

export interface SenderSettings {
  readonly batchPoints: number;
  readonly batchBytes: number;
  /** Batches between the first that is not done and the last that was sent. */
  readonly inFlightMax: number;
  /** Throws SkeinApiError for points that the server refuses. */
  send(points: readonly PointInput[]): Promise<void>;
  onRefused(record: RefusedRecord): void;
}

/** Counts of the records before `next`: every one of them is either stored or refused. */
export interface DoneSoFar {
  readonly next: number;
  readonly imported: number;
  readonly refused: number;
  /** Of the record before `next`, where its origin has keys. */
  readonly key?: SourceKey;
}

interface Batch {
  readonly points: PointRecord[];
  readonly ids: Set<PointId>;
  bytes: number;
  /** Refused by the reader, between the points of this batch. */
  refusedBefore: number;
  nextIndex: number;
  /** Of the record before that. */
  key: SourceKey | undefined;
}

interface Flight {
  readonly batch: Batch;
  readonly landing: Promise<void>;
  landed: boolean;
  imported: number;
  refused: number;
}

/** Errors that name a fault of the points, not of the server, the collection or the key. */
const FAULTS_OF_POINTS = new Set([
  'InvalidRequest',
  'DimensionMismatch',
  'InvalidVector',
  'ZeroVector',
  'PayloadTooLarge',
  'InvalidJson',
]);

export class Sender {
  readonly #settings: SenderSettings;
  /** In the order of the file. */
  readonly #flights: Flight[] = [];
  readonly #idsInFlight = new Set<PointId>();
  #batch: Batch;
  #done: DoneSoFar;
  #importedNow = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(settings: SenderSettings, done: DoneSoFar) {
    this.#settings = settings;
    this.#done = done;
    this.#batch = emptyBatch(done.next, done.key);
  }

  get done(): DoneSoFar {
    return this.#done;
  }

  /** Points stored by this run, those behind a gap included. */
  get importedNow(): number {
    return this.#importedNow;
  }

  /** Takes the next record; waits while too much is under way. @throws what a batch failed with, once */
  async add(record: ImportRecord): Promise<void> {
    if (record.kind === 'refused') {
      this.#settings.onRefused(record);
      this.#batch.refusedBefore += 1;
      this.#endBatchAt(record);
      return;
    }
    const { batchPoints, batchBytes } = this.#settings;
    const full = this.#batch.points.length >= batchPoints || this.#batch.bytes + record.bytes > batchBytes;
    if (this.#batch.points.length > 0 && (full || this.#batch.ids.has(record.id))) await this.#launch();
    this.#batch.points.push(record);
    this.#batch.ids.add(record.id);
    this.#batch.bytes += record.bytes;
    this.#endBatchAt(record);
  }

  #endBatchAt({ index, key }: ImportRecord): void {
    this.#batch.nextIndex = index + 1;
    this.#batch.key = key;
  }

  /** Sends what is left and waits for all. @throws what a batch failed with */
  async finish(): Promise<void> {
    await this.#launch();
    await this.settle();
    this.#throwFailure();
  }

  /** Waits for what is under way and sends nothing more; never throws. */
  async settle(): Promise<void> {
    await Promise.all(this.#flights.map(({ landing }) => landing));
  }

  async #launch(): Promise<void> {
    const batch = this.#batch;
    this.#batch = emptyBatch(batch.nextIndex, batch.key);
    const clashes = (): boolean => {
      for (const id of batch.ids) if (this.#idsInFlight.has(id)) return true;
      return false;
    };
    while (this.#failure === null && (this.#flights.length >= this.#settings.inFlightMax || clashes())) {
      await Promise.race(this.#flights.filter(({ landed }) => !landed).map(({ landing }) => landing));
    }
    this.#throwFailure();
    for (const id of batch.ids) this.#idsInFlight.add(id);
    const flight: { -readonly [Key in keyof Flight]: Flight[Key] } = {
      batch,
      landing: Promise.resolve(),
      landed: false,
      imported: 0,
      refused: batch.refusedBefore,
    };
    this.#flights.push(flight);
    flight.landing = this.#fly(flight);
  }

  async #fly(flight: Flight): Promise<void> {
    try {
      await this.#deliver(flight.batch.points, flight);
      flight.landed = true;
      this.#advance();
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      for (const id of flight.batch.ids) this.#idsInFlight.delete(id);
    }
  }

  /** Sends all or, where the server refuses, the points one part after the other, in their order. */
  async #deliver(points: readonly PointRecord[], flight: Flight): Promise<void> {
    if (points.length === 0) return;
    try {
      await this.#settings.send(points.map(pointInput));
      flight.imported += points.length;
      this.#importedNow += points.length;
    } catch (error) {
      if (!(error instanceof SkeinApiError) || !FAULTS_OF_POINTS.has(error.type)) throw error;
      const culprit = points.length === 1 ? points[0] : namedBy(error, points);
      if (culprit === undefined) {
        const middle = points.length >>> 1;
        await this.#deliver(points.slice(0, middle), flight);
        await this.#deliver(points.slice(middle), flight);
        return;
      }
      this.#settings.onRefused(refusedRecord(culprit, `${error.type}: ${error.message}`));
      flight.refused += 1;
      await this.#deliver(
        points.filter((point) => point !== culprit),
        flight,
      );
    }
  }

  /** Moves the mark over every batch that has landed with none before it still under way. */
  #advance(): void {
    for (let first = this.#flights[0]; first?.landed === true; first = this.#flights[0]) {
      this.#flights.shift();
      const { nextIndex: next, key } = first.batch;
      const imported = this.#done.imported + first.imported;
      const refused = this.#done.refused + first.refused;
      this.#done = { next, imported, refused, ...(key === undefined ? {} : { key }) };
    }
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}

function emptyBatch(index: number, key: SourceKey | undefined): Batch {
  return { points: [], ids: new Set(), bytes: 0, refusedBefore: 0, nextIndex: index, key };
}

function pointInput({ id, vector, vectors, payload, expiresAt }: PointRecord): PointInput {
  const given = { ...(vector === undefined ? {} : { vector }), ...(vectors === undefined ? {} : { vectors }) };
  return { id, ...given, ...(payload === undefined ? {} : { payload }), ...(expiresAt === undefined ? {} : { expiresAt }) };
}

function namedBy(error: SkeinApiError, points: readonly PointRecord[]): PointRecord | undefined {
  const id = error.details['point_id'];
  return id === undefined ? undefined : points.find((point) => point.id === id);
}

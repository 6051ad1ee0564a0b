/** One run of an import: from an origin, through the client, several batches at once.
 *
 *    origin ─► reader ─► checks against the collection ─► batches ─► server         note of how far: *.skein-import.json
 *
 *  Invariant: exit code 0 means that every record is stored (and, unless asked otherwise, found by searches); 3 that all others are
 *  named; after 1 nothing is lost that was counted. Must not know: formats, foreign stores, HTTP, the process. */

import type { ImportValues } from '../../config/import-fields.js';
import { messageOf } from '../../model/errors.js';
import type { CollectionInfo, SkeinClient } from '../../sdk/index.js';
import { reportFailure } from '../failure.js';
import { counted, grouped, rateOf } from '../numbers.js';
import { EXIT, type ExitCode, print, type Surroundings } from '../surroundings.js';
import { collectionCheck } from './collection-check.js';
import type { Origin } from './origin.js';
import { type ProgressView, progressView } from './progress.js';
import { FileProblem, type ImportRecord, type RecordSource } from './record.js';
import { refusalReport } from './refusal-report.js';
import {
  type ImportIdentity,
  notePath,
  type ResumeNote,
  readNote,
  removeNote,
  whyNotResumable,
  writeNote,
} from './resume-state.js';
import { type DoneSoFar, Sender } from './sender.js';
import { targetCollection } from './target-collection.js';
import { waitUntilIndexed } from './wait-until-indexed.js';

const BATCH_BYTES = 8 * 1024 * 1024;
/** An origin for another collection is not gone through to its end, naming every record. */
const NONE_FITS_MAX = 1_000;
const NOTE_EVERY_MS = 1_000;

export interface ImportParts {
  readonly collection: string;
  readonly origin: Origin;
  readonly values: ImportValues;
  readonly surroundings: Surroundings;
  /** Patient, for the points. */
  readonly client: SkeinClient;
  /** Quick to say that no server is there, for the questions before them. */
  readonly greeter: SkeinClient;
}

export class ImportRun {
  readonly #parts: ImportParts;
  readonly #name: string;
  readonly #startMs = performance.now();
  #lastNoteMs = performance.now();
  #noteFails = false;

  constructor(parts: ImportParts) {
    this.#parts = parts;
    this.#name = parts.origin.name;
  }

  async run(): Promise<ExitCode> {
    const { surroundings, origin, collection, values, greeter } = this.#parts;
    const { errors, stopping: signal } = surroundings;
    // The origin is opened first: a collection is not made for a file that is not there.
    const first = await this.#open({ next: 0 });
    for (const loss of origin.losses) print(errors, `skein: ${loss}`);
    const asked = { dimension: values.dimension, distance: values.distance };
    const note = (line: string): void => print(errors, line);
    // What can be known before a collection is made, is.
    const { collection_created_at: _, ...before } = this.#identity({ createdAt: '' });
    if (values.resume) this.#mustGoOn(readNote(origin.notePath), before);
    const info = await this.#naming(() => targetCollection({ client: greeter, collection, asked, origin, signal, note }, first));
    const identity = this.#identity(info);
    const start = this.#startingPoint(identity);
    const source = start.next === 0 ? first : await this.#open(start);
    const view = progressView(errors, this.#name, () => performance.now());
    try {
      return await this.#send(source, info, identity, start, view);
    } finally {
      view.end();
    }
  }

  async #send(
    source: RecordSource,
    info: CollectionInfo,
    identity: ImportIdentity,
    start: DoneSoFar,
    view: ProgressView,
  ): Promise<ExitCode> {
    const { stopping } = this.#parts.surroundings;
    const report = refusalReport({
      path: this.#parts.values.report,
      keep: start.next > 0,
      placeWord: source.placeWord,
      fileName: this.#name,
      note: (line) => view.note(line),
    });
    // What an interrupted import has stored did fit.
    if (start.imported > 0) report.pointFits();
    const sender = new Sender(
      {
        batchPoints: Math.min(this.#parts.values.batch, upsertLimitOf(info)),
        batchBytes: BATCH_BYTES,
        inFlightMax: this.#parts.values.inFlight,
        // Doing an upsert twice is harmless, so the server need not remember keys for it.
        send: async (points) => {
          await this.#parts.client.upsert(this.#parts.collection, points, {
            wait: 'durable',
            idempotencyKey: 'not-needed',
            signal: stopping,
          });
        },
        onRefused: (record) => report.add(record),
      },
      start,
    );
    const check = collectionCheck(info);
    let noneFitsSoFar = 0;
    let last: ImportRecord | null = null;
    let failure: unknown = null;
    try {
      reading: for await (const group of source.records()) {
        for (const record of group) {
          if (stopping.aborted) break reading;
          const checked = check(record);
          if (checked.kind === 'point') {
            noneFitsSoFar = Number.NaN;
            report.pointFits();
          } else if (record.kind === 'point') noneFitsSoFar += 1;
          if (noneFitsSoFar > NONE_FITS_MAX)
            throw new FileProblem(
              `none of its first ${grouped(NONE_FITS_MAX)} points fits the collection; the rest was not read`,
            );
          await sender.add(checked);
          if (checked.kind === 'point') last = checked;
        }
        view.update(source.readShare(), sender.importedNow);
        this.#note(identity, sender, view);
      }
      if (!stopping.aborted) await sender.finish();
    } catch (error) {
      failure = error;
      if (error instanceof FileProblem) await this.#finishBeforeProblem(sender, view);
    }
    await sender.settle();
    report.end();
    if (failure !== null || stopping.aborted) return this.#stopped(failure, identity, sender.done, view);
    if (this.#parts.values.wait === 'indexed' && last?.kind === 'point') {
      await waitUntilIndexed(this.#parts.client, this.#parts.collection, last, stopping);
    }
    view.end();
    removeNote(this.#parts.origin.notePath);
    return this.#summary(source, sender, report.place());
  }

  /** What stands before a broken place in the file is good and is stored. */
  async #finishBeforeProblem(sender: Sender, view: ProgressView): Promise<void> {
    try {
      await sender.finish();
    } catch (error) {
      view.note(`skein: ${messageOf(error)}`);
    }
  }

  #summary(source: RecordSource, sender: Sender, refusedWhere: string): ExitCode {
    const { output, errors } = this.#parts.surroundings;
    const { next, imported, refused } = sender.done;
    const tookMs = Math.round(performance.now() - this.#startMs);
    const perSecond = rateOf(sender.importedNow, tookMs);
    if (this.#parts.values.json) {
      const answer = {
        collection: this.#parts.collection,
        records: next,
        imported,
        refused,
        took_ms: tookMs,
        points_per_second: perSecond,
      };
      print(output, JSON.stringify(answer));
    } else {
      const seconds = (tookMs / 1_000).toFixed(1);
      print(
        output,
        `${counted(imported, 'point')} in collection ${this.#parts.collection} from ${this.#name} (${seconds} s, ${grouped(perSecond)}/s)`,
      );
    }
    if (refused === 0) return EXIT.done;
    print(errors, `skein: ${counted(refused, source.placeWord)} refused, ${refusedWhere}`);
    return EXIT.doneWithRefusals;
  }

  #stopped(failure: unknown, identity: ImportIdentity, done: DoneSoFar, view: ProgressView): ExitCode {
    const { errors } = this.#parts.surroundings;
    // A broken file stays broken: going on would stop at the same place.
    const resumable = !(failure instanceof FileProblem);
    if (resumable) this.#writeNote(identity, done, view);
    else removeNote(this.#parts.origin.notePath);
    view.end();
    const code = failure === null ? EXIT.failed : reportFailure(this.#named(failure), this.#parts.surroundings);
    print(
      errors,
      `skein: stopped after ${counted(done.next, 'record')} (${counted(done.imported, 'point')} stored, ${grouped(done.refused)} refused)`,
    );
    if (resumable) print(errors, '       the same command with --resume goes on from there');
    return code === EXIT.usage ? EXIT.failed : code;
  }

  #named(failure: unknown): unknown {
    return failure instanceof FileProblem ? new Error(`${this.#name}: ${failure.message}`) : failure;
  }

  #open(place: DoneSoFar | { readonly next: number }): Promise<RecordSource> {
    return this.#naming(() => this.#parts.origin.open(place));
  }

  /** What is wrong with the origin names it. */
  async #naming<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      throw this.#named(error);
    }
  }

  #identity({ createdAt }: Pick<CollectionInfo, 'createdAt'>): ImportIdentity {
    const { collection, values, origin } = this.#parts;
    return { url: values.url, collection, collection_created_at: createdAt, ...origin.identity };
  }

  /** @throws Error as #mustGoOn does, where --resume was given */
  #startingPoint(identity: ImportIdentity): DoneSoFar {
    const { errors } = this.#parts.surroundings;
    const beginning = { next: 0, imported: 0, refused: 0 };
    if (!this.#parts.values.resume) {
      return beginning;
    }
    const note = readNote(this.#parts.origin.notePath);
    if (note === null) {
      print(errors, `no import of ${this.#name} was interrupted; starting at its beginning`);
      return beginning;
    }
    this.#mustGoOn(note, identity);
    print(
      errors,
      `going on after ${counted(note.next, 'record')} (${counted(note.imported, 'point')} stored, ${grouped(note.refused)} refused)`,
    );
    const { next, imported, refused, key } = note;
    return { next, imported, refused, ...(key === undefined ? {} : { key }) };
  }

  /** @throws Error when the note belongs to another import */
  #mustGoOn(note: ResumeNote | null, identity: ImportIdentity): void {
    const reason = note === null ? null : whyNotResumable(note, identity);
    if (reason !== null)
      throw new Error(`the interrupted import of ${this.#name} cannot go on: ${reason}. Start again without --resume`);
  }

  #note(identity: ImportIdentity, sender: Sender, view: ProgressView): void {
    if (performance.now() - this.#lastNoteMs < NOTE_EVERY_MS) return;
    this.#lastNoteMs = performance.now();
    this.#writeNote(identity, sender.done, view);
  }

  /** A folder that cannot be written costs the resuming, not the import. */
  #writeNote(identity: ImportIdentity, done: DoneSoFar, view: ProgressView): void {
    if (this.#noteFails) return;
    try {
      writeNote(this.#parts.origin.notePath, identity, done);
    } catch (error) {
      this.#noteFails = true;
      view.note(
        `skein: ${notePath(this.#parts.origin.notePath)} cannot be written, so this import cannot be resumed: ${messageOf(error)}`,
      );
    }
  }
}

/** What the strict mode of the collection lets one upsert have. */
function upsertLimitOf({ strictMode }: CollectionInfo): number {
  return strictMode?.enabled === true ? (strictMode.upsertMaxBatchsize ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
}

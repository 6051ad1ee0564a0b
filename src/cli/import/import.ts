/** `skein import COLLECTION FILE`: reads a file and stores its points through the client, several batches at once.
 *
 *    file ─► reader ─► checks against the collection ─► batches ─► server         note of how far: FILE.skein-import.json
 *
 *  Invariant: exit code 0 means that every record is stored (and, unless asked otherwise, found by searches); 3 that all others are
 *  named; after 1 nothing is lost that was counted. Must not know: formats, HTTP, the process. */

import { basename } from 'node:path';
import type { IMPORT_FIELDS } from '../../config/command-fields.js';
import type { ValuesOf } from '../../config/field.js';
import { messageOf } from '../../model/errors.js';
import { type CollectionInfo, type Distance, SkeinApiError, type SkeinClient } from '../../sdk/index.js';
import { reportFailure, UsageError } from '../failure.js';
import { counted, grouped, rateOf } from '../numbers.js';
import { connectTo } from '../server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings } from '../surroundings.js';
import { collectionCheck } from './collection-check.js';
import { type ProgressView, progressView } from './progress.js';
import { formatOf, type ImportFormat, openSource } from './readers/open-source.js';
import { FileProblem, type ImportRecord, type RecordSource } from './record.js';
import { refusalReport } from './refusal-report.js';
import { fileIdentity, type ImportIdentity, notePath, readNote, removeNote, whyNotResumable, writeNote } from './resume-state.js';
import { type DoneSoFar, Sender } from './sender.js';
import { waitUntilIndexed } from './wait-until-indexed.js';

export type ImportValues = ValuesOf<typeof IMPORT_FIELDS>;

const BATCH_BYTES = 8 * 1024 * 1024;
/** A file for another collection is not gone through to its end, naming every record. */
const NONE_FITS_MAX = 1_000;
const NOTE_EVERY_MS = 1_000;
/** An import is patient: a server that is overloaded or restarting gets about two minutes to come back. */
const PATIENCE = { attempts: 30, firstDelayMs: 100, delayMsMax: 5_000 };
const REQUEST_TIMEOUT_MS = 180_000;

export async function importFile(
  collection: string,
  path: string,
  values: ImportValues,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const format = values.format ?? formatOf(path);
  if (format === null) throw new UsageError(`the name ${basename(path)} does not tell the format: give --format`);
  const timeoutMs = Math.max(values.timeoutMs, REQUEST_TIMEOUT_MS);
  const client = connectTo({ ...values, timeoutMs }, { retries: PATIENCE });
  const greeter = connectTo(values);
  try {
    return await new Import({ collection, path, format, values, surroundings, client, greeter }).run();
  } finally {
    client.close();
    greeter.close();
  }
}

interface ImportParts {
  readonly collection: string;
  readonly path: string;
  readonly format: ImportFormat;
  readonly values: ImportValues;
  readonly surroundings: Surroundings;
  /** Patient, for the points. */
  readonly client: SkeinClient;
  /** Quick to say that no server is there, for the questions before them. */
  readonly greeter: SkeinClient;
}

class Import {
  readonly #parts: ImportParts;
  readonly #name: string;
  readonly #startMs = performance.now();
  #lastNoteMs = performance.now();
  #noteFails = false;

  constructor(parts: ImportParts) {
    this.#parts = parts;
    this.#name = basename(parts.path);
  }

  async run(): Promise<ExitCode> {
    const { errors } = this.#parts.surroundings;
    // The file is opened first: a collection is not made for a file that is not there.
    const first = await this.#open(0);
    const known = await this.#existingCollection();
    if (known !== null) this.#mustBeAsAsked(known);
    const info = known ?? (await this.#createCollection(first));
    const identity = this.#identity(info);
    const start = this.#startingPoint(identity);
    const source = start.next === 0 ? first : await this.#open(start.next);
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
    const sender = new Sender(
      {
        batchPoints: this.#parts.values.batch,
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
          if (checked.kind === 'point') noneFitsSoFar = Number.NaN;
          else if (record.kind === 'point') noneFitsSoFar += 1;
          if (noneFitsSoFar > NONE_FITS_MAX)
            throw new FileProblem(`none of its first ${NONE_FITS_MAX} points fits the collection`);
          await sender.add(checked);
          if (checked.kind === 'point') last = checked;
        }
        view.update(source.bytesRead() / Math.max(1, source.sizeBytes), sender.importedNow);
        this.#note(identity, sender, view);
      }
      if (!stopping.aborted) await sender.finish();
    } catch (error) {
      failure = error;
      if (error instanceof FileProblem) await this.#finishBeforeProblem(sender, view);
    }
    await sender.settle();
    if (failure !== null || stopping.aborted) return this.#stopped(failure, identity, sender.done, view);
    if (this.#parts.values.wait === 'indexed' && last?.kind === 'point') {
      await waitUntilIndexed(this.#parts.client, this.#parts.collection, last.vector, stopping);
    }
    view.end();
    removeNote(this.#parts.path);
    return this.#summary(source, sender);
  }

  /** What stands before a broken place in the file is good and is stored. */
  async #finishBeforeProblem(sender: Sender, view: ProgressView): Promise<void> {
    try {
      await sender.finish();
    } catch (error) {
      view.note(`skein: ${messageOf(error)}`);
    }
  }

  #summary(source: RecordSource, sender: Sender): ExitCode {
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
    const where = this.#parts.values.report === null ? 'named above' : `named above and in ${this.#parts.values.report}`;
    print(errors, `skein: ${counted(refused, source.placeWord)} refused, ${where}`);
    return EXIT.doneWithRefusals;
  }

  #stopped(failure: unknown, identity: ImportIdentity, done: DoneSoFar, view: ProgressView): ExitCode {
    const { errors } = this.#parts.surroundings;
    // A broken file stays broken: going on would stop at the same place.
    const resumable = !(failure instanceof FileProblem);
    if (resumable) this.#writeNote(identity, done, view);
    else removeNote(this.#parts.path);
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

  async #open(fromIndex: number): Promise<RecordSource> {
    const { idOffset, idColumn, vectorColumn } = this.#parts.values;
    try {
      return await openSource(this.#parts.format, { path: this.#parts.path, fromIndex, idOffset, idColumn, vectorColumn });
    } catch (error) {
      throw this.#named(error);
    }
  }

  async #existingCollection(): Promise<CollectionInfo | null> {
    try {
      return await this.#parts.greeter.collection(this.#parts.collection, { signal: this.#parts.surroundings.stopping });
    } catch (error) {
      if (error instanceof SkeinApiError && error.type === 'CollectionNotFound') return null;
      throw error;
    }
  }

  /** A setting that cannot come true is not passed over. */
  #mustBeAsAsked(known: CollectionInfo): void {
    for (const setting of ['dimension', 'distance'] as const) {
      const asked = this.#parts.values[setting];
      if (asked === null || asked === known[setting]) continue;
      throw new UsageError(
        `collection ${known.name} is there and has ${setting} ${known[setting]}, not ${asked}; leave out --${setting} to import into it`,
      );
    }
  }

  async #createCollection(source: RecordSource): Promise<CollectionInfo> {
    const dimension = this.#parts.values.dimension ?? (await this.#dimensionOfFile(source));
    const vectors = this.#parts.format === 'fvecs' || this.#parts.format === 'bvecs';
    const distance: Distance = this.#parts.values.distance ?? (vectors ? 'euclid' : 'cosine');
    const chosen = this.#parts.values.distance === null ? ' (--distance chooses another)' : '';
    print(
      this.#parts.surroundings.errors,
      `making collection ${this.#parts.collection}: dimension ${dimension}, distance ${distance}${chosen}`,
    );
    return this.#parts.greeter.createCollection(
      this.#parts.collection,
      { dimension, distance },
      { signal: this.#parts.surroundings.stopping },
    );
  }

  /** That of the first point; the records before it are read again later. */
  async #dimensionOfFile(source: RecordSource): Promise<number> {
    try {
      for await (const group of source.records()) {
        for (const record of group) if (record.kind === 'point') return record.vector.length;
      }
    } catch (error) {
      throw this.#named(error);
    }
    throw new Error(
      `${this.#name} holds no point, so the dimension of collection ${this.#parts.collection} is not known: give --dimension`,
    );
  }

  #identity(info: CollectionInfo): ImportIdentity {
    const { url, idOffset, idColumn, vectorColumn } = this.#parts.values;
    return {
      url,
      collection: this.#parts.collection,
      collection_created_at: info.createdAt,
      ...fileIdentity(this.#parts.path),
      format: this.#parts.format,
      id_offset: idOffset,
      id_column: idColumn,
      vector_column: vectorColumn,
    };
  }

  /** @throws Error when --resume was given and the note belongs to another import */
  #startingPoint(identity: ImportIdentity): DoneSoFar {
    const { errors } = this.#parts.surroundings;
    const beginning = { next: 0, imported: 0, refused: 0 };
    if (!this.#parts.values.resume) {
      return beginning;
    }
    const note = readNote(this.#parts.path);
    if (note === null) {
      print(errors, `no import of ${this.#name} was interrupted; starting at its beginning`);
      return beginning;
    }
    const reason = whyNotResumable(note, identity);
    if (reason !== null)
      throw new Error(`the interrupted import of ${this.#name} cannot go on: ${reason}. Start again without --resume`);
    print(
      errors,
      `going on after ${counted(note.next, 'record')} (${counted(note.imported, 'point')} stored, ${grouped(note.refused)} refused)`,
    );
    return { next: note.next, imported: note.imported, refused: note.refused };
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
      writeNote(this.#parts.path, identity, done);
    } catch (error) {
      this.#noteFails = true;
      view.note(`skein: ${notePath(this.#parts.path)} cannot be written, so this import cannot be resumed: ${messageOf(error)}`);
    }
  }
}

/** `skein copy SOURCE TARGET`: collections of one server into another, with settings, payload indexes and aliases.
 *
 *    plan ─► make collections ─► copy points, with a note of how far ─► compare, mend, compare again ─► aliases (─► follow)
 *
 *  Invariant: exit code 0 says that every point was compared and found equal (unless --no-compare or --follow left that out), and that aliases stand for whole
 *  collections only. What a writer changes in the source meanwhile is caught by the comparing, while it is being compared. */

import { join } from 'node:path';
import type { CopyValues } from '../../config/data-command-fields.js';
import { SkeinConnectionError } from '../../sdk/index.js';
import { UsageError } from '../failure.js';
import { type ProgressView, progressView } from '../import/progress.js';
import { counted, rateOf } from '../numbers.js';
import { connectTo } from '../server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings } from '../surroundings.js';
import { compareCollections, mend } from './compare.js';
import {
  type CopyNote,
  collectionNote,
  newNote,
  readCopyNote,
  removeCopyNote,
  withCollection,
  writeCopyNote,
} from './copy-note.js';
import { batchOf, type CopyPlan, CopyProblem, type PlannedCollection, planCopy } from './copy-plan.js';
import { copyPoints } from './copy-points.js';
import { followSource } from './follow.js';
import { Side } from './side.js';

/** A copy is patient: a server that restarts gets about two minutes to come back. */
const PATIENCE = { attempts: 30, firstDelayMs: 100, delayMsMax: 5_000 };
const REQUEST_TIMEOUT_MS = 180_000;
const NOTE_EVERY_MS = 1_000;
/** How often a collection that is written to is compared and mended. */
const PASSES_MAX = 4;

/** @throws UsageError, ConfigError */
export async function copy(
  sourceUrl: string,
  targetUrl: string,
  values: CopyValues,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const [from, to] = [addressOf(sourceUrl), addressOf(targetUrl)];
  if (from === to) throw new UsageError('source and target are the same server');
  const { stopping } = surroundings;
  const open = (url: string, ownKeyFile: string | null): Side => {
    // A file of its own comes before the key that is for both.
    const { apiKey, apiKeyFile } = ownKeyFile === null ? values : { apiKey: null, apiKeyFile: ownKeyFile };
    const timeoutMs = Math.max(values.timeoutMs, REQUEST_TIMEOUT_MS);
    return new Side(url, connectTo({ url, apiKey, apiKeyFile, timeoutMs }, { retries: PATIENCE }), stopping);
  };
  // Quick to say that no server is there; an interrupted copy is begun again by programs, while servers restart.
  if (!values.resume) for (const url of [from, to]) await greet(url, values, stopping);
  const source = open(from, values.sourceKeyFile);
  const target = open(to, values.targetKeyFile);
  try {
    return await new Copy(source, target, values, surroundings).run();
  } finally {
    source.close();
    target.close();
  }
}

/** Asks whether anybody is there, which needs no key. @throws CopyProblem */
async function greet(url: string, { timeoutMs }: CopyValues, signal: AbortSignal): Promise<void> {
  const client = connectTo({ url, apiKey: null, apiKeyFile: null, timeoutMs });
  try {
    await client.ready({ signal });
  } catch (error) {
    throw error instanceof SkeinConnectionError ? new CopyProblem(`${error.message}; is that where it listens?`) : error;
  } finally {
    client.close();
  }
}

/** @throws UsageError */
function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new UsageError(`${JSON.stringify(text)} is no http or https address of a server`);
  if (url.username !== '' || url.password !== '')
    throw new UsageError('an address holds no key: give files with --source-key-file and --target-key-file');
  return url.href.replace(/\/$/, '');
}

interface Copied {
  readonly collection: string;
  readonly points: number;
  readonly compared: number | null;
  readonly mended: number;
  /** Where the source stood all the time; null: it was written to. */
  readonly position: string | null;
}

class Copy {
  readonly #source: Side;
  readonly #target: Side;
  readonly #values: CopyValues;
  readonly #surroundings: Surroundings;
  readonly #notePath: string;
  readonly #startMs = performance.now();
  #note: CopyNote;
  #lastNoteMs = performance.now();

  constructor(source: Side, target: Side, values: CopyValues, surroundings: Surroundings) {
    this.#source = source;
    this.#target = target;
    this.#values = values;
    this.#surroundings = surroundings;
    this.#notePath = values.state ?? join(surroundings.workingDir, 'skein-copy.json');
    this.#note = newNote(source.url, target.url);
  }

  async run(): Promise<ExitCode> {
    const { errors } = this.#surroundings;
    if (this.#values.resume) {
      const note = readCopyNote(this.#notePath, this.#source.url, this.#target.url);
      if (note === null) print(errors, `no copy was interrupted: there is no ${this.#notePath}; starting at the beginning`);
      else this.#note = note;
    }
    const plan = await this.#plan();
    try {
      const copied: Copied[] = [];
      for (const planned of plan.collections) copied.push(await this.#copyCollection(planned));
      for (const alias of plan.aliases) await this.#target.putAlias(alias);
      this.#summary(copied, plan);
      if (this.#values.follow) await this.#follow(plan);
      else removeCopyNote(this.#notePath);
      return EXIT.done;
    } catch (error) {
      writeCopyNote(this.#notePath, this.#note);
      print(errors, 'skein: stopped; the same command with --resume goes on from there');
      throw error;
    }
  }

  async #plan(): Promise<CopyPlan> {
    const source = await this.#source.collections();
    const sourceAliases = await this.#source.aliases();
    // Where a feed has to begin that misses nothing of what is read from here on: the state that the first answer was of.
    this.#note = { ...this.#note, place: this.#note.place ?? source[0]?.position ?? this.#source.position };
    const [target, targetAliases] = await Promise.all([this.#target.collections(), this.#target.aliases()]);
    const names = this.#values.collections?.split(',').map((name) => name.trim()) ?? null;
    const begun = new Set<string>();
    for (const { name, created_at: createdAt } of source) {
      const note = collectionNote(this.#note, name);
      if (note !== undefined && note.created_at !== createdAt)
        throw new CopyProblem(
          `the source has made collection ${name} anew since the copy began; delete it in the target and copy again`,
        );
      if (note !== undefined) begun.add(name);
    }
    return planCopy({ names, source, sourceAliases, target, targetAliases, begun });
  }

  async #copyCollection({ info, settings, made }: PlannedCollection): Promise<Copied> {
    const { name, position: before } = info;
    this.#keep(name, info.created_at, collectionNote(this.#note, name) ?? { cursor: null, points: 0, copied: false });
    writeCopyNote(this.#notePath, this.#note);
    if (!made) await this.#target.create(name, settings);
    const view = progressView(this.#surroundings.errors, name, () => performance.now());
    try {
      const points = await this.#copyPoints(info, view);
      // What is followed is compared when its writers have stopped.
      const compares = this.#values.compare && !this.#values.follow;
      const { compared, mended } = compares ? await this.#compare(info, view) : { compared: null, mended: 0 };
      const { position: after } = await this.#source.info(name);
      return { collection: name, points, compared, mended, position: before === after ? after : null };
    } finally {
      view.end();
    }
  }

  async #copyPoints(info: PlannedCollection['info'], view: ProgressView): Promise<number> {
    const { name, created_at: createdAt, points_count: total } = info;
    const begun = collectionNote(this.#note, name);
    let points = begun?.points ?? 0;
    if (begun?.copied === true) return points;
    await copyPoints({
      ...{ source: this.#source, target: this.#target, name },
      ...{ batch: batchOf(info, this.#values.batch), inFlightMax: this.#values.inFlight, cursor: begun?.cursor ?? null },
      onDone: (cursor, more) => {
        points += more;
        view.update(points / Math.max(1, total), points);
        this.#keep(name, createdAt, { cursor, points, copied: cursor === null });
      },
    });
    return points;
  }

  /** @throws CopyProblem when the source is written to faster than it can be compared */
  async #compare(
    info: PlannedCollection['info'],
    view: ProgressView,
  ): Promise<{ readonly compared: number; readonly mended: number }> {
    const { name, points_count: total } = info;
    const batch = batchOf(info, this.#values.batch);
    let mended = 0;
    for (let pass = 1; ; pass++) {
      const onPage = (compared: number): void => view.update(compared / Math.max(1, total), compared);
      const settings = { source: this.#source, target: this.#target, name, batch, onPage };
      const { compared, different } = await compareCollections(settings);
      if (different.length === 0) return { compared, mended };
      if (pass === PASSES_MAX)
        throw new CopyProblem(
          `${counted(different.length, 'point')} of ${name} still differ after ${PASSES_MAX} looks: the source is being written to; stop its writers, and copy with --resume`,
        );
      view.note(`${name}: ${counted(different.length, 'point')} changed in the source meanwhile; copied again`);
      await mend(settings, different);
      mended += different.length;
    }
  }

  /** Until somebody ends it: that is how it is meant to end. */
  async #follow({ collections }: CopyPlan): Promise<void> {
    const { stopping, errors, output } = this.#surroundings;
    const { place } = this.#note;
    if (place === null)
      throw new CopyProblem('the source did not say where it stood when the copy began, so it cannot be followed');
    let changes = 0;
    print(errors, 'following the source; Ctrl-C ends it');
    try {
      await followSource({
        ...{ source: this.#source, target: this.#target, all: this.#values.collections === null, from: place },
        names: collections.map(({ info }) => info.name),
        batch: Math.min(this.#values.batch, ...collections.map(({ info }) => batchOf(info, this.#values.batch))),
        onDone: (token, more, time) => {
          changes += more;
          this.#note = { ...this.#note, place: token };
          if (this.#writeNoteNowAndThen() && !this.#values.json)
            print(errors, `${counted(changes, 'change')} followed, to ${time ?? 'now'}`);
        },
        onNote: (line) => print(errors, `skein: ${line}`),
      });
    } catch (error) {
      if (!stopping.aborted) throw error;
    }
    writeCopyNote(this.#notePath, this.#note);
    if (this.#values.json) print(output, JSON.stringify({ kind: 'follow', changes }));
    else
      print(
        output,
        `${counted(changes, 'change')} followed; the same command with --resume, and without --follow, compares every point`,
      );
  }

  /** @returns whether it was time */
  #writeNoteNowAndThen(): boolean {
    if (performance.now() - this.#lastNoteMs < NOTE_EVERY_MS) return false;
    this.#lastNoteMs = performance.now();
    writeCopyNote(this.#notePath, this.#note);
    return true;
  }

  #keep(
    name: string,
    createdAt: string,
    note: { readonly cursor: string | null; readonly points: number; readonly copied: boolean },
  ): void {
    this.#note = withCollection(this.#note, name, { created_at: createdAt, ...note });
    this.#writeNoteNowAndThen();
  }

  #summary(copied: readonly Copied[], plan: CopyPlan): void {
    const { output } = this.#surroundings;
    const tookMs = Math.round(performance.now() - this.#startMs);
    if (this.#values.json) {
      for (const one of copied) print(output, JSON.stringify({ kind: 'collection', ...one }));
      const points = copied.reduce((sum, one) => sum + one.points, 0);
      const aliases = plan.aliases.map(({ alias }) => alias);
      print(
        output,
        JSON.stringify({
          kind: 'copy',
          collections: copied.length,
          points,
          aliases,
          took_ms: tookMs,
          points_per_second: rateOf(points, tookMs),
        }),
      );
      return;
    }
    for (const { collection, points, compared, mended, position } of copied) {
      const state = compared === null ? 'not compared' : `${counted(compared, 'point')} compared, equal`;
      const stood = position === null ? 'the source was written to meanwhile' : 'the source stood still';
      print(
        output,
        `${collection}: ${counted(points, 'point')} copied, ${state}${mended === 0 ? '' : `, ${mended} copied again`}; ${stood}`,
      );
    }
    print(
      output,
      `${counted(copied.length, 'collection')} and ${plan.aliases.length === 1 ? '1 alias' : `${plan.aliases.length} aliases`} from ${this.#source.url} to ${this.#target.url} (${(tookMs / 1_000).toFixed(1)} s)`,
    );
  }
}

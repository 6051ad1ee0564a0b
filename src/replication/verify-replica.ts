/** A replica compares its data with its master's, and repairs what differs: only the differing points are fetched again.
 *
 *    digest at the own seq ─ equal: done
 *        └ differs ─► stand still ─► collections ─► buckets ─► heads of points ─► [values ─► one correction]
 *
 *  Exact while the master is being written to: a row of its that is younger than the own seq proves nothing and comes by the log, and so does
 *  a delete in the log behind it. Everything is read in pages; what is found and what is fetched is bounded.
 *  Must not know: links, how rows are read or corrected. */

import { bucketOf } from '../codec/digest.js';
import { encodePointId } from '../codec/point-id.js';
import type { CollectionCorrection, RunningEngine } from '../engine/engine.js';
import { SkeinError } from '../model/errors.js';
import type { PointId } from '../model/point.js';
import type { Position } from '../model/position.js';
import type { DifferingRange } from '../model/replication.js';
import { type Ask, IDS_PER_ASK, OtherSide } from './comparison-asks.js';

export interface VerifyParts {
  readonly engine: Pick<RunningEngine, 'log' | 'compare' | 'correct'>;
  readonly ask: Ask;
  /** The data differs: from now on nothing more is applied. */
  standStill(): void;
}

/** What was found, before any repair. */
export interface Verified {
  readonly position: Position;
  readonly equal: boolean;
  readonly differing: readonly DifferingRange[];
  /** Points that were corrected. */
  readonly repaired: number;
  /** The rows are what the master had at the position, or will be when its log has been applied. */
  readonly mended: boolean;
}

const POINTS_MAX = 100_000;
const VALUE_BYTES_MAX = 64 * 1024 * 1024;
const NAMED_POINTS_MAX = 1_000;
/** All that is named fits the frame of an answer. */
const NAMED_BYTES_MAX = 512 * 1024;
const BUCKET_NAME_BYTES = 6;
const TRIES_MAX = 3;

/** @throws ReplicaBehind (the master no longer knows what it had here) · NotRepairable · Overloaded (still applying what came before)
 *  · Error when the link ends */
export async function verifyReplica(parts: VerifyParts, repair: boolean): Promise<Verified> {
  for (let tries = 1; ; tries++) {
    try {
      return await new Verification(parts).run(repair);
    } catch (error) {
      // What was on its way when it stood still may have been applied since.
      if (!hasMoved(error) || tries === TRIES_MAX) throw error;
    }
  }
}

interface Difference {
  readonly uid: number;
  readonly name: string;
  readonly wanting: PointId[];
  surplus: PointId[];
}

class Verification {
  readonly #engine: VerifyParts['engine'];
  readonly #master: OtherSide;
  readonly #standStill: () => void;
  readonly #position: Position;
  readonly #digest: Uint8Array;
  /** The newest state of the master that was looked at. */
  #throughSeq: number;
  #points = 0;

  constructor({ engine, ask, standStill }: VerifyParts) {
    const { historyId, epoch, seq, digest } = engine.log.state();
    this.#engine = engine;
    this.#master = new OtherSide(ask);
    this.#standStill = standStill;
    this.#position = { historyId, epoch, seq };
    this.#digest = digest;
    this.#throughSeq = seq;
  }

  async run(repair: boolean): Promise<Verified> {
    const position = this.#position;
    const digest = await this.#master.digest(position.seq);
    if (digest === null)
      throw new SkeinError('ReplicaBehind', `The log of the master no longer has seq ${position.seq}: only a full resync helps`, {
        applied: position.seq,
      });
    if (Buffer.compare(digest, this.#digest) === 0) return { position, equal: true, differing: [], repaired: 0, mended: false };
    this.#standStill();
    const found = await this.#compare();
    const differing = named(found);
    if (!repair) return { position, equal: false, differing, repaired: 0, mended: false };
    const repaired = await this.#repair(found, digest);
    return { position, equal: false, differing, repaired, mended: true };
  }

  async #compare(): Promise<Difference[]> {
    const own = await this.#engine.compare({ kind: 'catalogue' });
    this.#mustStand(own.seq);
    const theirs = await this.#master.catalogue();
    this.#saw(theirs.seq);
    const found: Difference[] = [];
    for (const { uid, name, digest } of own.collections) {
      const their = theirs.digests.get(uid);
      if (their === undefined || their === digest) continue;
      const difference = await this.#compareCollection(uid, name);
      if (difference.wanting.length + difference.surplus.length > 0) found.push(difference);
    }
    return found;
  }

  async #compareCollection(uid: number, name: string): Promise<Difference> {
    const difference: Difference = { uid, name, wanting: [], surplus: [] };
    const { seq, sums } = await this.#master.buckets(uid);
    this.#saw(seq);
    if (sums === null) return difference;
    const { buckets } = await this.#own(this.#engine.compare({ kind: 'differing_buckets', uid, sums }));
    if (buckets === null) return difference;
    await this.#compareHeads(difference, buckets);
    difference.surplus = await this.#notDeleted(uid, difference.surplus);
    return difference;
  }

  async #compareHeads({ uid, wanting, surplus }: Difference, buckets: Uint8Array): Promise<void> {
    let after: PointId | null = null;
    do {
      const { seq, heads, through }: Awaited<ReturnType<OtherSide['heads']>> = await this.#master.heads({ uid, buckets, after });
      this.#saw(seq);
      const page = await this.#own(this.#engine.compare({ kind: 'differing', uid, buckets, after, through, heads }));
      wanting.push(...page.wanting);
      surplus.push(...page.surplus);
      this.#points += page.wanting.length + page.surplus.length;
      after = through;
    } while (after !== null && this.#points <= POINTS_MAX);
  }

  /** Without those that the master's log takes away behind the own seq. */
  async #notDeleted(uid: number, ids: readonly PointId[]): Promise<PointId[]> {
    const left: PointId[] = [];
    const { seq } = this.#position;
    for (let at = 0; at < ids.length; at += IDS_PER_ASK) {
      const some = new Set(ids.slice(at, at + IDS_PER_ASK));
      for (let afterSeq = seq; afterSeq < this.#throughSeq && some.size > 0; ) {
        const deleted = await this.#master.deleted({ uid, ids: [...some], afterSeq });
        if (deleted.throughSeq === null || deleted.throughSeq <= afterSeq)
          throw new SkeinError('ReplicaBehind', `The log of the master no longer goes back to seq ${seq}`, { applied: seq });
        for (const id of deleted.ids) some.delete(id);
        afterSeq = deleted.throughSeq;
      }
      left.push(...some);
    }
    return left;
  }

  async #repair(found: readonly Difference[], digest: Uint8Array): Promise<number> {
    if (this.#points > POINTS_MAX) throw tooMuch(`more than ${POINTS_MAX} points differ`);
    const { seq } = this.#position;
    const collections: CollectionCorrection[] = [];
    let repaired = 0;
    let bytes = 0;
    for (const { uid, wanting, surplus } of found) {
      const values: Uint8Array[] = [];
      for (let at = 0; at < wanting.length; ) {
        const page = await this.#master.values({ uid, ids: wanting.slice(at, at + IDS_PER_ASK), throughSeq: seq });
        this.#saw(page.seq);
        at += page.done;
        repaired += page.count;
        bytes += page.values.length;
        values.push(page.values);
        if (bytes > VALUE_BYTES_MAX) throw tooMuch(`the differing points have more than ${VALUE_BYTES_MAX} bytes`);
      }
      repaired += surplus.length;
      collections.push({ uid, values, surplus });
    }
    await this.#engine.correct({ seq, digest, throughSeq: this.#throughSeq, collections });
    return repaired;
  }

  #saw(seq: number): void {
    this.#throughSeq = Math.max(this.#throughSeq, seq);
  }

  async #own<T extends { readonly seq: number }>(reading: Promise<T>): Promise<T> {
    const answer = await reading;
    this.#mustStand(answer.seq);
    return answer;
  }

  #mustStand(seq: number): void {
    if (seq !== this.#position.seq)
      throw new SkeinError('Overloaded', 'The data moves while it is compared', { reason: 'moved' });
  }
}

function hasMoved(error: unknown): boolean {
  return error instanceof SkeinError && error.details['reason'] === 'moved';
}

function tooMuch(what: string): SkeinError {
  return new SkeinError('NotRepairable', `A repair point by point is not worth it: ${what}; a full resync helps`, {
    reason: 'too_much',
  });
}

/** Points are named as far as they fit. */
function named(found: readonly Difference[]): DifferingRange[] {
  const ranges: DifferingRange[] = [];
  let bytes = 0;
  for (const { name, wanting, surplus } of found) {
    const ids = [...wanting, ...surplus];
    const buckets = [...new Set(ids.map((id) => bucketOf(encodePointId(id))))].sort((a, b) => a - b);
    bytes += name.length + buckets.length * BUCKET_NAME_BYTES;
    if (bytes > NAMED_BYTES_MAX) break;
    const points: PointId[] = [];
    for (const id of ids.slice(0, NAMED_POINTS_MAX)) {
      bytes += encodePointId(id).length;
      if (bytes > NAMED_BYTES_MAX) break;
      points.push(id);
    }
    ranges.push({ collection: name, buckets, points });
  }
  return ranges;
}

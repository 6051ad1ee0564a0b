/** Knows what is damaged in the store and sees to its repair: found by the scrubber, or by a read that met it; one thing after the other.
 *
 *  Each try is logged and counted. What nobody can help with is listed in quarantine/ and stays unreadable; other data serves on.
 *  Invariant: a case ends only when the place was looked at and is whole, or its store is no more. Must not know: HTTP, how a way is gone. */

import type { RunningEngine } from '../../engine/engine.js';
import type { Clock } from '../../model/clock.js';
import { type Damage, damageKey } from '../../model/damage.js';
import { messageOf, SkeinError } from '../../model/errors.js';
import type { Log } from '../../model/log.js';
import type { KnownDamage, RecoveryStatus, Way } from '../../model/recovery.js';
import type { QuarantineLine, QuarantineList } from './quarantine-list.js';
import { RepairRecord } from './repair-record.js';
import type { Repairs } from './repairs.js';
import { afterTry, foundAgain, isUnlocated, newCase, nextStep, type RepairCase, type Surroundings } from './ways.js';

/** The engine as far as its store is cared for. */
export type CaredEngine = Pick<RunningEngine, 'care'>;

export interface RecoveryManagerParts {
  /** Null while no store is open. */
  engine(): CaredEngine | null;
  around(): Surroundings;
  readonly repairs: Pick<Repairs, 'go'>;
  readonly quarantine: Pick<QuarantineList, 'add'>;
  readonly clock: Clock;
  readonly log: Log;
  /** All of the store is to be read: there is damage that cannot be looked at alone, or whose place is not known. */
  wantPass(): void;
  /** Aborted when the node stops. */
  readonly stopping: AbortSignal;
}

/** What is found beyond them is found again by the pass that comes when they are done. */
export const CASES_MAX = 1_000;
const SHOWN_MAX = 100;
/** In one round, so that what is repaired is shown soon. */
const ROUND_MAX = 100;

export class RecoveryManager {
  readonly #parts: RecoveryManagerParts;
  readonly #cases = new Map<string, RepairCase>();
  readonly #record = new RepairRecord();
  /** Collections of which searches do not show yet what was mended. */
  readonly #mended = new Set<number>();
  /** Collections of which searches are about to show it. */
  #showing = new Set<number>();
  /** Cases that the last pass did not meet again: their places may be no more. */
  readonly #unseen = new Set<string>();
  #engine: CaredEngine | null = null;
  #endListening = (): void => {};
  #round: Promise<void> | null = null;
  #overflowed = false;

  constructor(parts: RecoveryManagerParts) {
    this.#parts = parts;
  }

  /** Damage was found; one that is known already is tried again when its tries were used up. */
  found(damage: Damage): void {
    const key = damageKey(damage);
    const nowMs = this.#parts.clock.monotonicMs();
    const known = this.#cases.get(key);
    if (known !== undefined) {
      this.#cases.set(key, foundAgain(known, nowMs));
      return;
    }
    if (this.#cases.size >= CASES_MAX) {
      this.#overflowed = true;
      return;
    }
    this.#cases.set(key, newCase(damage, nowMs));
    this.#parts.log.error('damage_found', { ...fieldsOf(damage), message: damage.message });
  }

  /** A read or a write met it: only a look tells what it is. */
  #met(damage: Damage): void {
    const { label, seq, page } = damage;
    if (label === null && seq === null && page === null) return this.#parts.wantPass();
    if (!this.#cases.has(damageKey(damage))) this.found(damage);
  }

  /** Every row was read. @param startedAtMs of the monotonic clock */
  passed(startedAtMs: number): void {
    for (const [key, known] of this.#cases) {
      if (known.seenAtMs >= startedAtMs) continue;
      if (isUnlocated(known.damage)) this.#end(key, known.damage);
      else this.#unseen.add(key);
    }
    // An index passed over what every row's reading finds whole.
    for (const uid of this.#unexplained()) this.#mended.add(uid);
  }

  /** Collections of which an index lacks rows, though none of them is known to be damaged. */
  #unexplained(): number[] {
    const uids = this.#engine?.care.unread() ?? [];
    if (uids.length === 0) return [];
    const known = new Set([...this.#cases.values()].map(({ damage }) => damage.collectionUid));
    return uids.filter((uid) => !known.has(uid) && !this.#mended.has(uid) && !this.#showing.has(uid));
  }

  /** Does what is due; called once a second. One round at a time. */
  tick(): void {
    this.#follow(this.#parts.engine());
    const engine = this.#engine;
    if (this.#round !== null || this.#parts.stopping.aborted || engine === null) return;
    if (this.#unexplained().length > 0) this.#parts.wantPass();
    if (this.#cases.size === 0 && this.#mended.size === 0) return;
    this.#round = this.#work(engine)
      .catch((error: unknown) => {
        if (!this.#isOver(engine)) this.#parts.log.warn('recovery_interrupted', { error });
      })
      .finally(() => {
        this.#round = null;
      });
  }

  /** Another store has nothing of the damage of the one before. */
  #follow(engine: CaredEngine | null): void {
    if (engine === this.#engine) return;
    this.#endListening();
    if (this.#engine !== null && this.#cases.size > 0) this.#parts.log.info('damage_left_behind', { cases: this.#cases.size });
    this.#cases.clear();
    this.#unseen.clear();
    this.#mended.clear();
    this.#showing = new Set();
    this.#overflowed = false;
    this.#engine = engine;
    this.#endListening = engine?.care.onDamage((damage) => this.#met(damage)) ?? (() => {});
  }

  #isOver(engine: CaredEngine): boolean {
    return this.#parts.stopping.aborted || this.#engine !== engine || this.#parts.engine() !== engine;
  }

  async #work(engine: CaredEngine): Promise<void> {
    const lines: QuarantineLine[] = [];
    let tried = 0;
    for (const [key, known] of [...this.#cases]) {
      if (this.#isOver(engine) || tried === ROUND_MAX) break;
      const step = nextStep(known, this.#parts.around(), this.#parts.clock.monotonicMs());
      if (step.kind === 'wait' && !this.#unseen.has(key)) continue;
      const damage = await this.#look(engine, known.damage);
      if (this.#isOver(engine)) break;
      this.#unseen.delete(key);
      if (damage === null) this.#end(key, known.damage);
      else if (step.kind === 'wait') continue;
      else if (step.kind === 'quarantine') lines.push(this.#quarantine(engine, key, { ...known, damage }, step.reason));
      else {
        tried += 1;
        await this.#try(key, { ...known, damage }, step.way);
      }
    }
    await this.#list(lines);
    if (!this.#isOver(engine)) this.#show(engine);
    if (!this.#overflowed || this.#cases.size > CASES_MAX / 2) return;
    this.#overflowed = false;
    this.#parts.wantPass();
  }

  /** What cannot be looked at now is as it was. */
  async #look(engine: CaredEngine, damage: Damage): Promise<Damage | null> {
    try {
      return await engine.care.look(damage);
    } catch (error) {
      if (error instanceof SkeinError) return damage;
      throw error;
    }
  }

  async #try(key: string, known: RepairCase, way: Way): Promise<void> {
    const { clock, log, repairs, stopping } = this.#parts;
    const { damage } = known;
    const result = await this.#unlessStopped(repairs.go(way, damage));
    // An end of the node is no failure of the way.
    if (result === null || (result.outcome !== 'repaired' && stopping.aborted)) return;
    const { outcome, error, isFinal } = result;
    this.#record.add({ atMs: clock.wallMs(), way, outcome, damage, error });
    const fields = { way, outcome, ...fieldsOf(damage), ...(error !== null && { reason: error }) };
    if (outcome === 'repaired') log.info('damage_repaired', fields);
    else log.warn('damage_repair_tried', fields);
    if (outcome === 'repaired') this.#forget(key, damage);
    else if (this.#cases.has(key)) this.#cases.set(key, afterTry(known, way, isFinal, error ?? outcome, clock.monotonicMs()));
  }

  /** The row is whole, was deleted or written anew, or its collection is gone. */
  #end(key: string, damage: Damage): void {
    this.#forget(key, damage);
    this.#parts.log.info('damage_gone', fieldsOf(damage));
  }

  #forget(key: string, { collectionUid }: Damage): void {
    this.#cases.delete(key);
    this.#unseen.delete(key);
    if (collectionUid !== null) this.#mended.add(collectionUid);
  }

  #quarantine(engine: CaredEngine, key: string, known: RepairCase, reason: string): QuarantineLine {
    const { clock, log } = this.#parts;
    const { damage } = known;
    const collection = nameOf(engine, damage);
    this.#cases.set(key, { ...known, quarantined: true });
    log.error('damage_quarantined', { ...fieldsOf(damage), collection, reason });
    return { damage, collection, reason, atMs: clock.wallMs() };
  }

  async #list(lines: readonly QuarantineLine[]): Promise<void> {
    try {
      await this.#parts.quarantine.add(lines);
    } catch (error) {
      // A full disk: the log and the status say it all the same.
      this.#parts.log.warn('quarantine_not_written', { reason: messageOf(error) });
    }
  }

  /** An index may be built anew for it, so it waits until nothing of the collection is under way; nothing waits for it. */
  #show(engine: CaredEngine): void {
    const open = [...this.#cases.values()].filter(({ quarantined }) => !quarantined);
    const busy = new Set(open.map(({ damage }) => damage.collectionUid));
    for (const uid of [...this.#mended]) {
      if (busy.has(uid) || this.#showing.has(uid)) continue;
      this.#mended.delete(uid);
      if (engine.care.nameOf(uid) !== null) void this.#showOne(engine, uid, this.#showing);
    }
  }

  async #showOne(engine: CaredEngine, uid: number, showing: Set<number>): Promise<void> {
    showing.add(uid);
    try {
      await engine.care.show(uid);
    } catch (error) {
      if (!this.#isOver(engine)) this.#parts.log.warn('recovery_interrupted', { error });
    } finally {
      showing.delete(uid);
    }
  }

  /** A reading of a whole collection must not hold a stop up. @returns null when the node stops first */
  async #unlessStopped<T>(work: Promise<T>): Promise<T | null> {
    const { stopping } = this.#parts;
    let stop = (): void => {};
    const stopped = new Promise<null>((resolve) => {
      stop = () => resolve(null);
      stopping.addEventListener('abort', stop);
    });
    try {
      return await Promise.race([work, stopped]);
    } finally {
      stopping.removeEventListener('abort', stop);
    }
  }

  /** Of damage and tries. */
  status(): Omit<RecoveryStatus, 'scrub' | 'quarantineBytes'> {
    const { clock } = this.#parts;
    const agoMs = clock.wallMs() - clock.monotonicMs();
    const cases = [...this.#cases.values()];
    const known = cases.slice(0, SHOWN_MAX).map(({ damage, foundAtMs, tries, quarantined }): KnownDamage => {
      const attempts = Object.values(tries).reduce((sum, count) => sum + count, 0);
      return {
        damage,
        collection: nameOf(this.#engine, damage),
        foundAtMs: Math.round(foundAtMs + agoMs),
        attempts,
        quarantined,
      };
    });
    const { counts, newest } = this.#record;
    const quarantined = cases.filter((one) => one.quarantined).length;
    return { damaged: cases.length, quarantined, known, counts, attempts: newest };
  }

  /** One sentence, or null. */
  get concern(): string | null {
    const damaged = this.#cases.size;
    if (damaged === 0) return null;
    const quarantined = [...this.#cases.values()].filter((known) => known.quarantined).length;
    const rest = quarantined === 0 ? 'they are being repaired' : `${quarantined} of them are in quarantine`;
    return `${damaged} damaged rows were found in the store; ${rest}`;
  }

  /** Resolves when nothing is under way any more; `stopping` is aborted. */
  async stop(): Promise<void> {
    this.#endListening();
    await this.#round;
  }
}

function nameOf(engine: CaredEngine | null, { collectionUid }: Damage): string | null {
  return collectionUid === null ? null : (engine?.care.nameOf(collectionUid) ?? null);
}

function fieldsOf({ kind, table, collectionUid, label, id, seq, page }: Damage) {
  return { kind, table, collection_uid: collectionUid, label, id, entry_seq: seq, page };
}

/** Retention: which backups may go. Decisions only: it reads no target and no clock.
 *
 *    full A ◄─ increment ◄─ increment      full B ◄─ increment …        (◄─: continues)
 *
 *  A full backup goes when `fullsMax` good ones are newer and it is not the first good one of one of the last `fullsMax` days (UTC): so
 *  many of them, made in a hurry, take nothing from how far back one can go. Or it goes when no moment of the last `ageMsMax` needs it: a
 *  newer good one is itself that old. What a restore or a promotion has left pushes nothing out of the data that runs. An increment goes with the last full one that it can be replayed on. So a broken backup pushes nothing out, the newest good
 *  full one of what runs always stays, and what can be restored without the removed ones can be restored afterwards. */

export interface KeptBackup {
  readonly id: string;
  readonly kind: 'full' | 'incremental';
  /** When the moment was that it restores to. */
  readonly createdAtMs: number;
  /** False: it is known to be damaged. */
  readonly good: boolean;
  /** Is it of the data that runs? False: another line of data parted from that before its end. */
  readonly isRunning: boolean;
  /** Of an increment: backups that it can be replayed after, any one of them. Of a full one: none. */
  readonly continues: readonly string[];
}

export interface RetentionRules {
  /** Good full backups that stay, and days of which the first one stays, ≥ 1. */
  readonly fullsMax: number;
  /** null: age removes nothing. */
  readonly ageMsMax: number | null;
}

const DAY_MS = 86_400_000;

/** @returns ids in the order in which to remove them: whenever that is broken off, nothing is left without what it hangs on
 *  Cost: backups × how many full ones each hangs on */
export function expiredBackups(backups: readonly KeptBackup[], rules: RetentionRules, nowMs: number): string[] {
  const goodFulls = backups.filter(({ kind, good }) => kind === 'full' && good);
  const daily = firstOfDays(goodFulls, dayOf(nowMs) - rules.fullsMax);
  const expires = ({ createdAtMs, id, isRunning }: KeptBackup): boolean => {
    const newer = goodFulls.filter((full) => isNewer(full, { createdAtMs, id }) && (full.isRunning || !isRunning));
    const { ageMsMax } = rules;
    const tooMany = newer.length >= rules.fullsMax && !daily.has(id);
    return tooMany || (ageMsMax !== null && newer.some((full) => full.createdAtMs <= nowMs - ageMsMax));
  };
  const continuations = continuationsOf(backups);
  const bases = basesOf(backups, continuations);
  const goes = (backup: KeptBackup): boolean => {
    const fulls = backup.kind === 'full' ? [backup] : (bases.get(backup.id) ?? []);
    // What hangs on nothing that is there goes by the same rules: somebody may have moved its full one away for a while.
    return fulls.length === 0 ? expires(backup) : fulls.every(expires);
  };
  const depths = depthsOf(backups, continuations);
  const depth = ({ id, kind }: KeptBackup): number => (kind === 'full' ? -1 : (depths.get(id) ?? 0));
  return backups
    .filter(goes)
    .sort((a, b) => depth(b) - depth(a) || (isNewer(a, b) ? 1 : -1))
    .map(({ id }) => id);
}

/** The first full backup of each day after that one, and of those to come, if a clock was set back. */
function firstOfDays(fulls: readonly KeptBackup[], afterDay: number): ReadonlySet<string> {
  const first = new Map<number, KeptBackup>();
  for (const full of fulls) {
    const day = dayOf(full.createdAtMs);
    const known = first.get(day);
    if (day > afterDay && (known === undefined || isNewer(known, full))) first.set(day, full);
  }
  return new Set([...first.values()].map(({ id }) => id));
}

function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

/** Two of the same moment are told apart by id, so that every run decides alike. */
function isNewer(a: { createdAtMs: number; id: string }, b: { createdAtMs: number; id: string }): boolean {
  return a.createdAtMs === b.createdAtMs ? a.id > b.id : a.createdAtMs > b.createdAtMs;
}

type Continuations = ReadonlyMap<string, readonly string[]>;

/** By id: the increments that can be replayed directly after it. */
function continuationsOf(backups: readonly KeptBackup[]): Continuations {
  const found = new Map<string, string[]>();
  for (const { id, continues } of backups) {
    for (const before of continues) {
      const known = found.get(before);
      if (known === undefined) found.set(before, [id]);
      else known.push(id);
    }
  }
  return found;
}

/** The full backups that each increment can be replayed on, directly or behind other increments. */
function basesOf(backups: readonly KeptBackup[], continuations: Continuations): ReadonlyMap<string, readonly KeptBackup[]> {
  const bases = new Map<string, KeptBackup[]>();
  for (const full of backups.filter(({ kind }) => kind === 'full')) {
    for (const id of walk([full.id], continuations).keys()) {
      const known = bases.get(id);
      if (known === undefined) bases.set(id, [full]);
      else known.push(full);
    }
  }
  return bases;
}

/** How many increments away each one is from the nearest that hangs on none: a chain is removed from its far end. */
function depthsOf(backups: readonly KeptBackup[], continuations: Continuations): ReadonlyMap<string, number> {
  const ids = new Set(backups.map(({ id }) => id));
  const roots = backups.filter(({ kind, continues }) => kind === 'full' || !continues.some((id) => ids.has(id)));
  return walk(
    roots.map(({ id }) => id),
    continuations,
  );
}

/** Breadth first; each id is visited once, so that a circle in what was read ends. @returns steps from the nearest root */
function walk(roots: readonly string[], continuations: Continuations): ReadonlyMap<string, number> {
  const steps = new Map(roots.map((id) => [id, 0]));
  for (const [id, step] of steps) {
    for (const next of continuations.get(id) ?? []) if (!steps.has(next)) steps.set(next, step + 1);
  }
  return steps;
}

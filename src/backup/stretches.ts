/** Stretches of states by the history that wrote them: what backups hold, put together and taken away. Pure.
 *
 *  A stretch has all states from the first seq to the last one, both included. Must not know: backups, targets. */

export interface Stretch {
  readonly historyId: string;
  readonly first: number;
  readonly last: number;
}

/** What of a line of data lies behind one seq, up to another one.
 *  @param lineage oldest first */
export function stretchesOf(
  lineage: readonly { readonly historyId: string; readonly startSeq: number }[],
  afterSeq: number,
  throughSeq: number,
): Stretch[] {
  return lineage.flatMap(({ historyId, startSeq }, i) => {
    const first = Math.max(startSeq, afterSeq) + 1;
    const last = Math.min(lineage[i + 1]?.startSeq ?? throughSeq, throughSeq);
    return first <= last ? [{ historyId, first, last }] : [];
  });
}

/** What stretches hold together: of each history in the order of their beginnings, none touching the next. */
export type Covered = ReadonlyMap<string, readonly Stretch[]>;

export function covered(stretches: readonly Stretch[]): Covered {
  const found = new Map<string, Stretch[]>();
  for (const stretch of [...stretches].sort((left, right) => left.first - right.first)) {
    const known = found.get(stretch.historyId);
    const last = known?.at(-1);
    if (known === undefined || last === undefined) found.set(stretch.historyId, [stretch]);
    else if (stretch.first > last.last + 1) known.push(stretch);
    else known[known.length - 1] = { ...last, last: Math.max(last.last, stretch.last) };
  }
  return found;
}

/** What is in some of the first and in none of the others. */
export function without(stretches: readonly Stretch[], others: Covered): Stretch[] {
  return stretches.flatMap(({ historyId, first, last }) => {
    const left: Stretch[] = [];
    let from = first;
    for (const other of others.get(historyId) ?? []) {
      if (other.first > last) break;
      if (other.first > from) left.push({ historyId, first: from, last: other.first - 1 });
      from = Math.max(from, other.last + 1);
    }
    if (from <= last) left.push({ historyId, first: from, last });
    return left;
  });
}

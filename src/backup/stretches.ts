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

/** What is in some of the first and in none of the others. Cost: sorting, and one walk for each of the first. */
export function without(stretches: readonly Stretch[], others: readonly Stretch[]): Stretch[] {
  const taken = byHistory(others);
  return stretches.flatMap(({ historyId, first, last }) => {
    const left: Stretch[] = [];
    let from = first;
    for (const other of taken.get(historyId) ?? []) {
      if (other.first > last) break;
      if (other.first > from) left.push({ historyId, first: from, last: other.first - 1 });
      from = Math.max(from, other.last + 1);
    }
    if (from <= last) left.push({ historyId, first: from, last });
    return left;
  });
}

/** In the order of their beginnings. */
function byHistory(stretches: readonly Stretch[]): ReadonlyMap<string, readonly Stretch[]> {
  const found = new Map<string, Stretch[]>();
  for (const stretch of stretches) {
    const known = found.get(stretch.historyId);
    if (known === undefined) found.set(stretch.historyId, [stretch]);
    else known.push(stretch);
  }
  for (const list of found.values()) list.sort((left, right) => left.first - right.first);
  return found;
}

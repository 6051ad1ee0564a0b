/** Brings a store of an older format to this one, in place and in one transaction: a kill leaves either the old store or the new one.
 *  Must not know: how a connection is opened. */

import { clusterWrites, firstLineage } from './cluster.js';
import type { Database } from './driver.js';
import { addWhatIsNew, FORMAT, formatOf, hasPart } from './schema.js';
import { stateReads } from './state.js';

/** Does nothing to a store of this format. Format 1 knew one history and no voters; neither it nor format 2 knew aliases; none before 4 knew access keys. Cost: one scan of
 *  the point rows, for the index of those whose payload was changed, before format 3.
 *  @throws SkeinError CorruptData when the state row is damaged, errors of the driver: nothing was changed */
export function upgradeStore(db: Database): void {
  const format = formatOf(db);
  if (format === FORMAT) return;
  db.transaction(() => {
    const state = stateReads(db).state();
    addWhatIsNew(db, format);
    if (!hasPart(format, 'lineage')) clusterWrites(db).insertLineage(firstLineage(state));
  }).immediate();
}

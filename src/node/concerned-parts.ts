/** The parts of a node that say themselves what is wrong with them, as components of health; those that are not configured are none.
 *  Must not know: what they find. */

import type { Config } from '../config/config.js';
import type { ConcernedPart } from '../observability/concern-check.js';

interface Speaking {
  concerns(): readonly string[];
}

interface Noting extends Speaking {
  notes(): readonly string[];
}

export interface ConcernedParts {
  readonly guards: Speaking;
  readonly backups: Noting;
  readonly certificates: Noting;
}

export function concernedParts(
  { backup, replication }: Pick<Config, 'backup' | 'replication'>,
  { guards, backups, certificates }: ConcernedParts,
): readonly ConcernedPart[] {
  const said = (part: Noting): Pick<ConcernedPart, 'concerns' | 'notes'> => ({
    concerns: () => part.concerns(),
    notes: () => part.notes(),
  });
  return [
    { name: 'guards', concerns: () => guards.concerns(), notes: () => [], well: 'no work is refused' },
    ...(backup.place === null ? [] : [{ name: 'backups', ...said(backups), well: 'nothing is known to be wrong with them' }]),
    ...(replication.tls.cert === null ? [] : [{ name: 'certificates', ...said(certificates), well: 'it is in its time' }]),
  ];
}

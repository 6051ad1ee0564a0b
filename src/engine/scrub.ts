/** Reads every row once for its checksum, a page at a time, beside the normal work. */

import type { ErrorRecord } from '../model/errors.js';
import type { Catalogue } from './catalogue.js';
import type { ScrubReport } from './engine.js';
import type { Reader } from './reader.js';
import type { ReadAnswers } from './reads.js';

/** How many damaged rows are named. */
const DAMAGED_MAX = 1_000;

export async function scrub(catalogue: Catalogue, reader: Reader): Promise<ScrubReport> {
  const damaged: ErrorRecord[] = [];
  let rows = 0;
  for (const { row } of [...catalogue.all()]) {
    for (let label: number | null = 0; label !== null && catalogue.byUid(row.uid) !== undefined; ) {
      const page: ReadAnswers['scrub'] = await reader.read({ kind: 'scrub', uid: row.uid, fromLabel: label });
      rows += page.rows;
      if (damaged.length < DAMAGED_MAX) damaged.push(...page.damaged);
      label = page.nextLabel;
    }
  }
  return { rows, damaged };
}

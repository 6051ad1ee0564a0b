/** Where refused records are named: each on a line of its own, for people, and in the file of --report, for programs. */

import { appendFileSync, writeFileSync } from 'node:fs';
import { placeText, type RefusedRecord } from './record.js';

export interface RefusalReport {
  add(record: RefusedRecord): void;
}

/** @param path of the report, or null
 *  @param keep go on with a report that an interrupted import began
 *  @param note shows one line */
export function refusalReport(options: {
  readonly path: string | null;
  readonly keep: boolean;
  readonly placeWord: string;
  readonly fileName: string;
  note(line: string): void;
}): RefusalReport {
  const { path, keep, placeWord, fileName, note } = options;
  if (path !== null && !keep) writeFileSync(path, '');
  return {
    add(record) {
      note(`${fileName}: ${placeText(placeWord, record)}: ${record.problem}`);
      if (path === null) return;
      const line = record.line === undefined ? {} : { line: record.line };
      appendFileSync(path, `${JSON.stringify({ [placeWord]: record.place, ...line, error: record.problem })}\n`);
    },
  };
}

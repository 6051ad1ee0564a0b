/** Where refused records are named: each on a line of its own, for people, and in the file of --report, for programs.
 *
 *  As long as no point fits, it is the file or the collection that is wrong, and a few lines say so: the others are held back, and
 *  named when a point fits after all. */

import { appendFileSync, writeFileSync } from 'node:fs';
import { grouped } from '../numbers.js';
import { placeText, type RefusedRecord } from './record.js';

export interface RefusalReport {
  add(record: RefusedRecord): void;
  /** A point fits: from now on every refused record is named at once. */
  pointFits(): void;
  /** Says how many are not named, if any. */
  end(): void;
  /** Where the refused records are named, for the last line. */
  place(): string;
}

/** Lines that are shown before any point fits. */
const FIRST_SHOWN = 10;
/** Lines that are kept for the case that one fits after all. */
const HELD_MAX = 1_000;

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
  let fits = false;
  let shown = 0;
  let unnamed = 0;
  let held: string[] = [];
  const show = (line: string): void => {
    if (fits || shown < FIRST_SHOWN) {
      shown += 1;
      note(line);
    } else if (held.length < HELD_MAX) held.push(line);
    else unnamed += 1;
  };
  return {
    add(record) {
      show(`${fileName}: ${placeText(placeWord, record)}: ${record.problem}`);
      if (path === null) return;
      const line = record.line === undefined ? {} : { line: record.line };
      appendFileSync(path, `${JSON.stringify({ [placeWord]: record.place, ...line, error: record.problem })}\n`);
    },
    pointFits() {
      if (fits) return;
      fits = true;
      for (const line of held) note(line);
      held = [];
    },
    end() {
      unnamed += held.length;
      held = [];
      if (unnamed === 0) return;
      const all = path === null ? '--report FILE names them all' : `${path} names them all`;
      note(`${fileName}: … and ${grouped(unnamed)} more, refused too (${all})`);
    },
    place() {
      const above = unnamed === 0 ? 'named above' : `the first ${grouped(shown)} named above`;
      if (path === null) return above;
      return unnamed === 0 ? `${above} and in ${path}` : `all named in ${path}`;
    },
  };
}

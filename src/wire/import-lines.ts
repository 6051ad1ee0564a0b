/** Lines of an import: NDJSON read into blocks; a bad line is recorded and the others go on.
 *
 *  An id that comes again starts a new block, so that blocks written in their order leave the later line standing.
 *  Pure, for both threads. */

import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { PointBlock } from '../model/point.js';
import { operationsHash } from './canonical-hash.js';
import { JsonReader } from './json-reader.js';
import { PointRows, type RowRules } from './point-rows.js';

export interface ImportBlock {
  readonly points: PointBlock;
  /** The line of each point, counted from 1 over the whole import. */
  readonly lines: Uint32Array;
  /** Canonical hash of its upsert, when it was asked for. */
  readonly hash: Uint8Array | null;
}

export interface RefusedLine {
  readonly line: number;
  readonly error: ErrorRecord;
}

export interface ReadLines {
  readonly blocks: readonly ImportBlock[];
  readonly refused: readonly RefusedLine[];
}

export interface LineRules extends RowRules {
  /** Of the first line in the bytes. */
  readonly firstLine: number;
  /** One block for every point: after the writer refused a block, to find out which of its points it was. */
  readonly single: boolean;
  /** Name of the collection that hashes are of; null: none are asked for. */
  readonly hashFor: string | null;
}

const NEWLINE = 0x0a;

/** @param bytes whole lines; the last one may lack its newline. Blank lines count but hold nothing. */
export function readImportLines(bytes: Uint8Array, rules: LineRules): ReadLines {
  const blocks: ImportBlock[] = [];
  const refused: RefusedLine[] = [];
  let rows = new PointRows(rules);
  let lines: number[] = [];
  const flush = (): void => {
    if (rows.count > 0) blocks.push(blockOf(rows.finish(), lines, rules.hashFor));
    rows = new PointRows(rules);
    lines = [];
  };
  let line = rules.firstLine;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const text = bytes.subarray(start, end);
    start = end + 1;
    if (isBlank(text)) continue;
    try {
      if (!rows.readLine(new JsonReader(text))) {
        flush();
        rows.readLine(new JsonReader(text));
      }
      lines.push(line);
      if (rules.single) flush();
    } catch (error) {
      if (!(error instanceof SkeinError)) throw error;
      refused.push({ line, error: error.toRecord() });
    }
  }
  flush();
  return { blocks, refused };
}

function blockOf(points: PointBlock, lines: readonly number[], collection: string | null): ImportBlock {
  const hash = collection === null ? null : operationsHash([{ kind: 'upsert', collection, points }]);
  return { points, lines: Uint32Array.from(lines), hash };
}

function isBlank(text: Uint8Array): boolean {
  for (const byte of text) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  return true;
}

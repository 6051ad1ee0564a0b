/** How far a copy is, kept in a file while it runs, so that an interrupted one can go on.
 *
 *  Invariant: every point before a cursor is durable in the target. The note counts only for the same two servers, and for a collection only while the
 *  source has not made it anew. */

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { CopyProblem } from './copy-plan.js';

const VERSION = 1;

export interface CollectionNote {
  /** Of the collection in the source. */
  readonly created_at: string;
  /** Of the next page; null: the first, or none when `copied` is all. */
  readonly cursor: string | null;
  readonly points: number;
  readonly copied: boolean;
}

export interface CopyNote {
  readonly version: number;
  readonly source: string;
  readonly target: string;
  /** Where the source stood when the copy began, and then the token of the last change that was followed; null before that is known. */
  readonly place: string | null;
  readonly collections: Readonly<Record<string, CollectionNote>>;
}

export function newNote(source: string, target: string): CopyNote {
  return { version: VERSION, source, target, place: null, collections: {} };
}

/** What is noted of a collection, also of one that is named as what every object has. */
export function collectionNote({ collections }: CopyNote, name: string): CollectionNote | undefined {
  return Object.hasOwn(collections, name) ? collections[name] : undefined;
}

export function withCollection(note: CopyNote, name: string, change: CollectionNote): CopyNote {
  return { ...note, collections: { ...note.collections, [name]: change } };
}

/** @returns null when there is none  @throws CopyProblem when it is of other servers, or cannot be understood */
export function readCopyNote(path: string, source: string, target: string): CopyNote | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const note = parsed(text);
  if (note === null)
    throw new CopyProblem(`${path} is no note of a copy that this version can go on with; remove it and copy without --resume`);
  if (note.source !== source || note.target !== target)
    throw new CopyProblem(`${path} is of a copy from ${note.source} to ${note.target}; name another file with --state`);
  return note;
}

/** Replaces the note as a whole, so that a crash leaves the old one or the new one. */
export function writeCopyNote(path: string, note: CopyNote): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(note)}\n`);
  renameSync(temporary, path);
}

export function removeCopyNote(path: string): void {
  rmSync(path, { force: true });
}

function parsed(text: string): CopyNote | null {
  try {
    const note = JSON.parse(text) as Partial<CopyNote> | null;
    const whole = note?.version === VERSION && typeof note.source === 'string' && typeof note.target === 'string';
    return whole && typeof note.collections === 'object' && note.collections !== null ? (note as CopyNote) : null;
  } catch {
    return null;
  }
}

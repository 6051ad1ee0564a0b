/** Where an import stands, kept in FILE.skein-import.json beside the file while it runs, so that an interrupted one can go on.
 *
 *  Invariant: every record before `next` is stored or refused; the note never runs ahead of that. It counts only for the same file
 *  (size, time), server and collection (name, time of creation). Must not know: how records are read or sent. */

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { DoneSoFar } from './sender.js';

const VERSION = 1;

/** What must be the same for an import to go on. */
export interface ImportIdentity {
  readonly url: string;
  readonly collection: string;
  readonly collection_created_at: string;
  readonly file_bytes: number;
  readonly file_modified_ms: number;
  readonly format: string;
  readonly id_offset: number;
  readonly id_column: string;
  readonly vector_column: string;
}

export interface ResumeNote extends ImportIdentity {
  readonly version: number;
  readonly next: number;
  readonly imported: number;
  readonly refused: number;
}

export function notePath(path: string): string {
  return `${path}.skein-import.json`;
}

export function fileIdentity(path: string): Pick<ImportIdentity, 'file_bytes' | 'file_modified_ms'> {
  const { size, mtimeMs } = statSync(path);
  return { file_bytes: size, file_modified_ms: Math.round(mtimeMs) };
}

/** @returns null when there is no note
 *  @throws Error when there is one that cannot be read */
export function readNote(path: string): ResumeNote | null {
  let text: string;
  try {
    text = readFileSync(notePath(path), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  let note: Partial<ResumeNote> | null = null;
  try {
    note = JSON.parse(text) as Partial<ResumeNote>;
  } catch {
    note = null;
  }
  const counts = [note?.next, note?.imported, note?.refused];
  if (note === null || note.version !== VERSION || !counts.every((count) => Number.isSafeInteger(count) && Number(count) >= 0)) {
    throw new Error(
      `${notePath(path)} is not a note of an import that this version can go on with; remove it and start again without --resume`,
    );
  }
  return note as ResumeNote;
}

/** @returns what differs, in words, or null when the import may go on */
export function whyNotResumable(note: ResumeNote, now: ImportIdentity): string | null {
  for (const key of Object.keys(now) as (keyof ImportIdentity)[]) {
    if (note[key] !== now[key]) return `${WORDS[key]} was ${String(note[key])} then and is ${String(now[key])} now`;
  }
  return null;
}

const WORDS: Readonly<Record<keyof ImportIdentity, string>> = {
  url: 'the server',
  collection: 'the collection',
  collection_created_at: 'the time at which the collection was created',
  file_bytes: 'the size of the file',
  file_modified_ms: 'the time of the file’s last change',
  format: 'the format',
  id_offset: 'the id offset',
  id_column: 'the id column',
  vector_column: 'the vector column',
};

/** Replaces the note as a whole, so that a crash leaves the old one or the new one. */
export function writeNote(path: string, identity: ImportIdentity, done: DoneSoFar): void {
  const note: ResumeNote = { version: VERSION, ...identity, next: done.next, imported: done.imported, refused: done.refused };
  const temporary = `${notePath(path)}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(note)}\n`);
  renameSync(temporary, notePath(path));
}

export function removeNote(path: string): void {
  rmSync(notePath(path), { force: true });
}

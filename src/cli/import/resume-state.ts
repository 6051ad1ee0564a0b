/** Where an import stands, kept in a note while it runs (FILE.skein-import.json beside a file), so that an interrupted one can go on.
 *
 *  Invariant: every record before `next` is stored or refused; the note never runs ahead of that. It counts only for the same origin (of a
 *  file: size, time), server and collection (name, time of creation). Must not know: how records are read or sent. */

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { DoneSoFar } from './sender.js';

const VERSION = 1;

/** What must be the same for an import to go on: `url`, `collection`, `collection_created_at`, and what tells its origin from others. */
export type ImportIdentity = Readonly<Record<string, string | number>>;

export type ResumeNote = ImportIdentity & DoneSoFar & { readonly version: number };

export function notePath(path: string): string {
  return `${path}.skein-import.json`;
}

export function fileIdentity(path: string): { readonly file_bytes: number; readonly file_modified_ms: number } {
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
  for (const key of Object.keys(now)) {
    if (note[key] !== now[key])
      return `${WORDS[key] ?? key.replaceAll('_', ' ')} was ${String(note[key])} then and is ${String(now[key])} now`;
  }
  return null;
}

const WORDS: Readonly<Record<string, string>> = {
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
  const note = { version: VERSION, ...identity, ...done };
  const temporary = `${notePath(path)}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(note)}\n`);
  renameSync(temporary, notePath(path));
}

export function removeNote(path: string): void {
  rmSync(notePath(path), { force: true });
}

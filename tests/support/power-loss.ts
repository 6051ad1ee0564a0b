/** Power loss, replayed: from a trace of everything a process did to a folder, the folder as a disk could have been left at any moment.
 *
 *  What was synced is there. Of what was not, any part may be: whole writes, some sectors of one, or none; names made, renamed or removed
 *  are sure only once their folder was synced, and become so in order. SQLite's -shm is memory and is left out.
 *  Must not know: what the files mean. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of strace -ttt -y -xx -s <large>, as far as it changes a folder. */
export interface DiskEvent {
  readonly atMs: number;
  readonly call: string;
  /** Of files and folders below the root; '' is the root itself. */
  readonly path: string;
  readonly to: string;
  readonly offset: number;
  readonly data: Buffer;
}

export const TRACED_CALLS = 'pwrite64,write,fsync,fdatasync,ftruncate,rename,unlink,openat,mkdir,rmdir';
const SECTOR_BYTES = 512;
const LINE = /^\s*(\d+)\s+(\d+\.\d+) (?:(\w+)\((.*)|<\.\.\. (\w+) resumed>(.*))$/;
const STRING = /"((?:\\x[0-9a-f]{2})*)"/g;

const textOf = (escaped: string): Buffer => Buffer.from(escaped.replaceAll('\\x', ''), 'hex');

/** @param root the folder that was written to, as the process named it */
export function readTrace(trace: string, root: string): DiskEvent[] {
  const events: DiskEvent[] = [];
  const unfinished = new Map<string, DiskEvent>();
  for (const line of trace.split('\n')) {
    const [, thread = '', seconds = '', call, rest = '', resumed, ending = ''] = LINE.exec(line) ?? [];
    const atMs = Number(seconds) * 1_000;
    if (resumed !== undefined) {
      const begun = unfinished.get(thread);
      unfinished.delete(thread);
      if (begun !== undefined && succeeded(ending)) events.push({ ...begun, atMs });
    } else if (call !== undefined) {
      const event = eventOf(call, rest, atMs, root);
      if (event === null) continue;
      // A call that is still running has done nothing for sure; what it does is known when it ends.
      if (rest.endsWith('<unfinished ...>')) unfinished.set(thread, event);
      else if (succeeded(rest)) events.push(event);
    }
  }
  return events;
}

function succeeded(rest: string): boolean {
  return / = \d/.test(rest.slice(rest.lastIndexOf(')')));
}

function eventOf(call: string, rest: string, atMs: number, root: string): DiskEvent | null {
  const strings = [...rest.matchAll(STRING)].map(([, escaped = '']) => textOf(escaped));
  const descriptor = /^\d+<([^>]*)>/.exec(rest)?.[1] ?? '';
  // Names of descriptors are escaped as strings are.
  const file = descriptor.startsWith('\\x') ? textOf(descriptor).toString() : descriptor;
  const named = strings[0]?.toString() ?? '';
  const byName = call === 'rename' || call === 'unlink' || call === 'mkdir' || call === 'rmdir' || call === 'openat';
  const path = below(root, byName ? named : file);
  if (path === null || path.endsWith('-shm')) return null;
  if (call === 'openat' && !rest.includes('O_CREAT')) return null;
  const to = call === 'rename' ? (below(root, strings[1]?.toString() ?? '') ?? '') : '';
  const numbers = rest
    .replace(STRING, '""')
    .split(', ')
    .map((part) => Number.parseInt(part, 10));
  const offset = call === 'pwrite64' ? (numbers[3] ?? 0) : call === 'ftruncate' ? (numbers[1] ?? 0) : -1;
  return { atMs, call, path, to, offset, data: call.includes('write') ? (strings[0] ?? Buffer.alloc(0)) : Buffer.alloc(0) };
}

function below(root: string, path: string): string | null {
  if (path === root) return '';
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : null;
}

interface Change {
  /** Null: cut or grown to `offset`. */
  readonly data: Buffer | null;
  readonly offset: number;
}

/** A file by what it is, not by what it is called. */
class File {
  durable: Buffer = Buffer.alloc(0);
  pending: Change[] = [];
  /** Where the next write without an offset goes. */
  #end = 0;

  change(data: Buffer | null, offset: number): void {
    const at = offset < 0 ? this.#end : offset;
    this.pending.push({ data, offset: at });
    if (data !== null && offset < 0) this.#end = at + data.length;
  }

  sync(): void {
    for (const change of this.pending) this.durable = changed(this.durable, change);
    this.pending = [];
  }
}

/** Names that change together; null takes a name away. */
type NameChange = readonly (readonly [name: string, entry: File | Folder | null])[];

/** A folder: what its names stand for now, and what they stand for after a power loss. */
class Folder {
  readonly names = new Map<string, File | Folder>();
  #durable = new Map<string, File | Folder>();
  #pending: NameChange[] = [];

  change(...changes: NameChange): void {
    settle(this.names, changes);
    this.#pending.push(changes);
  }

  sync(): void {
    for (const changes of this.#pending) settle(this.#durable, changes);
    this.#pending = [];
  }

  /** Changes of names become sure in order. */
  survived(keep: () => boolean): ReadonlyMap<string, File | Folder> {
    const names = new Map(this.#durable);
    for (const changes of this.#pending) {
      if (!keep()) break;
      settle(names, changes);
    }
    return names;
  }
}

/** A disk under a folder that was empty at the beginning. */
export class Disk {
  readonly #root = new Folder();

  apply({ call, path, to, offset, data }: DiskEvent): void {
    const { folder, name } = this.#place(path);
    const entry = path === '' ? this.#root : folder.names.get(name);
    if (call === 'fsync' || call === 'fdatasync') entry?.sync();
    else if (call === 'mkdir') folder.change([name, new Folder()]);
    else if (call === 'openat') {
      if (entry === undefined) folder.change([name, new File()]);
    } else if (call === 'unlink' || call === 'rmdir') folder.change([name, null]);
    else if (call === 'rename') this.#rename(path, to, entry);
    else if (entry instanceof File) entry.change(call === 'ftruncate' ? null : data, offset);
  }

  #rename(from: string, to: string, entry: File | Folder | undefined): void {
    const before = this.#place(from);
    const after = this.#place(to);
    if (entry === undefined) throw new Error(`a rename that is not understood: ${from} to ${to}`);
    if (before.folder === after.folder) before.folder.change([before.name, null], [after.name, entry]);
    else {
      // Each folder keeps its own names: a loss may leave both names, or none where the new one was not synced.
      before.folder.change([before.name, null]);
      after.folder.change([after.name, entry]);
    }
  }

  #place(path: string): { folder: Folder; name: string } {
    const names = path.split('/');
    const name = names.pop() ?? '';
    let folder = this.#root;
    for (const each of names) {
      const next = folder.names.get(each);
      if (!(next instanceof Folder)) throw new Error(`${path} lies in a folder that was never made`);
      folder = next;
    }
    return { folder, name };
  }

  /** Writes the folder as a power loss now could leave it.
   *  @param keep asked for every sector of every write that is not synced, and for changes of names, in order, until it says no */
  leave(path: string, keep: () => boolean, folder: Folder = this.#root): void {
    mkdirSync(path, { recursive: true });
    for (const [name, entry] of folder.survived(keep)) {
      if (entry instanceof Folder) this.leave(join(path, name), keep, entry);
      else writeFileSync(join(path, name), survived(entry, keep));
    }
  }
}

function settle(names: Map<string, File | Folder>, changes: NameChange): void {
  for (const [name, entry] of changes) {
    if (entry === null) names.delete(name);
    else names.set(name, entry);
  }
}

function survived(file: File, keep: () => boolean): Buffer {
  let content = file.durable;
  for (const change of file.pending) {
    if (change.data === null) {
      if (keep()) content = changed(content, change);
      continue;
    }
    const { data, offset } = change;
    for (let at = 0; at < data.length; ) {
      const sectorEnd = Math.min(data.length, at + SECTOR_BYTES - ((offset + at) % SECTOR_BYTES));
      if (keep()) content = changed(content, { data: data.subarray(at, sectorEnd), offset: offset + at });
      at = sectorEnd;
    }
  }
  return content;
}

function changed(content: Buffer, { data, offset }: Change): Buffer {
  if (data === null) return Buffer.concat([content.subarray(0, offset), Buffer.alloc(Math.max(0, offset - content.length))]);
  const result = Buffer.alloc(Math.max(content.length, offset + data.length));
  content.copy(result);
  data.copy(result, offset);
  return result;
}

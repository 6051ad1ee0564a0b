/** What the control group of the process allows it: memory and CPU, of version 2 or 1, the least of all groups it is in.
 *
 *    /proc/self/cgroup   0::/a/b            → version 2, <root>/a/b, <root>/a, <root>
 *                        4:memory:/a/b      → version 1, <root>/memory/a/b …
 *  In a container the path of the file may not exist below the mount: then the mount itself is the group.
 *  Must not know: what is done near a limit. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CgroupLimits {
  /** Null: none is set. */
  readonly memoryBytes: number | null;
  /** How many cores' worth of time; null: no quota is set. */
  readonly cores: number | null;
}

/** @returns null when there is no such file */
export type ReadText = (path: string) => string | null;

const ROOT = '/sys/fs/cgroup';
/** Version 1 says "none" as a number near 2^63. */
const NO_LIMIT_FROM = 2 ** 60;

/** What the system says. A file that cannot be read counts as absent. Cost: some ten small files. */
export function cgroupLimits(read: ReadText = readSystemText): CgroupLimits {
  const groups = parseGroups(read('/proc/self/cgroup') ?? '');
  const memory: number[] = [];
  const cores: number[] = [];
  for (const folder of foldersOf(ROOT, groups.unified ?? '/')) {
    memory.push(...numberIn(read(join(folder, 'memory.max'))));
    cores.push(...quotaIn(read(join(folder, 'cpu.max'))));
  }
  for (const folder of foldersOf(join(ROOT, 'memory'), groups.controllers.get('memory') ?? '/'))
    memory.push(...numberIn(read(join(folder, 'memory.limit_in_bytes'))));
  for (const folder of foldersOf(join(ROOT, 'cpu'), groups.controllers.get('cpu') ?? '/')) {
    const quota = read(join(folder, 'cpu.cfs_quota_us'));
    const period = read(join(folder, 'cpu.cfs_period_us'));
    if (quota !== null && period !== null) cores.push(...quotaIn(`${quota.trim()} ${period.trim()}`));
  }
  return { memoryBytes: least(memory), cores: least(cores) };
}

interface Groups {
  readonly unified: string | null;
  readonly controllers: ReadonlyMap<string, string>;
}

function parseGroups(text: string): Groups {
  let unified: string | null = null;
  const controllers = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (names === undefined || path === undefined) continue;
    if (names === '') unified = path;
    else for (const name of names.split(',')) controllers.set(name, path);
  }
  return { unified, controllers };
}

/** A group's own folder and those above it. */
function foldersOf(root: string, path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, i) => join(root, ...parts.slice(0, parts.length - i)));
}

function numberIn(text: string | null): number[] {
  const number = text === null || text.trim() === '' ? Number.NaN : Number(text.trim());
  return Number.isFinite(number) && number > 0 && number < NO_LIMIT_FROM ? [number] : [];
}

/** "quota period", both in microseconds; "max" or -1: none. */
function quotaIn(text: string | null): number[] {
  const [quota, period] = (text ?? '').trim().split(/\s+/).map(Number);
  if (quota === undefined || period === undefined || !(quota > 0) || !(period > 0)) return [];
  return [quota / period];
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}

function readSystemText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

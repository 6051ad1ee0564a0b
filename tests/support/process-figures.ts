/** What Linux says about a running process. */

import { readdirSync, readFileSync } from 'node:fs';

const KIB = 1024;

/** Files, sockets, pipes and all else that it holds open. */
export function openHandles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

export function residentBytes(pid: number): number {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) * KIB;
}

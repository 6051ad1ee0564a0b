/** A fresh folder that is gone after the work, also when the bench is broken off. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const open = new Set<string>();

process.on('exit', () => {
  for (const folder of open) remove(folder);
});

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  open.delete(folder);
}

export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-bench-'));
  open.add(folder);
  try {
    return await work(folder);
  } finally {
    remove(folder);
  }
}

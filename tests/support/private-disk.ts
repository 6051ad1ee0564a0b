/** A small disk of its own for a test: a tmpfs in a mount namespace that only the test's servers see, so that it can be filled, made
 *  read-only and forgotten without touching the machine. It is gone when the test process is, however that ends.
 *
 *  Needs the programs unshare, nsenter and mount (util-linux) and the right to mount; it fails loudly without. Must not know: servers. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, statfsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from './wait-until.js';

export interface PrivateDisk {
  /** Where it is mounted, for processes inside. */
  readonly path: string;
  /** The same folder as this process sees it. */
  readonly seen: string;
  /** What to put before a command so that it runs inside. */
  readonly prefix: readonly string[];
  /** Runs a command inside, such as `mount -o remount,ro …`. @throws Error with what it said when it fails */
  run(...command: readonly string[]): void;
  freeBytes(): number;
  /** Leaves about this many bytes free. */
  fillUpTo(freeBytes: number): Promise<void>;
  /** Gives back what fillUpTo took. */
  empty(): void;
}

const BLOCK_BYTES = 4_096;
const FILLER = 'filler';

export async function mountPrivateDisk(
  t: { after(cleanup: () => unknown): void; folder(): string },
  sizeBytes: number,
): Promise<PrivateDisk> {
  const path = t.folder();
  const isRoot = process.getuid?.() === 0;
  const script = `mount -t tmpfs -o size=${sizeBytes} skein-test "$1" && echo mounted && exec cat`;
  const holder = spawn('unshare', [isRoot ? '-m' : '-rm', 'sh', '-c', script, 'sh', path], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  let failure: Error | null = null;
  for (const stream of [holder.stdout, holder.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  holder.on('error', (error) => (failure = error));
  const ended = once(holder, 'exit').catch(() => []);
  t.after(async () => {
    holder.stdin.end();
    await ended;
  });
  await waitUntil(
    () => {
      if (failure !== null) throw failure;
      if (holder.exitCode !== null) throw new Error(`no disk could be mounted (the right to mount is needed): ${said}`);
      return said.includes('mounted');
    },
    { what: 'the disk to be mounted' },
  );
  const pid = String(holder.pid);
  const seen = join('/proc', pid, 'root', path);
  const prefix = ['nsenter', '-t', pid, '-m', ...(isRoot ? [] : ['-U', '--preserve-credentials'])];
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(seen);
    return bavail * bsize;
  };
  return {
    path,
    seen,
    prefix,
    freeBytes,
    run: (...command) => {
      const [program = '', ...rest] = [...prefix, ...command];
      const { status, stderr, error } = spawnSync(program, rest, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? stderr}`);
    },
    fillUpTo: async (left) => {
      const file = await open(join(seen, FILLER), 'a');
      try {
        const block = Buffer.alloc(BLOCK_BYTES, 1);
        while (freeBytes() >= left + BLOCK_BYTES) await file.write(block);
      } finally {
        await file.close();
      }
    },
    empty: () => rmSync(join(seen, FILLER), { force: true }),
  };
}

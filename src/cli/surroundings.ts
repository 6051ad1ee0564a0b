/** What a command may touch of the process it runs in, so that tests can run commands without one. */

import type { Readable, Writable } from 'node:stream';
import type { Environment } from '../config/environment.js';

export interface Surroundings {
  readonly environment: Environment;
  readonly workingDir: string;
  /** Answers: what a command was asked for. */
  readonly output: TextStream;
  /** Progress, warnings and errors. */
  readonly errors: TextStream;
  /** Standard input and output for a command that speaks a protocol over them; not touched by others. */
  protocolStreams(): { readonly input: Readable; readonly output: Writable };
  /** Aborted when somebody wants the command to end (Ctrl-C, SIGTERM). */
  readonly stopping: AbortSignal;
}

export interface TextStream {
  write(text: string): boolean;
  readonly isTTY?: boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** Exit codes are a promise (docs/CLI.md). */
export const EXIT = { done: 0, failed: 1, usage: 2, doneWithRefusals: 3 } as const;
/** In help and on the page. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done',
  failed: 'failed: the server refused, does not answer, or what was asked is not so (probe, top --once, verify, wait)',
  usage: 'a slip in the command line or the settings; nothing was asked of a server',
  doneWithRefusals: 'done, with records that were refused (import)',
};
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export function print(stream: TextStream, line = ''): void {
  stream.write(`${line}\n`);
}

/** Writes and waits while the reader is slower than we are. */
export async function printPatiently(stream: TextStream, text: string): Promise<void> {
  if (stream.write(text)) return;
  await new Promise<void>((resolve) => stream.once('drain', resolve));
}

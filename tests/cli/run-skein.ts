/** Runs `skein` commands in the process of a test, keeping what they print. */
import { PassThrough, Readable, type Writable } from 'node:stream';
import { runCommand } from '../../src/cli/program.js';
import type { TextStream } from '../../src/cli/surroundings.js';
import { silentProcessLog } from '../../src/model/log.js';

export interface Ran {
  readonly exitCode: number;
  readonly output: string;
  readonly errors: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly stopping?: AbortSignal;
  readonly protocolStreams?: { readonly input: Readable; readonly output: Writable };
}

export async function runSkein(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const output = keptStream();
  const errors = keptStream();
  const exitCode = await runCommand(
    argv,
    {
      environment: options.environment ?? {},
      workingDir: options.workingDir ?? process.cwd(),
      output,
      errors,
      protocolStreams: () => options.protocolStreams ?? { input: Readable.from([]), output: new PassThrough() },
      stopping: options.stopping ?? new AbortController().signal,
    },
    {
      makeLog: () => silentProcessLog,
      onFatal: (reason) => {
        throw new Error(reason);
      },
    },
  );
  return { exitCode, output: output.text(), errors: errors.text() };
}

function keptStream(): TextStream & { text(): string } {
  let text = '';
  return {
    write(more) {
      text += more;
      return true;
    },
    once: () => undefined,
    text: () => text,
  };
}

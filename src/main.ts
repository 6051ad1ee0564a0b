#!/usr/bin/env -S GLIBC_TUNABLES=glibc.malloc.hugetlb=1 MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=65536 MALLOC_MMAP_THRESHOLD_=65536 node --max-semi-space-size=2
/** The process: words of the command line in, exit code out. The only file that ends the process.
 *
 *  The first SIGINT or SIGTERM asks the command to end; a second one ends the process. What nobody caught is logged and ends it too:
 *  a process in an unknown state must not go on with data. SIGHUP never ends a server: it reads its files again.
 *
 *  The first line keeps what a burst allocated from staying resident (docs/decisions/0007-memory.md); without it all works the same. */

import { runCommand } from './cli/program.js';
import { Reloads } from './cli/reloads.js';
import { EXIT } from './cli/surroundings.js';
import { armTestHooks } from './model/test-hooks.js';
import { createLog, flushLog, lastWords } from './observability/logging.js';

armTestHooks(process.env, () => process.kill(process.pid, 'SIGKILL'));
const stop = new AbortController();
const reloads = new Reloads();
const isServer = process.argv[2] === 'serve';
// Before anything else, and whether or not there is something to read again: it must never end a server.
if (isServer) process.on('SIGHUP', () => reloads.ask());

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) {
      lastWords('stop_forced', new Error(`a second signal, ${signal}, ends the process before its stop was done`));
      process.exit(EXIT.failed);
    }
    stop.abort(new Error(`stopped by ${signal}`));
  });
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    lastWords(event, error);
    process.exit(EXIT.failed);
  });
}

// Data, copies of it and logs are for the user of the server alone, whatever the shell was set to.
if (isServer || process.argv[2] === 'restore') process.umask(0o077);
const PRINTED_WAIT_MS = 1_000;
for (const stream of [process.stdout, process.stderr]) {
  // A reader that has seen enough (`| head`) is no defect. A server serves on, whoever reads what it says.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!isServer) process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed);
  });
}

const exitCode = await runCommand(
  process.argv.slice(2),
  {
    ...{ environment: process.env, workingDir: process.cwd(), stopping: stop.signal },
    ...{ output: process.stdout, errors: process.stderr },
    protocolStreams: () => ({ input: process.stdin, output: process.stdout }),
  },
  { makeLog: createLog, reloads, onFatal: () => end(EXIT.failed) },
);

// What was printed to a pipe must be out before the process ends; a server does not stay for a reader that hangs.
for (const stream of [process.stdout, process.stderr]) {
  if (stream.writableLength === 0) continue;
  await new Promise<void>((resolve) => {
    stream.write('', () => resolve());
    if (isServer) setTimeout(resolve, PRINTED_WAIT_MS);
  });
}
end(exitCode);

function end(code: number): never {
  flushLog();
  process.exit(code);
}

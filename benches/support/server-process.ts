/** A real server as a child process: `skein serve` from the same build, on a free port, over a folder that the bench names.
 *
 *  Its log lines are kept and may be asked for. Whatever happens to the bench, the server ends with it.
 *  SKEIN_BENCH_NODE_FLAGS (say --cpu-prof) starts it through plain node with these flags, for looking into it. */

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { HttpConnection, type PreparedRequest } from './http-connection.js';
import { PROJECT_FOLDER } from './report.js';
import { withFolder } from './temporary-folder.js';
import { delay, waitFor } from './waiting.js';

/** The file that people start: run as it is, its first line decides how Node is called. */
export const PROGRAM = join(PROJECT_FOLDER, 'dist', 'bundle', 'server', 'main.js');
const START_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 60_000;
const READY_POLL_MS = 5;
const LOG_LINES_MAX = 5_000;
const ADDRESS = /http:\/\/127\.0\.0\.1:(\d+)/;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** SIGKILL for every server of this process, also one that is just starting; returns when all are gone. */
export async function killAllServers(): Promise<void> {
  while (running.size > 0) {
    const exits = Array.from(running, (child) => once(child, 'exit'));
    for (const child of running) child.kill('SIGKILL');
    await Promise.all(exits);
  }
}

export interface ServerOptions {
  readonly dataDir: string;
  /** More flags of `skein serve`. */
  readonly flags?: readonly string[];
}

export class ServerProcess {
  readonly pid: number;
  readonly port: number;
  /** From the start of the process to the first 200 of /health/ready. */
  readonly readyMs: number;
  /** From the start of the process to its first answer at all. */
  readonly listeningMs: number;
  readonly #child: ChildProcess;
  readonly #lines: string[];

  private constructor(child: ChildProcess, port: number, times: { readyMs: number; listeningMs: number }, lines: string[]) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.port = port;
    this.readyMs = times.readyMs;
    this.listeningMs = times.listeningMs;
    this.#lines = lines;
  }

  static async start({ dataDir, flags = [] }: ServerOptions): Promise<ServerProcess> {
    const startMs = performance.now();
    const words = ['serve', '--data-dir', dataDir, '--port', '0', '--log-format', 'json', ...flags];
    const child = spawnProgram(words);
    running.add(child);
    child.once('exit', () => running.delete(child));
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) gather(stream, lines);
    const port = await waitFor('the address of the server', START_DEADLINE_MS, READY_POLL_MS, () => {
      mustRun(child, lines);
      const found = lines.map((line) => ADDRESS.exec(line)?.[1]).find((text) => text !== undefined);
      return found === undefined ? null : Number(found);
    });
    const times = await ready(port, startMs, () => mustRun(child, lines));
    return new ServerProcess(child, port, times, lines);
  }

  /** Everything it printed so far, line by line. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Log lines that are JSON and name this event. */
  events(name: string): Readonly<Record<string, unknown>>[] {
    return this.#lines.filter((line) => line.startsWith('{') && line.includes(`"${name}"`)).map((line) => JSON.parse(line));
  }

  connect(): Promise<HttpConnection> {
    return HttpConnection.open(this.port);
  }

  /** SIGTERM: finishes, saves, closes. @returns how long that took */
  async stop(): Promise<number> {
    const startMs = performance.now();
    await this.#end('SIGTERM');
    return performance.now() - startMs;
  }

  /** SIGSTOP: it holds its connections, and does and says nothing. Thaw it before it is stopped. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** SIGKILL: nothing is finished. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill(signal);
    const late = delay(STOP_DEADLINE_MS).then(() => 'late');
    if ((await Promise.race([exit, late])) === 'late') {
      this.#child.kill('SIGKILL');
      throw new Error(`the server did not end within ${STOP_DEADLINE_MS} ms of ${signal}`);
    }
  }
}

/** Runs `work` with a server over a fresh folder; both are gone afterwards. */
export function withServer<T>(
  work: (server: ServerProcess, dataDir: string) => Promise<T>,
  flags: readonly string[] = [],
): Promise<T> {
  return withFolder(async (dataDir) => {
    const server = await ServerProcess.start({ dataDir, flags });
    try {
      return await work(server, dataDir);
    } finally {
      await server.stop();
    }
  });
}

function spawnProgram(words: readonly string[]): ChildProcess {
  const nodeFlags = (process.env['SKEIN_BENCH_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
  return nodeFlags.length === 0
    ? spawn(PROGRAM, words, { stdio })
    : spawn(process.execPath, [...nodeFlags, PROGRAM, ...words], { stdio });
}

async function ready(port: number, startMs: number, check: () => void): Promise<{ readyMs: number; listeningMs: number }> {
  const request = readyRequest();
  let listeningMs = 0;
  let connection: HttpConnection | null = null;
  try {
    return await waitFor('readiness', START_DEADLINE_MS, READY_POLL_MS, async () => {
      check();
      connection ??= await HttpConnection.open(port).catch(() => null);
      if (connection === null) return null;
      const { status } = await connection.send(request);
      const nowMs = performance.now() - startMs;
      if (listeningMs === 0) listeningMs = nowMs;
      return status === 200 ? { readyMs: nowMs, listeningMs } : null;
    });
  } finally {
    (connection as HttpConnection | null)?.close();
  }
}

function readyRequest(): PreparedRequest {
  return { bytes: Buffer.from('GET /health/ready HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n') };
}

function mustRun(child: ChildProcess, lines: readonly string[]): void {
  if (child.exitCode === null && child.signalCode === null) return;
  throw new Error(`the server ended (${child.exitCode ?? child.signalCode}):\n${lines.slice(-20).join('\n')}`);
}

function gather(stream: NodeJS.ReadableStream | null, lines: string[]): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    if (lines.length > LOG_LINES_MAX) lines.splice(0, lines.length - LOG_LINES_MAX);
  });
}

/** A real server in a process of its own, over a data folder, on a free port; killed and started again at will. A secret in what it writes
 *  fails the test (secret-watch.ts). */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { logFilesOf, mustHaveNoSecret, tellSecretsIn, tellSecretsOfHead, tellSecretsOfStart } from './secret-watch.js';

/** The program as people start it: its first line says how Node is called, on which its use of memory depends. */
export const PROGRAM = fileURLToPath(new URL('../../bundle/server/main.js', import.meta.url));
const START_DEADLINE_MS = 60_000;

export interface ErrorBody {
  readonly error: { readonly type: string; readonly message: string; readonly details: Readonly<Record<string, unknown>> };
}

export interface HttpAnswer<Body> {
  readonly status: number;
  readonly body: Body;
  readonly headers: Headers;
  /** Of whoever answered in the end, where the request was sent on. */
  readonly url: string;
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<Ending>;
  signal(signal: NodeJS.Signals): void;
  /** What it wrote so far, both streams. */
  output(): string;
  /** Ends it without warning. */
  kill(): Promise<void>;
  /** Asks it to stop and waits. @returns its exit code */
  stop(): Promise<number | null>;
  /** @returns the body as JSON where it is JSON, as the caller knows it to be */
  request<Body = ErrorBody>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<HttpAnswer<Body>>;
}

export class ServerDidNotStart extends Error {
  override readonly name = 'ServerDidNotStart';
  /** Null: it runs all the same, and did not answer in time. */
  readonly ending: Ending | null;
  readonly output: string;

  constructor(ending: Ending | null, output: string) {
    super(`the server ended with ${JSON.stringify(ending)}:\n${output}`);
    this.ending = ending;
    this.output = output;
  }

  get code(): number | null {
    return this.ending?.code ?? null;
  }
}

export interface Surroundings {
  readonly environment?: Readonly<Record<string, string>>;
  /** A command that becomes the server at its end, such as `prlimit --nofile=64`: it must replace itself, not start a child. */
  readonly prefix?: readonly string[];
  /** Where it listens, so that it can come back there; default 0, any free port. */
  readonly port?: number;
  /** Resolve as soon as it answers at all; default false: when it is ready. */
  readonly untilListening?: boolean;
}

/** What else the machine does says nothing about the server that is tested. */
const UNMOVED_BY_THE_MACHINE = {
  SKEIN_HEALTH_CPU_MAX: '1',
  SKEIN_HEALTH_MEMORY_MAX: '1',
  SKEIN_HEALTH_DISK_MAX: '1',
  SKEIN_HEALTH_EVENT_LOOP_MAX_MS: '1h',
  SKEIN_HEALTH_TIMEOUT_MS: '20s',
};

/** Starts a server and waits until it is ready. @throws ServerDidNotStart */
export async function startServer(
  t: { after(cleanup: () => unknown): void },
  dataDir: string,
  flags: readonly string[] = [],
  { environment = {}, prefix = [], port = 0, untilListening = false }: Surroundings = {},
): Promise<ServerProcess> {
  const serve = ['serve', '--data-dir', dataDir, '--port', String(port), '--log-format', 'json', ...flags];
  const [program = PROGRAM, ...rest] = [...prefix, PROGRAM, ...serve];
  tellSecretsOfStart(flags, environment);
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...UNMOVED_BY_THE_MACHINE, ...process.env, ...environment },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  // Not before both streams have ended: what it said last must be in the output.
  const ended = once(child, 'close').then(([code, signal]): Ending => ({ code, signal }));
  t.after(async () => {
    await end(child, 'SIGKILL', ended);
    mustHaveNoSecret(output, 'the output of a server');
    for (const { path, text } of logFilesOf(flags)) mustHaveNoSecret(text, path);
  });
  const url = port === 0 ? await listening(child, ended, () => output) : `http://127.0.0.1:${port}`;
  const server: ServerProcess = {
    url,
    pid: child.pid as number,
    ended,
    signal: (signal) => void child.kill(signal),
    output: () => output,
    kill: () => end(child, 'SIGKILL', ended).then(() => undefined),
    stop: () => end(child, 'SIGTERM', ended),
    request: (method, path, body, headers) => request(url, method, path, body, headers),
  };
  await (untilListening ? answers(server, '/health/live') : answers(server, '/health/ready', 200));
  return server;
}

async function end(child: ChildProcess, signal: NodeJS.Signals, ended: Promise<Ending>): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  return (await ended).code;
}

async function listening(child: ChildProcess, ended: Promise<Ending>, output: () => string): Promise<string> {
  const deadline = Date.now() + START_DEADLINE_MS;
  while (Date.now() < deadline) {
    const found = /https?:\/\/[^\s"]+:\d+/.exec(output());
    if (found !== null) return found[0];
    if (child.exitCode !== null || child.signalCode !== null) throw new ServerDidNotStart(await ended, output());
    await pause();
  }
  throw new ServerDidNotStart(null, `no address within ${START_DEADLINE_MS} ms: ${output()}`);
}

/** @param status the answer to wait for; any when left out */
async function answers(server: ServerProcess, path: string, status?: number): Promise<void> {
  let ending: Ending | null = null;
  void server.ended.then((how) => (ending = how));
  const deadline = Date.now() + START_DEADLINE_MS;
  while (Date.now() < deadline) {
    if (ending !== null) throw new ServerDidNotStart(ending, server.output());
    const answer = await server.request('GET', path).catch(() => null);
    if (answer !== null && answer.status === (status ?? answer.status)) return;
    await pause();
  }
  throw new ServerDidNotStart(null, `no answer of ${path} within ${START_DEADLINE_MS} ms: ${server.output()}`);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

/** @param timeoutMs from when on it fails; default never */
export async function request<Body>(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  timeoutMs?: number,
): Promise<HttpAnswer<Body>> {
  tellSecretsOfHead(headers);
  const answer = await fetch(`${url}${path}`, {
    method,
    ...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  tellSecretsIn(text);
  const json = answer.headers.get('content-type')?.startsWith('application/json') === true && text !== '';
  return { status: answer.status, body: (json ? JSON.parse(text) : text) as Body, headers: answer.headers, url: answer.url };
}

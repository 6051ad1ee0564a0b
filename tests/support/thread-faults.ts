/** Faults inside a server's own threads, from outside: loaded into it before everything else (see `threadFault`), it makes one thread
 *  throw, end, reject or stand still when the process gets SIGUSR2. The product itself knows nothing of it. */

import { BroadcastChannel, isMainThread } from 'node:worker_threads';

/** Which thread: the name of its file without `-thread.js`, or `main`. */
export type FaultyThread = 'main' | 'writer' | 'index' | 'scan';
type Fault = 'throw' | 'exit' | 'reject' | 'block';

const VARIABLE = 'SKEIN_TEST_THREAD_FAULT';
const BLOCK_MS = 3_000;

/** The environment that makes `thread` do `fault` on SIGUSR2. */
export function threadFault(thread: FaultyThread, fault: Fault): Record<string, string> {
  return { NODE_OPTIONS: `--import=${import.meta.url}`, [VARIABLE]: `${thread}:${fault}` };
}

function strike(fault: string): void {
  if (fault === 'throw') throw new Error('a fault put in by a test');
  if (fault === 'exit') process.exit(0);
  if (fault === 'reject') void Promise.reject(new Error('a fault put in by a test'));
  const until = performance.now() + BLOCK_MS;
  while (fault === 'block' && performance.now() < until) {
    // Stands still.
  }
}

const [thread, fault] = (process.env[VARIABLE] ?? ':').split(':') as [string, string];
const own = isMainThread ? 'main' : (/([a-z]+)-thread\.js$/.exec(process.argv[1] ?? '')?.[1] ?? '');
if (thread !== '') {
  const channel = new BroadcastChannel('skein-test-fault');
  channel.unref();
  if (isMainThread) process.on('SIGUSR2', () => (thread === 'main' ? setImmediate(strike, fault) : channel.postMessage('now')));
  else if (own === thread) channel.onmessage = () => void setImmediate(strike, fault);
}

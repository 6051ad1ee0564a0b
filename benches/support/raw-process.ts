/** The parent's hold on hnswlib-node alone (raw-child.ts): one request at a time, answers typed, the process ended at the end. */

import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Shape } from './clusters.js';
import type { RawAnswer, RawRequest, RawSearched, RawTimed } from './raw-messages.js';
import { PROGRAM as SERVER } from './server-process.js';

const PROGRAM = fileURLToPath(new URL('./raw-child.js', import.meta.url));

/** What the server's first line sets, as far as it concerns memory. */
function leanSettings(): { nodeFlags: string[]; environment: Record<string, string> } {
  const words = readFileSync(SERVER, 'utf8').split('\n', 1).join('').split(' ');
  const settings = words.filter((word) => word.startsWith('MALLOC_')).map((word) => word.split('='));
  return { nodeFlags: words.filter((word) => word.startsWith('--')), environment: Object.fromEntries(settings) };
}

export class RawProcess {
  readonly #child: ChildProcess;

  constructor(lean: boolean) {
    const { nodeFlags, environment } = lean ? leanSettings() : { nodeFlags: [], environment: {} };
    const execArgv = ['--expose-gc', ...nodeFlags];
    const env = { ...process.env, ...environment };
    this.#child = fork(PROGRAM, [], { execArgv, env, serialization: 'advanced' });
  }

  /** Builds the first `count` points of the stream. */
  async build({ count, dimension }: Shape): Promise<RawTimed> {
    return this.#timed({ kind: 'build', count, dimension });
  }

  async search(ef: number, forMs: number): Promise<RawSearched> {
    const answer = await this.#ask({ kind: 'search', ef, forMs });
    if (answer.kind !== 'searched') throw new Error(`the raw process answered ${answer.kind}`);
    return answer;
  }

  replace(count: number): Promise<RawTimed> {
    return this.#timed({ kind: 'replace', count });
  }

  remove(count: number): Promise<RawTimed> {
    return this.#timed({ kind: 'remove', count });
  }

  mixed(ef: number, forMs: number): Promise<RawTimed> {
    return this.#timed({ kind: 'mixed', ef, forMs });
  }

  /** Resident bytes after a collection of garbage. */
  async rssBytes(): Promise<number> {
    const answer = await this.#ask({ kind: 'memory' });
    if (answer.kind !== 'memory') throw new Error(`the raw process answered ${answer.kind}`);
    return answer.rssBytes;
  }

  close(): void {
    this.#child.disconnect();
  }

  async #timed(request: RawRequest): Promise<RawTimed> {
    const answer = await this.#ask(request);
    if (answer.kind !== 'timed') throw new Error(`the raw process answered ${answer.kind}`);
    return answer;
  }

  #ask(request: RawRequest): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`the raw process ended with ${code} during ${request.kind}`));
      this.#child.once('exit', ended);
      this.#child.once('message', (answer: RawAnswer) => {
        this.#child.off('exit', ended);
        resolve(answer);
      });
      this.#child.send(request);
    });
  }
}

/** Runs `work` beside hnswlib-node alone and ends that process whatever happens. @param lean with the server's settings of Node and malloc */
export async function withRaw<T>(work: (raw: RawProcess) => Promise<T>, lean = false): Promise<T> {
  const raw = new RawProcess(lean);
  try {
    return await work(raw);
  } finally {
    raw.close();
  }
}

export function perSecond({ operations, totalMs }: RawTimed): number {
  return (operations / totalMs) * 1000;
}

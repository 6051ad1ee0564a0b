/** A server of another make, asked over HTTP with JSON both ways.
 *
 *  Invariant: the key travels in headers alone and is in no message. What may pass (no connection, 408, 429, 5xx) is tried again, a few times.
 *  An answer is bounded in bytes and time. Must not know: what is asked. */

import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../../model/errors.js';
import { printable } from '../../../model/printable.js';
import { HttpTransport, SkeinConnectionError, type StreamAnswer } from '../../../sdk/index.js';
import { FileProblem } from '../record.js';

const TRIES = 6;
const FIRST_DELAY_MS = 250;
const ANSWER_BYTES_MAX = 512 * 1024 * 1024;
const SHOWN_MAX = 300;

export interface ForeignServerParts {
  /** Such as http://127.0.0.1:6333; a path in it stands before every path that is asked. */
  readonly url: string;
  /** What proves who asks; empty without a key. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface ForeignAnswer {
  /** As it came: numbers in it may be larger than JSON.parse can tell. */
  readonly text: string;
  readonly body: unknown;
}

/** What a foreign server refused, or why it did not answer; an import may go on later. */
export class ForeignProblem extends Error {
  override readonly name = 'ForeignProblem';
  /** 0 when there was no answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class ForeignServer {
  readonly #parts: ForeignServerParts;
  readonly #base: string;
  readonly #transport = new HttpTransport({ connectionsMax: 2 });

  constructor(parts: ForeignServerParts) {
    this.#parts = parts;
    this.#base = parts.url.replace(/\/+$/, '');
  }

  /** @param body JSON text, for POST; left out: GET
   *  @throws ForeignProblem, or the reason of the signal */
  async ask(path: string, body?: string): Promise<ForeignAnswer> {
    const { signal } = this.#parts;
    for (let tried = 1; ; tried++) {
      try {
        return await this.#askOnce(path, body);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ForeignProblem) || !mayPass(error.status) || tried === TRIES) throw error;
        await delay(FIRST_DELAY_MS * 2 ** (tried - 1), undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  /** What the server says of a collection. @param hint where else one may look for it @throws FileProblem: there is none · as ask */
  async describe(path: string, hint: string): Promise<unknown> {
    try {
      return (await this.ask(path)).body;
    } catch (error) {
      if (!(error instanceof ForeignProblem) || error.status !== 404) throw error;
      throw new FileProblem(`${error.message}; ${hint}`);
    }
  }

  close(): void {
    this.#transport.close();
  }

  async #askOnce(path: string, body: string | undefined): Promise<ForeignAnswer> {
    const { headers, timeoutMs, signal } = this.#parts;
    const bytes = Buffer.from(body ?? '');
    const sent = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(bytes.length) };
    let answer: { status: number; text: string };
    try {
      const { status, chunks } = await this.#transport.stream({
        method: body === undefined ? 'GET' : 'POST',
        url: `${this.#base}${path}`,
        headers: { accept: 'application/json', ...headers, ...sent },
        chunks: chunksOf(bytes),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      answer = { status, text: await textOf(chunks) };
    } catch (error) {
      if (error instanceof FileProblem || signal.aborted) throw error;
      throw new ForeignProblem(
        0,
        `${error instanceof SkeinConnectionError ? error.message : `no answer from ${this.#base}: ${messageOf(error)}`}; is that where it listens? (--source)`,
      );
    }
    const { status, text } = answer;
    if (status !== 200) throw new ForeignProblem(status, refusalText(`${this.#base}${path}`, status, text));
    try {
      return { text, body: JSON.parse(text) as unknown };
    } catch {
      throw new FileProblem(`${this.#base}${path} answers something that is not JSON; is that the right address? (--source)`);
    }
  }
}

function mayPass(status: number): boolean {
  return status === 0 || status === 408 || status === 429 || status >= 500;
}

function refusalText(url: string, status: number, text: string): string {
  const hint = status === 401 || status === 403 ? '; give the file that holds its key with --source-key-file' : '';
  const said = printable(text.replaceAll(/\s+/g, ' ').slice(0, SHOWN_MAX));
  return `${url} answers ${status}${said === '' ? '' : `: ${said}`}${hint}`;
}

async function textOf(chunks: StreamAnswer['chunks']): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX)
      throw new FileProblem(`one answer has more than ${ANSWER_BYTES_MAX} bytes: ask for fewer points at once with --batch`);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield await Promise.resolve(bytes);
}

/** How requests travel where there is no HTTP module: by fetch, in browsers and in everything else that has it.
 *
 *  A browser hides much: why there is no answer, whether a request went out, where a redirect leads; and over HTTP/1.1 it streams no request. So every
 *  lost request may have arrived, a redirect is asked to be told as an answer (`x-skein-redirect`), and streams are gathered before they are sent.
 *  Must not know: JSON, msgpack, retries, sessions. */

import { SkeinConnectionError } from './errors.js';
import type { StreamAnswer, StreamRequest, Transport, TransportAnswer, TransportRequest } from './transport.js';

/** What a page may not read never leads it astray: no cookies, no cache, no redirect that it does not see. */
const MANNERS = { credentials: 'omit', cache: 'no-store', redirect: 'manual', referrerPolicy: 'no-referrer' } as const;

export class FetchTransport implements Transport {
  readonly gathersStreams = true;
  readonly #closing = new AbortController();

  async send(request: TransportRequest): Promise<TransportAnswer> {
    const answer = await this.#ask(request, request.body);
    try {
      const body = new Uint8Array(await answer.arrayBuffer());
      return { status: answer.status, headers: headersOf(answer), body };
    } catch (error) {
      throw this.#failure(error, request);
    }
  }

  async stream(request: StreamRequest): Promise<StreamAnswer> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for await (const piece of request.chunks) pieces.push(piece as Uint8Array<ArrayBuffer>);
    const answer = await this.#ask(request, pieces.length === 0 ? null : new Blob(pieces));
    return { status: answer.status, headers: headersOf(answer), chunks: this.#chunksOf(answer, request) };
  }

  close(): void {
    this.#closing.abort(new SkeinConnectionError('the client was closed', { code: 'CLOSED', url: '', maybeSent: true }));
  }

  async #ask(request: Omit<TransportRequest, 'body'>, body: Uint8Array | Blob | null): Promise<Response> {
    const { method, url, headers } = request;
    const signal = AbortSignal.any([request.signal, this.#closing.signal]);
    // Not where it would make a plain question one that a browser asks leave for first.
    const telling = method === 'GET' ? {} : { 'x-skein-redirect': 'off' };
    const init = { method, headers: { ...headers, ...telling }, body: body as Uint8Array<ArrayBuffer> | Blob | null, signal };
    let answer: Response;
    try {
      answer = await fetch(url, { ...MANNERS, ...init });
    } catch (error) {
      throw this.#failure(error, request);
    }
    if (answer.type !== 'opaqueredirect') return answer;
    const { origin } = new URL(url);
    throw new SkeinConnectionError(`${origin} sends on to another address`, { code: 'REDIRECTED', url: origin, maybeSent: true });
  }

  async *#chunksOf(answer: Response, request: StreamRequest): AsyncGenerator<Uint8Array, void, undefined> {
    if (answer.body === null) return;
    // By hand: not every browser can iterate over a stream.
    const reader = answer.body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        yield value;
      }
    } catch (error) {
      throw this.#failure(error, request);
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  /** Why the caller, or the end of the client, has cut it off; else that it was lost. */
  #failure(error: unknown, { signal, url }: Pick<TransportRequest, 'signal' | 'url'>): Error {
    const reason: unknown = signal.aborted ? signal.reason : this.#closing.signal.reason;
    // Whatever the caller gave as the reason of his signal is what he gets.
    return (reason as Error | undefined) ?? lost(error, url);
  }
}

/** In Node the cause has a code; a browser tells nothing, so that no page learns what is in somebody's network. */
function lost(error: unknown, url: string): SkeinConnectionError {
  const { origin } = new URL(url);
  const cause = error instanceof Error ? error : new Error(String(error));
  const inner: unknown = cause.cause;
  const code = inner instanceof Error && 'code' in inner && typeof inner.code === 'string' ? inner.code : 'FETCH_FAILED';
  const maybeSent = code !== 'ECONNREFUSED' && code !== 'ENOTFOUND';
  const hint = code === 'FETCH_FAILED' ? originHint(origin) : '';
  return new SkeinConnectionError(`no answer from ${origin}: ${cause.message}${hint}`, { code, url: origin, maybeSent, cause });
}

/** The usual cause in a page, which its browser shows in the console alone. */
function originHint(origin: string): string {
  const page: unknown = (globalThis as { readonly origin?: unknown }).origin;
  if (typeof page !== 'string' || page === origin) return '';
  return ` (is it there, and does its setting cors_origins name ${page}? The console of the browser says which)`;
}

function headersOf(answer: Response): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  answer.headers.forEach((value, name) => {
    headers[name] = value;
  });
  return headers;
}

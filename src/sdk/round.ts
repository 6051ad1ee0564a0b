/** One round of a call: node after node is asked until one answers.
 *
 *  A read goes on to the next node when one cannot serve it now. A write does so only where the one that was asked is not the master or did
 *  not answer: what the master refuses no other node takes. What a node says of itself by its answer, or by giving none, is remembered.
 *  A hedged read asks two nodes at once when the first takes long (hedge.ts).
 *
 *  Invariant: what may not happen twice is sent to a second node only when the first saw nothing of it. A write goes on to the master that a
 *  replica names, with the same headers, the key included (whoever trusts a server with its key trusts it to name its master), but never
 *  from https to http, where others could read the key. Must not know: when to try again, shapes of bodies, sockets. */

import { ChildAbort, timerFor } from './aborting.js';
import { bodyOf, errorOf } from './answer.js';
import type { Call } from './call.js';
import { baseOf, type Cluster } from './cluster.js';
import { apiError, errors, SkeinApiError, SkeinConnectionError } from './errors.js';
import { type Hedging, hedged, OVERTAKEN } from './hedge.js';
import type { ReadPreference } from './nodes.js';
import type { StreamAnswer, StreamRequest, Transport, TransportAnswer, TransportRequest } from './transport.js';

export interface RoundParts {
  readonly transport: Transport;
  readonly cluster: Cluster;
  readonly readPreference: ReadPreference;
  /** Null: reads ask one node at a time. */
  readonly hedging: Hedging | null;
  /** How long one node may take while there is another to ask. */
  readonly tryTimeoutMs: number;
}

export interface Asked extends Omit<TransportRequest, 'method' | 'url'> {
  readonly call: Call;
  /** And query, behind the base address. */
  readonly path: string;
  /** May it take effect twice without harm? */
  readonly repeatable: boolean;
}

type StreamAsked = Pick<Asked, 'call' | 'path' | 'headers' | 'signal'> & Pick<StreamRequest, 'chunks'>;

export interface Answered {
  readonly body: unknown;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a replica answers with instead of 307 where redirects cannot be read (fetch-transport.ts). */
const NOT_REDIRECTED = 409;
const NOTHING = new Uint8Array();

export class Round {
  readonly #parts: RoundParts;

  constructor(parts: RoundParts) {
    this.#parts = parts;
  }

  /** Were several nodes named? */
  get hasOthers(): boolean {
    return this.#parts.cluster.hasOthers;
  }

  get sendsStreams(): boolean {
    return this.#parts.transport.gathersStreams !== true;
  }

  /** @param isAgain the round before led nowhere: the nodes are asked what they are
   *  @throws SkeinApiError, SkeinConnectionError: what says most of why nobody answered · the reason of the signal */
  async ask(asked: Asked, isAgain: boolean): Promise<Answered> {
    const { cluster } = this.#parts;
    const { call, repeatable, signal } = asked;
    await cluster.ready(isAgain);
    const tried = new Set<string>();
    let failure: Error | null = null;
    for (let url = this.#next(call, tried); url !== null; url = this.#next(call, tried)) {
      tried.add(url);
      try {
        return await this.#ask(url, asked, tried);
      } catch (error) {
        if (signal.aborted || !goesOn(error, call, repeatable)) throw error;
        // That a node is not the master says less than what became of the one that it named.
        if (failure === null || !isNotMaster(error)) failure = error as Error;
      }
    }
    throw failure ?? noMaster();
  }

  async #ask(url: string, asked: Asked, tried: Set<string>): Promise<Answered> {
    const { call, repeatable, signal } = asked;
    const { cluster, hedging } = this.#parts;
    const isHedged = hedging !== null && call.kind === 'read' && cluster.hasOthers && !isOfOneNode(call);
    if (!isHedged) return this.#answerOf(url, asked);
    const startMs = performance.now();
    const afterMs = hedging.begin();
    const answering =
      afterMs === null
        ? this.#answerOf(url, asked)
        : hedged({
            ...{ afterMs, signal },
            first: (until) => this.#answerOf(url, { ...asked, signal: until }),
            second: () => {
              const other = this.#next(call, tried);
              if (other === null || !hedging.take()) return null;
              tried.add(other);
              return (until) => this.#answerOf(other, { ...asked, signal: until });
            },
            isFinal: (error) => signal.aborted || !goesOn(error, call, repeatable),
          });
    const answer = await answering;
    hedging.took(performance.now() - startMs);
    return answer;
  }

  async #answerOf(url: string, asked: Asked): Promise<Answered> {
    const answer = await this.#askOne(url, asked);
    const body = bodyOf(answer, asked.call);
    if (asked.headers['idempotency-key'] !== undefined) this.#parts.cluster.nodes.isMaster(url, null);
    return { body, headers: answer.headers };
  }

  /** Sends to the master; what was sent once is not sent to another, so it is found before the first piece is taken.
   *  @throws as ask, where no node may be the master: then nothing was taken */
  async stream(asked: StreamAsked): Promise<StreamAnswer> {
    const { cluster, transport } = this.#parts;
    const { call, path, headers, chunks, signal } = asked;
    await cluster.ready(false);
    const url = await this.#forStream(asked);
    const answer = await transport.stream({ method: call.method, url: `${url}${path}`, headers, chunks, signal });
    if (answer.status === 307 || answer.status === NOT_REDIRECTED) cluster.doubt();
    return answer;
  }

  /** Nodes say themselves what they are; a replica is asked for its master by the same request with nothing in it, which only a master would take. */
  async #forStream({ call, path, headers, signal }: StreamAsked): Promise<string> {
    const { cluster } = this.#parts;
    const tried = new Set<string>();
    let silent: string | null = null;
    let failure: Error | null = null;
    for (let url = this.#next(call, tried); url !== null; url = this.#next(call, tried)) {
      tried.add(url);
      const role = await cluster.roleOf(url);
      signal.throwIfAborted();
      if (role === 'master') return url;
      if (role === 'unknown') {
        silent ??= url;
        continue;
      }
      try {
        const { 'idempotency-key': _, ...others } = headers;
        bodyOf(await this.#askOne(url, { call, path, headers: others, body: NOTHING, repeatable: true, signal }), call);
        // It took it: master by now.
        return url;
      } catch (error) {
        if (signal.aborted) throw error;
        failure = error as Error;
      }
    }
    if (silent !== null) return silent;
    throw failure ?? noMaster();
  }

  #next(call: Call, tried: ReadonlySet<string>): string | null {
    const { cluster, readPreference } = this.#parts;
    const { kind, options } = call;
    if (isOfOneNode(call)) return tried.size === 0 ? (call.node ?? cluster.first) : null;
    const nowMs = performance.now();
    if (kind === 'write') return cluster.nodes.forWrite(tried, nowMs);
    return cluster.nodes.forRead(options.readPreference ?? readPreference, tried, nowMs, options.maxStalenessMs);
  }

  async #askOne(url: string, { call, path, headers, body, signal }: Asked): Promise<TransportAnswer> {
    const { transport, cluster, tryTimeoutMs } = this.#parts;
    const own = new ChildAbort(signal);
    let isLate = false;
    const onLate = (): void => {
      isLate = true;
      own.abort();
    };
    const timer = cluster.hasOthers ? timerFor(tryTimeoutMs, onLate) : undefined;
    const startMs = performance.now();
    const request = { method: call.method, url: `${url}${path}`, headers, body };
    try {
      const answer = await transport.send({ ...request, signal: own.signal });
      const nowMs = performance.now();
      cluster.nodes.answered(url, nowMs - startMs, nowMs);
      const stalenessMs = stalenessOf(answer);
      if (stalenessMs !== undefined) cluster.nodes.isAged(url, stalenessMs, nowMs);
      const named = namedMaster(answer, url, path);
      if (named !== undefined) cluster.nodes.isReplica(url, named);
      return answer;
    } catch (error) {
      const nowMs = performance.now();
      if (signal.reason === OVERTAKEN) cluster.nodes.overtaken(url, nowMs - startMs, nowMs);
      if (signal.aborted) throw error;
      cluster.nodes.failed(url, nowMs);
      if (!isLate) throw error;
      const parts = { code: 'ETIMEDOUT', url, maybeSent: true, cause: error };
      throw new SkeinConnectionError(`no answer from ${url} within ${tryTimeoutMs} ms`, parts);
    } finally {
      clearTimeout(timer);
      own.release();
    }
  }
}

function isOfOneNode({ ofNode = false, node }: Call): boolean {
  return ofNode || node !== undefined;
}

/** @returns null: the node does not know how old its state is; undefined: the answer does not say */
function stalenessOf({ status, headers, body }: TransportAnswer): number | null | undefined {
  const told = headers['x-skein-staleness-ms'];
  if (told !== undefined && /^\d{1,15}$/.test(told)) return Number(told);
  if (status !== 503) return undefined;
  const error = errorOf({ status, headers, body });
  return error instanceof errors.ReplicaBehind ? error.details.lag_ms : undefined;
}

function goesOn(error: unknown, { kind }: Call, repeatable: boolean): boolean {
  if (error instanceof SkeinConnectionError) return repeatable || !error.maybeSent;
  return error instanceof SkeinApiError && error.retryable && (kind === 'read' || isNotMaster(error));
}

function isNotMaster(error: unknown): boolean {
  return error instanceof errors.NotMaster && (error.status === 307 || error.status === NOT_REDIRECTED);
}

/** @returns the base address; null: none that the request may go to; undefined: the answer is not that of a replica */
function namedMaster(answer: TransportAnswer, from: string, path: string): string | null | undefined {
  if (answer.status !== 307 && answer.status !== NOT_REDIRECTED) return undefined;
  const error = errorOf(answer);
  if (!(error instanceof errors.NotMaster)) return undefined;
  const { master_url: masterUrl } = error.details;
  // The header has the whole address, the details the node's alone.
  const location = answer.status === 307 ? answer.headers['location'] : masterUrl && `${baseOf(masterUrl)}${path}`;
  if (location === undefined || !URL.canParse(location)) return null;
  const { protocol, origin } = new URL(location);
  if (protocol !== 'https:' && (protocol !== 'http:' || new URL(from).protocol === 'https:')) return null;
  return location.endsWith(path) ? baseOf(location.slice(0, location.length - path.length)) : origin;
}

function noMaster(): SkeinApiError {
  const message = 'none of the nodes is the master';
  return apiError({
    type: 'NotMaster',
    message,
    status: 307,
    details: {},
    retryable: true,
    requestId: null,
    retryAfterMs: null,
  });
}

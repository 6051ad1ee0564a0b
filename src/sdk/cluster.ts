/** What a client with several nodes knows of them, asked of the nodes themselves by GET /health/ready, which needs no key.
 *
 *    first call ─► all at once, and the call waits ─► … ─► a failure, or a while has passed ─► all again, behind the calls
 *
 *  A client of one node asks nothing before its calls. Must not know: calls, when to try again. */

import { type NodeRole, type NodeSettings, Nodes } from './nodes.js';
import type { Transport } from './transport.js';

const PROBE_MS = 1_000;
const PROBE_EVERY_MS = 30_000;
/** Between two looks that failures ask for. */
const PROBE_AGAIN_MS = 250;
/** When one node has answered, the others have so long. */
const OTHERS_MS = 100;
const decoder = new TextDecoder();

export interface ClusterParts {
  /** Base addresses. */
  readonly urls: readonly string[];
  readonly transport: Transport;
  readonly settings?: NodeSettings;
}

export class Cluster {
  readonly nodes: Nodes;
  /** The one that calls about a node are for. */
  readonly first: string;
  /** Those that were named, each once. */
  readonly given: readonly string[];
  /** Were several named? */
  readonly hasOthers: boolean;
  readonly #transport: Transport;
  #looking: Promise<void> | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #hasLooked = false;

  constructor({ urls, transport, settings }: ClusterParts) {
    const bases = urls.map(baseOf);
    this.nodes = new Nodes(bases, settings);
    [this.first = ''] = bases;
    this.given = [...new Set(bases)];
    this.hasOthers = this.given.length > 1;
    this.#transport = transport;
  }

  /** Before a call: waits the first time, and later only where `mustLook` says that what is known has led nowhere. */
  async ready(mustLook: boolean): Promise<void> {
    if (!this.hasOthers) return;
    if (performance.now() - this.#lookedAtMs > (mustLook ? PROBE_AGAIN_MS : PROBE_EVERY_MS)) this.#look();
    if (mustLook || !this.#hasLooked) await this.#looking;
  }

  /** What is known may be wrong: the next call looks first. */
  doubt(): void {
    this.#hasLooked = false;
    this.#lookedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Asks one node now. @returns unknown where it does not answer, or does not say */
  async roleOf(url: string): Promise<NodeRole> {
    await this.#ask(url);
    const node = this.nodes.view(performance.now()).find((known) => known.url === url);
    return node === undefined || node.failuresInRow > 0 ? 'unknown' : node.role;
  }

  #look(): void {
    if (this.#looking !== null) return;
    this.#lookedAtMs = performance.now();
    const urls = this.nodes.view(this.#lookedAtMs).map(({ url }) => url);
    this.#looking = allOrSome(urls.map((url) => this.#ask(url))).finally(() => {
      this.#looking = null;
      this.#hasLooked = true;
    });
  }

  /** @returns whether it answered */
  async #ask(url: string): Promise<boolean> {
    const startMs = performance.now();
    try {
      const { body } = await this.#transport.send({
        ...{ method: 'GET', url: `${url}/health/ready` },
        ...{ headers: { accept: 'application/json' }, body: null, signal: AbortSignal.timeout(PROBE_MS) },
      });
      const nowMs = performance.now();
      const { state, role, epoch } = JSON.parse(decoder.decode(body)) as Readonly<Record<string, unknown>>;
      if (state === 'ready') this.nodes.answered(url, nowMs - startMs, nowMs);
      else this.nodes.failed(url, nowMs);
      if (role === 'master') this.nodes.isMaster(url, typeof epoch === 'number' ? epoch : 0);
      else if (role === 'replica') this.nodes.isReplica(url, null);
      return true;
    } catch {
      this.nodes.failed(url, performance.now());
      return false;
    }
  }
}

/** Addresses are compared, so each has one form. @throws TypeError for what is no address */
export function baseOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/$/, '')}`;
}

/** All answered, or one did and the others have had their time. */
async function allOrSome(asked: readonly Promise<boolean>[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const some = new Promise<void>((resolve) => {
    for (const one of asked)
      void one.then((answered) => {
        if (answered) timer ??= setTimeout(resolve, OTHERS_MS);
      });
  });
  await Promise.race([Promise.all(asked), some]);
  clearTimeout(timer);
}

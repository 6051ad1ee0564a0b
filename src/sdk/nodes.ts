/** The nodes of a cluster as a client sees them, and which of them is asked next. Pure: times are handed in.
 *
 *    write ─► the master, as far as it is known ─► nodes of unknown role ─► replicas, which name their master
 *    read  ─► master: the same way, without replicas · replica: replicas, then the master · nearest, fresh: by how long answers take
 *
 *  A node that failed several times in a row is asked after all others until its time out is over, and each further failure doubles that time;
 *  one answer ends it. So a node that is gone costs no call more than the first few, and a cluster of which nothing answers is asked all the same.
 *  Invariant: as long as there is a node that was not tried, there is one to try. Must not know: requests, sockets. */

/** Who is asked first for a read.
 *  - `master`: nobody else
 *  - `replica`: the replica that answers fastest; the master when no replica can
 *  - `nearest`: whoever answers fastest
 *  - `fresh`: whoever answers fastest, those last that are known to be older than the `maxStalenessMs` of the call; no answer is older */
export const READ_PREFERENCES = ['master', 'replica', 'nearest', 'fresh'] as const;
export type ReadPreference = (typeof READ_PREFERENCES)[number];
export type NodeRole = 'master' | 'replica' | 'unknown';

export interface NodeView {
  /** Base address. */
  readonly url: string;
  readonly role: NodeRole;
  /** How long answers take, smoothed; null: none came yet. */
  readonly latencyMs: number | null;
  /** How old its state was when it last said so; null: it did not, or does not know. */
  readonly stalenessMs: number | null;
  readonly failuresInRow: number;
  /** Is it asked after all others, because it failed again and again? */
  readonly isAvoided: boolean;
}

export interface NodeSettings {
  /** So many failures in a row, and a node is avoided. */
  readonly failuresMax: number;
  /** For so long at first, and at most. */
  readonly avoidedMs: number;
  readonly avoidedMsMax: number;
}

export const DEFAULT_NODE_SETTINGS: NodeSettings = { failuresMax: 3, avoidedMs: 1_000, avoidedMsMax: 30_000 };

/** Of the smoothed latency, the share of the newest answer (RFC 6298 §2 smooths round trips alike, with 1/8). */
const NEWEST_SHARE = 1 / 8;

/** What is known of how long answers take counts half after so long: who was slow once is asked again. */
const LATENCY_HALVED_MS = 10_000;

/** How old a node was says nothing of it any more after so long. */
const STALENESS_KNOWN_MS = 2_000;

interface Node {
  readonly url: string;
  /** Was it named by the caller, and not by another node? */
  readonly isGiven: boolean;
  role: NodeRole;
  /** Of its last mastership. */
  epoch: number;
  latencyMs: number | null;
  heardAtMs: number;
  /** Infinite: it said that it does not know. */
  stalenessMs: number | null;
  agedAtMs: number;
  failuresInRow: number;
  avoidedUntilMs: number;
}

export class Nodes {
  readonly #settings: NodeSettings;
  readonly #nodes = new Map<string, Node>();

  /** @param urls base addresses, at least one; their order decides where nothing else does */
  constructor(urls: readonly string[], settings: NodeSettings = DEFAULT_NODE_SETTINGS) {
    if (urls.length === 0) throw new RangeError('a client needs the address of at least one node');
    this.#settings = settings;
    for (const url of urls) this.#at(url, true);
  }

  view(nowMs: number): NodeView[] {
    return [...this.#nodes.values()].map((node) => ({
      ...{ url: node.url, role: node.role, latencyMs: node.latencyMs, failuresInRow: node.failuresInRow },
      stalenessMs: node.stalenessMs === Number.POSITIVE_INFINITY ? null : node.stalenessMs,
      isAvoided: this.#isAvoided(node, nowMs),
    }));
  }

  /** @param tried those that this call has asked already @returns null: all were tried */
  forWrite(tried: ReadonlySet<string>, nowMs: number): string | null {
    return this.#first(tried, nowMs, ({ role }) => ['master', 'unknown', 'replica'].indexOf(role));
  }

  /** @param maxStalenessMs for `fresh`: how old an answer may be @returns null: none is left that may be asked for such a read */
  forRead(
    preference: ReadPreference,
    tried: ReadonlySet<string>,
    nowMs: number,
    maxStalenessMs = Number.POSITIVE_INFINITY,
  ): string | null {
    if (preference === 'master') {
      const isMasterKnown = this.master !== null;
      return this.#first(tried, nowMs, ({ role }) => (isMasterKnown && role !== 'master' ? null : role === 'replica' ? null : 0));
    }
    // Whoever names the nodes that he reads from gets no answer from another.
    if (preference === 'replica')
      return this.#first(tried, nowMs, ({ role, isGiven }) => (isGiven ? ['replica', 'unknown', 'master'].indexOf(role) : null));
    const isOld = ({ stalenessMs, agedAtMs }: Node): boolean =>
      preference === 'fresh' && (stalenessMs ?? 0) > maxStalenessMs && nowMs - agedAtMs < STALENESS_KNOWN_MS;
    return this.#first(tried, nowMs, (node) => (node.isGiven ? Number(isOld(node)) : null));
  }

  /** As last heard; null: of none is it known. */
  get master(): string | null {
    return this.#master()?.url ?? null;
  }

  #master(): Node | null {
    for (const node of this.#nodes.values()) if (node.role === 'master') return node;
    return null;
  }

  /** An answer, of whatever kind, that the node gave itself. */
  answered(url: string, tookMs: number, nowMs: number): void {
    const node = this.#at(url);
    node.heardAtMs = nowMs;
    node.failuresInRow = 0;
    node.avoidedUntilMs = 0;
    node.latencyMs = node.latencyMs === null ? tookMs : node.latencyMs + NEWEST_SHARE * (tookMs - node.latencyMs);
  }

  /** How old its state is, as it says. @param stalenessMs null: it does not know */
  isAged(url: string, stalenessMs: number | null, nowMs: number): void {
    const node = this.#at(url);
    node.stalenessMs = stalenessMs ?? Number.POSITIVE_INFINITY;
    node.agedAtMs = nowMs;
  }

  /** It was asked so long ago, and another has answered first: it is no failure, and not near. */
  overtaken(url: string, sinceMs: number, nowMs: number): void {
    const node = this.#at(url);
    node.heardAtMs = nowMs;
    // How much longer it would have taken nobody knows; who is overtaken again and again is farther each time.
    node.latencyMs = Math.max(sinceMs, 2 * (node.latencyMs ?? 0));
  }

  /** No answer, or one that says that it cannot serve now. */
  failed(url: string, nowMs: number): void {
    const node = this.#at(url);
    node.failuresInRow += 1;
    const { failuresMax, avoidedMs, avoidedMsMax } = this.#settings;
    const beyond = node.failuresInRow - failuresMax;
    if (beyond >= 0) node.avoidedUntilMs = nowMs + Math.min(avoidedMsMax, avoidedMs * 2 ** beyond);
  }

  /** It says that it is the master. Of two that say so the one of the later mastership is.
   *  @param epoch of its mastership; null: it took a write, and no other does */
  isMaster(url: string, epoch: number | null): void {
    const known = this.#master();
    if (known !== null && known.url !== url) {
      if (epoch !== null && known.epoch > epoch) {
        this.#at(url).role = 'unknown';
        return;
      }
      known.role = 'unknown';
    }
    const node = this.#at(url);
    node.role = 'master';
    node.epoch = Math.max(epoch ?? 0, node.epoch);
  }

  /** @param master whom it follows, as it says; may be a node that nobody knew; null: it does not say */
  isReplica(url: string, master: string | null): void {
    const node = this.#at(url);
    node.role = 'replica';
    // A name leads on once. And what it says may be old: a node that says of itself what it is knows better, as long as it answers.
    const known = this.#master();
    if (master === null || !node.isGiven || known?.failuresInRow === 0) return;
    const named = this.#at(master);
    if (named.role !== 'unknown') return;
    if (known !== null) known.role = 'unknown';
    named.role = 'master';
  }

  #first(tried: ReadonlySet<string>, nowMs: number, rankOf: (node: Node) => number | null): string | null {
    let best: { readonly url: string; readonly order: readonly number[] } | null = null;
    for (const node of this.#nodes.values()) {
      const rank = tried.has(node.url) ? null : rankOf(node);
      if (rank === null) continue;
      const order = [Number(this.#isAvoided(node, nowMs)), rank, expectedMs(node, nowMs)];
      if (best === null || isBefore(order, best.order)) best = { url: node.url, order };
    }
    return best?.url ?? null;
  }

  #isAvoided({ avoidedUntilMs }: Node, nowMs: number): boolean {
    return nowMs < avoidedUntilMs;
  }

  #at(url: string, isGiven = false): Node {
    let node = this.#nodes.get(url);
    if (node === undefined) {
      node = {
        ...({ url, isGiven, role: 'unknown', epoch: 0, latencyMs: null, heardAtMs: 0 } as const),
        ...{ stalenessMs: null, agedAtMs: 0, failuresInRow: 0, avoidedUntilMs: 0 },
      };
      this.#nodes.set(url, node);
    }
    return node;
  }
}

/** Who was never asked is asked before long: else nobody would know that it is nearer. */
function expectedMs({ latencyMs, heardAtMs }: Node, nowMs: number): number {
  return latencyMs === null ? 0 : latencyMs * 0.5 ** ((nowMs - heardAtMs) / LATENCY_HALVED_MS);
}

function isBefore(left: readonly number[], right: readonly number[]): boolean {
  for (const [at, value] of left.entries()) {
    const other = right[at] as number;
    if (value !== other) return value < other;
  }
  return false;
}

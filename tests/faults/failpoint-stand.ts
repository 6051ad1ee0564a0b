/** A cluster of real nodes under writes, whose nodes are made to die at failpoints; and all that must hold when they are back.
 *
 *    const stand = await Stand.start(t);   stand.write();   await stand.arm(node, place, 5);   await stand.died(node);
 *    await stand.back(node);   await stand.holds({ … });
 *
 *  A node dies when it comes to the place and by nothing else: it kills itself there, nobody here sends that signal, and whatever else ends
 *  a process ends it with a code. Must not know: which places there are, who passes them when. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Failpoint } from '../../src/model/failpoint.js';
import { decodeToken } from '../../src/model/position.js';
import { type ClusterNode, type NodeOptions, newNode } from '../support/cluster.js';
import { QUICK_BEATS, rowOf, waitForStatus, waitForVoters } from '../support/cluster-watch.js';
import { type Load, startLoad } from '../support/load.js';
import { type Promotion, waitUntilEqual } from '../support/node-calls.js';
import { openHandles, residentBytes } from '../support/process-figures.js';
import { type Ending, type HttpAnswer, ServerDidNotStart } from '../support/server-process.js';
import type { TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';
import { AckBook, KeyedWriter, NodeWatch } from './failpoint-records.js';

/** Where a node is to die. */
export interface Place {
  readonly name: Failpoint;
  /** The pass at which it dies. */
  readonly count: number;
}

/** Tells what was done at a place. */
export type Say = (place: Failpoint, what: string) => void;

export interface StandOptions {
  /** Default 1. */
  readonly replicas?: number;
  /** The write concern of all writes; default 1. */
  readonly w?: '1' | 'majority';
}

export interface Expected {
  /** How many full syncs each of these counts since the last look, or since it was started: those it took, and those it gave. */
  readonly fullSyncs?: readonly (readonly [ClusterNode, number])[];
  /** The node that had more than the others, and keeps it in one file more. */
  readonly rolledBack?: ClusterNode | null;
}

interface Verification {
  readonly equal: boolean;
  readonly replicas: readonly { readonly id: string; readonly equal: boolean; readonly differing: readonly unknown[] }[];
}

const OPTIONS: NodeOptions = { flags: QUICK_BEATS };
/** Of the store that counts, and of the folder around it. */
const STORE_FILES: ReadonlySet<string> = new Set(['skein.db', 'skein.db-wal', 'skein.db-shm', 'checkpoints', 'REPLACES']);
const FOLDER_FILES: ReadonlySet<string> = new Set(['CURRENT', 'LOCK', 'MANIFEST', 'NODE', 'rollback']);
/** Enough that writes are under way whenever a node dies; the processor is needed to start nodes. */
const POINTS_PER_SECOND = 40;
const DEADLINE_MS = 60_000;
const MIB = 2 ** 20;
/** What a node may hold at the most, whatever died (I7): these carry a few megabytes of data and a handful of links. */
const HANDLES_MAX = 128;
const RESIDENT_BYTES_MAX = 384 * MIB;

export class Stand {
  readonly nodes: ClusterNode[] = [];
  readonly ledger: WriteLedger;
  /** Where writes go. */
  master: ClusterNode;
  epoch = 1;
  readonly #t: TestContext;
  readonly #acks = new AckBook();
  readonly #keyed: KeyedWriter;
  readonly #watch: NodeWatch;
  readonly #upstream = new Map<ClusterNode, ClusterNode>();
  readonly #deaths = new Map<ClusterNode, Promise<Ending>>();
  /** Started since the last look, so that nothing of an earlier life may be left in its folder. */
  readonly #fresh = new Set<ClusterNode>();
  readonly #rollbacks = new Map<ClusterNode, number>();
  /** What the process that runs had counted at the last look. */
  readonly #syncs = new Map<ClusterNode, { readonly process: unknown; readonly count: number }>();
  #load: Load | null = null;
  #most = { handles: 0, resident: 0 };

  private constructor(t: TestContext, master: ClusterNode, w: string) {
    this.#t = t;
    this.master = master;
    this.ledger = new WriteLedger({ ids: 60, w });
    this.#keyed = new KeyedWriter(this.nodes, w, this.#acks);
    this.#watch = new NodeWatch(this.nodes);
    // The first that is registered is done last: by then no node answers any more, so nothing is waited for.
    t.after(() => Promise.all([this.quiet(), this.#watch.stop()]));
  }

  static async start(t: TestContext, { replicas = 1, w = '1' }: StandOptions = {}): Promise<Stand> {
    const stand = new Stand(t, await newNode(t, 'a', OPTIONS), w);
    const { master, nodes } = stand;
    nodes.push(master);
    await master.start();
    for (let index = 0; index < replicas; index++) await (await stand.newReplica('bcd'.charAt(index))).start();
    await stand.linked();
    await stand.ledger.makeCollections(master);
    for (const name of ['keyed', 'extra']) await stand.ok('PUT', `/v1/collections/${name}`, { dimension: 4, distance: 'euclid' });
    await stand.look();
    return stand;
  }

  /** Full syncs are counted from here on. */
  async look(): Promise<void> {
    for (const node of this.nodes) this.#syncs.set(node, { process: node.process, count: (await node.stats()).full_syncs });
  }

  async #fullSyncsOf(node: ClusterNode): Promise<number> {
    const before = this.#syncs.get(node);
    const { full_syncs: count } = await node.stats();
    return before?.process === node.process ? count - before.count : count;
  }

  /** A replica on an empty folder that is yet to be started. @param url where it finds `upstream` */
  async newReplica(name: string, upstream = this.master, url = upstream.replicationUrl): Promise<ClusterNode> {
    const node = await newNode(this.#t, name, { ...OPTIONS, master: url });
    this.nodes.push(node);
    this.#upstream.set(node, upstream);
    return node;
  }

  /** Stops a replica for good. */
  async dismiss(node: ClusterNode): Promise<void> {
    const id = String((await node.stats())['node_id']);
    await node.stop();
    this.nodes.splice(this.nodes.indexOf(node), 1);
    this.#upstream.delete(node);
    if ((await rowOf(this.master, node)) !== null) await this.ok('DELETE', `/replication/replicas/${id}`);
  }

  async ok<Body>(method: string, path: string, body?: unknown, node = this.master): Promise<Body> {
    const answer = await node.request<Body>(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path} of ${node.name}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  // Writes.

  write(): void {
    const target = { request: <Body>(...words: Parameters<ClusterNode['request']>) => this.#send<Body>(words) };
    this.#load ??= startLoad(() => target, { ledger: this.ledger, pointsPerSecond: POINTS_PER_SECOND });
    this.#keyed.start();
  }

  async #send<Body>(words: Parameters<ClusterNode['request']>): Promise<HttpAnswer<Body>> {
    const answer = await this.master.request<Body>(...words);
    if (answer.status === 200) this.#acks.note(answer);
    return answer;
  }

  /** Waits until so many writes more were acknowledged, of both kinds. */
  async more(count = 10): Promise<void> {
    const { ledger } = this;
    const [writes, keyed] = [ledger.acknowledged + count, this.#keyed.acknowledged + 2];
    const enough = (): boolean => ledger.acknowledged >= writes && this.#keyed.acknowledged >= keyed;
    await waitUntil(enough, { deadlineMs: DEADLINE_MS, what: `${count} writes more` }).catch((error: Error) => {
      throw new Error(`${error.message}; refused: ${JSON.stringify([...ledger.refused])}, keyed: ${this.#keyed.last}`);
    });
  }

  /** When it returns no write is under way. */
  async quiet(): Promise<void> {
    const load = this.#load;
    this.#load = null;
    await Promise.all([load?.stop(), this.#keyed.stop()]);
  }

  // Deaths.

  /** Starts a node, again or for the first time, so that it dies when it comes to the place for the n-th time: at once, or later. */
  async arm(node: ClusterNode, place: Failpoint, count: number): Promise<void> {
    if (node.isRunning) await node.stop();
    const environment = { SKEIN_TEST_FAIL: `${place}:${count}` };
    try {
      await node.start({ environment, untilListening: true });
      this.#deaths.set(node, node.ended);
    } catch (error) {
      if (!(error instanceof ServerDidNotStart) || error.ending === null) throw error;
      this.#deaths.set(node, Promise.resolve(error.ending));
    }
  }

  /** Waits until it has died where it was to die. */
  async died(node: ClusterNode): Promise<void> {
    let ending: Ending | null = null;
    const death = this.#deaths.get(node);
    assert.ok(death, `${node.name} was not to die`);
    void death?.then((how) => (ending = how));
    await waitUntil(() => ending !== null, { deadlineMs: DEADLINE_MS, what: `${node.name} to come to the place` });
    assert.equal(ending, { code: null, signal: 'SIGKILL' }, `${node.name} ended otherwise`);
    this.#deaths.delete(node);
  }

  /** Starts a node that died; it comes back by itself, at the first try. */
  async back(node: ClusterNode): Promise<void> {
    await node.start({ environment: {}, untilListening: false });
    this.#fresh.add(node);
  }

  /** From now on writes go to this node, and all others follow it. */
  follows(master: ClusterNode, epoch: number): void {
    this.master = master;
    this.epoch = epoch;
    this.#upstream.clear();
    for (const node of this.nodes) if (node !== master) this.#upstream.set(node, master);
  }

  /** Lets the data of a node go back to what it was; what was seen of the other does not count. */
  goesBack(): void {
    this.#watch.forget();
  }

  async promoteByForce(node: ClusterNode): Promise<Promotion> {
    const promotion = await node.promote({ force: true });
    assert.is(promotion.epoch, this.epoch + 1, 'an epoch is used once');
    this.follows(node, promotion.epoch);
    return promotion;
  }

  // What must hold.

  /** Everything acknowledged is on this node; no write is under way. */
  async keeps(node: ClusterNode): Promise<void> {
    await this.ledger.check(node);
    await this.#keyed.check(node);
  }

  async linked(): Promise<void> {
    for (const [node, upstream] of this.#upstream) {
      if (upstream === this.master) await waitForVoters(upstream, [node], DEADLINE_MS);
      else await waitForStatus(upstream, node, 'Connected', DEADLINE_MS);
    }
  }

  /** Writes a little more, lets all nodes become equal, and holds them to everything that was promised. @returns what was seen, in short */
  async holds({ fullSyncs = [], rolledBack = null }: Expected = {}): Promise<string> {
    this.write();
    await this.more();
    await this.quiet();
    await this.linked();
    const { position } = await waitUntilEqual(this.nodes, { deadlineMs: DEADLINE_MS });
    for (const [node, upstream] of this.#upstream) {
      const caughtUp = async (): Promise<boolean> => (await rowOf(upstream, node))?.lag_operations === 0;
      await waitUntil(caughtUp, { what: `${node.name} to have applied everything` });
    }
    for (const node of this.nodes) {
      await this.keeps(node);
      await this.ledger.checkSearch(node);
      await this.#holdsAt(node);
      this.#nothingLeft(node, node === rolledBack);
    }
    for (const [node, count] of fullSyncs) assert.is(await this.#fullSyncsOf(node), count, `full syncs of ${node.name}`);
    await this.look();
    assert.equal(this.#acks.breaches, [], 'one node and one history for each epoch');
    assert.equal(this.#watch.breaches(), [], 'positions and epochs only grow, and say what the data is');
    this.#fresh.clear();
    const { handles, resident } = this.#most;
    const held = `at most ${handles} handles and ${Math.round(resident / MIB)} MiB`;
    return `${this.nodes.length} nodes equal at seq ${decodeToken(position, 'position').seq}, epoch ${this.epoch}, ${held}`;
  }

  async #holdsAt(node: ClusterNode): Promise<void> {
    const { pid } = node.process;
    const held = { handles: openHandles(pid), resident: residentBytes(pid) };
    this.#most = { handles: Math.max(this.#most.handles, held.handles), resident: Math.max(this.#most.resident, held.resident) };
    assert.ok(held.handles <= HANDLES_MAX && held.resident <= RESIDENT_BYTES_MAX, `${node.name} holds ${JSON.stringify(held)}`);
    const { role, epoch, divergences, position } = await node.stats();
    const isMaster = node === this.master;
    assert.equal([role, epoch, divergences], [isMaster ? 'master' : 'replica', this.epoch, 0], node.name);
    // Health shows a look that may be a second old.
    const isHealthy = async (): Promise<boolean> =>
      (await this.ok<{ status: string }>('GET', '/health', undefined, node)).status === 'healthy';
    await waitUntil(isHealthy, { what: `${node.name} to be healthy` });
    const read = await node.request('GET', '/v1/collections/keyed/points/0?max_wait_ms=8000', undefined, {
      'x-skein-min-position': this.#keyed.lastToken,
    });
    assert.is(read.status, 200, `a read on ${node.name} behind the last acknowledged write: ${JSON.stringify(read.body)}`);
    if (!isMaster && this.#upstream.get(node) !== this.master) return;
    const { equal, replicas } = await this.ok<Verification>('POST', '/replication/verify', { repair: false }, node);
    const linked = [...this.#upstream.values()].filter((upstream) => upstream === this.master).length;
    assert.equal([equal, replicas.length], [true, isMaster ? linked : 1], JSON.stringify(replicas));
    for (const one of replicas) assert.equal([one.equal, one.differing], [true, []], `at ${position}`);
  }

  /** In the folder is what serves, and nothing that was on the way; a snapshot that is given to others may lie there for a while. */
  #nothingLeft(node: ClusterNode, rolledBack: boolean): void {
    const { dataDir, name } = node;
    const store = readFileSync(join(dataDir, 'CURRENT'), 'utf8').trim();
    const others = readdirSync(dataDir).filter((file) => file !== store && !FOLDER_FILES.has(file));
    const given = others.filter((file) => /^outgoing-[0-9a-f]{32}$/.test(file));
    const gives = !this.#fresh.has(node) || [...this.#upstream.values()].includes(node);
    assert.ok(given.length <= (gives ? 1 : 0), `${name} keeps ${given.join(', ')}`);
    assert.equal(
      others.filter((file) => !given.includes(file)),
      [],
      `left over in the folder of ${name}`,
    );
    assert.equal(
      readdirSync(join(dataDir, store)).filter((file) => !STORE_FILES.has(file)),
      [],
      `left over in the store of ${name}`,
    );
    const files = rollbackFiles(node);
    assert.is(
      files.length,
      (this.#rollbacks.get(node) ?? 0) + (rolledBack ? 1 : 0),
      `rollback files of ${name}: ${files.join(' ')}`,
    );
    this.#rollbacks.set(node, files.length);
  }
}

/** Full paths, the newest last. */
export function rollbackFiles(node: ClusterNode): string[] {
  const folder = join(node.dataDir, 'rollback');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).sort();
  for (const name of names) assert.match(name, /\.jsonl$/);
  return names.map((name) => join(folder, name));
}

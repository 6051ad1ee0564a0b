/** Searches on replicas: at one position every node gives the same answer to exact searches, text searches, counts, pages and facets,
 *  whatever way it came there (from the log, by snapshot, through a restart), and finds what a filter lets pass. */

import * as assert from 'uvu/assert';
import { type ClusterNode, startCluster, startNode } from '../support/cluster.js';
import { QUICK_BEATS } from '../support/cluster-watch.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/replica-searches', { deadlineMs: 120_000 });
const DIMENSION = 8;
const POINTS = 1_500;
const WORDS = 'red green blue house tree river stone bird cloud train running walked cities'.split(' ');

class Writer {
  readonly #random: Random;
  readonly #master: ClusterNode;

  constructor(master: ClusterNode, random: Random) {
    this.#master = master;
    this.#random = random;
  }

  async ask(method: string, path: string, body?: unknown): Promise<void> {
    const answer = await this.#master.request(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  #payload(): object {
    const random = this.#random;
    const text = Array.from({ length: random.integer(0, 12) }, () => WORDS[random.integer(0, WORDS.length - 1)]).join(' ');
    return { text, group: `g${random.integer(0, 5)}`, rank: random.integer(0, 99) };
  }

  async put(ids: readonly number[]): Promise<void> {
    const points = ids.map((id) => ({ id, vector: [...this.#random.vector(DIMENSION)], payload: this.#payload() }));
    await this.ask('PUT', '/v1/collections/c/points', { points });
  }

  /** Replaces some, changes payloads of others in place, deletes others. */
  async change(): Promise<void> {
    const some = (count: number): number[] => [
      ...new Set(Array.from({ length: count }, () => this.#random.integer(0, POINTS - 1))),
    ];
    await this.put(some(200));
    const missing = new Set(await this.#missing(some(200)));
    const ids = some(200).filter((id) => !missing.has(id));
    const there = ids.filter((id) => id % 3 !== 0);
    const absent = new Set(await this.#missing(there));
    const patches = there.filter((id) => !absent.has(id)).map((id) => ({ id, payload: this.#payload() }));
    await this.ask('PATCH', '/v1/collections/c/points', { points: patches });
    await this.ask('POST', '/v1/collections/c/points/delete', { ids: some(50) });
    const filter = { must: [{ key: 'text', match: { text: 'train runs' } }] };
    await this.ask('POST', '/v1/collections/c/points/delete', { filter });
  }

  async #missing(ids: readonly number[]): Promise<number[]> {
    const answer = await this.#master.request<{ missing: number[] }>('POST', '/v1/collections/c/points/get', { ids });
    return answer.body.missing;
  }
}

const FILTER = { must: [{ key: 'group', match: { any: ['g1', 'g2'] } }], must_not: [{ key: 'rank', range: { lt: 20 } }] };
const TEXT_FILTER = { must: [{ key: 'text', match: { text: 'Runs' } }] };

/** What every node must answer alike at one position. */
function questions(random: Random): readonly (readonly [string, object])[] {
  const vector = [...random.vector(DIMENSION)];
  const text = [WORDS[random.integer(0, WORDS.length - 1)], 'City', WORDS[random.integer(0, WORDS.length - 1)]].join(' ');
  const search = (more: object): readonly [string, object] => [
    '/points/search',
    { limit: 40, cache: false, with_vector: true, ...more },
  ];
  return [
    search({ vector, exact: true }),
    search({ vector, exact: true, filter: FILTER }),
    search({ vector, exact: true, filter: TEXT_FILTER }),
    search({ text }),
    search({ text, filter: FILTER, offset: 3 }),
    search({ text: 'house', filter: TEXT_FILTER }),
    ['/points/count', { filter: FILTER }],
    ['/points/count', { filter: TEXT_FILTER }],
    ['/points/scroll', { filter: FILTER, limit: 50 }],
    ['/points/facet', { key: 'group', filter: FILTER }],
    ['/points/facet', { key: 'text', limit: 5 }],
  ];
}

async function answersOf(node: ClusterNode, position: string, random: Random): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const [path, body] of questions(random)) {
    const headers = { 'x-skein-min-position': position };
    const answer = await node.request<Record<string, unknown>>(
      'POST',
      `/v1/collections/c${path}?max_wait_ms=20000`,
      body,
      headers,
    );
    assert.is(answer.status, 200, `${node.name} ${path}: ${JSON.stringify(answer.body)}`);
    const { took_ms: _took, ...rest } = answer.body;
    answers.push(rest);
  }
  return answers;
}

async function checkAlike(nodes: readonly ClusterNode[], seed: number, what: string): Promise<void> {
  const { position } = await waitUntilEqual(nodes);
  if (position === null) throw new Error('no position');
  const [first, ...others] = await Promise.all(nodes.map((node) => answersOf(node, position, new Random(seed))));
  for (const [index, other] of others.entries()) assert.equal(other, first, `${what}: ${nodes[index + 1]?.name}`);
  const found = JSON.stringify(first);
  assert.ok(found.includes('"hits":[{'), 'something was found');
}

test('at one position every node answers alike, by whatever way it came there', async (t) => {
  const seed = t.seed();
  const { master, replicas } = await startCluster(t, { replicas: 1, flags: QUICK_BEATS });
  const writer = new Writer(master, new Random(seed));
  await writer.ask('PUT', '/v1/collections/c', {
    dimension: DIMENSION,
    distance: 'cosine',
    text_fields: ['text'],
    payload_indexes: [
      { path: 'group', type: 'keyword' },
      { path: 'rank', type: 'integer' },
    ],
  });
  for (let from = 0; from < POINTS; from += 500) await writer.put(Array.from({ length: 500 }, (_, i) => from + i));
  await checkAlike([master, ...replicas], seed, 'followed the log');
  for (let round = 0; round < 3; round++) await writer.change();
  await checkAlike([master, ...replicas], seed + 1, 'after changes');
  const late = await startNode(t, 'late', { master: master.replicationUrl, flags: QUICK_BEATS });
  await checkAlike([master, ...replicas, late], seed + 2, 'joined late');
  const [restarted] = replicas as [ClusterNode];
  await restarted.stop();
  await writer.change();
  await restarted.start();
  await checkAlike([master, restarted, late], seed + 3, 'restarted');
  await writer.ask('PATCH', '/v1/collections/c', {
    text: { language: 'none' },
    payload_indexes: [{ path: 'rank', type: 'float' }],
  });
  await waitUntil(
    async () => (await Promise.all([master, restarted, late].map(statusOf))).every((status) => status === 'ready'),
    {
      what: 'other settings to serve',
    },
  );
  await checkAlike([master, restarted, late], seed + 4, 'other settings');
});

async function statusOf(node: ClusterNode): Promise<string> {
  return (await node.request<{ status: string }>('GET', '/v1/collections/c')).body.status;
}

test.run();

/** hnswlib-node alone, in a process of its own: the same native build as the server's, the same seeded data, one thread, nothing else.
 *
 *  Data is drawn block by block and only the native calls are timed, so that neither the clock nor the memory holds anything of ours.
 *  Queries are plain arrays before the clock starts. Spoken to by raw-process.ts over the channel of its parent. */

import { Random } from '../../tests/support/random.js';
import { ClusterStream, plainArray, rowOf } from './clusters.js';
import { Latencies } from './latencies.js';
import { type RawGraph, rawLibrary } from './raw-library.js';
import type { RawAnswer, RawRequest } from './raw-messages.js';

const M = 16;
const EF_CONSTRUCT = 200;
const GRAPH_SEED = 100;
const BLOCK_ROWS = 1_000;
const LIMIT = 10;

class RawIndex {
  readonly #random = new Random(7);
  #graph: RawGraph | null = null;
  #stream: ClusterStream | null = null;
  #queries: number[][] = [];
  #live: number[] = [];
  #nextLabel = 0;

  answer(request: RawRequest): RawAnswer {
    switch (request.kind) {
      case 'build':
        return this.#build(request.count, request.dimension);
      case 'search':
        return this.#search(request.ef, request.forMs);
      case 'replace':
        return timed(request.count, () => this.#replaceOne());
      case 'remove':
        return timed(request.count, () => this.#removeOne());
      case 'mixed':
        return this.#mixed(request.ef, request.forMs);
      case 'memory':
        globalThis.gc?.();
        return { kind: 'memory', rssBytes: process.memoryUsage.rss() };
    }
  }

  #build(count: number, dimension: number): RawAnswer {
    const stream = new ClusterStream(dimension);
    const graph = new (rawLibrary())('l2', dimension);
    graph.initIndex(count, M, EF_CONSTRUCT, GRAPH_SEED, false);
    this.#queries = Array.from({ length: stream.queries.count }, (_, query) => plainArray(rowOf(stream.queries, query)));
    const buffer: number[] = [];
    let totalMs = 0;
    for (let done = 0; done < count; done += BLOCK_ROWS) {
      const block = stream.take(Math.min(BLOCK_ROWS, count - done));
      const startMs = performance.now();
      for (let row = 0; row < block.count; row += 1) graph.addPoint(plainArray(rowOf(block, row), buffer), done + row);
      totalMs += performance.now() - startMs;
    }
    this.#graph = graph;
    this.#stream = stream;
    this.#nextLabel = count;
    this.#live = Array.from({ length: count }, (_, label) => label);
    return { kind: 'timed', operations: count, totalMs };
  }

  #search(ef: number, forMs: number): RawAnswer {
    const graph = this.#opened();
    graph.setEf(ef);
    const answers = this.#queries.map((query) => graph.searchKnn(query, LIMIT).neighbors);
    const latencies = new Latencies();
    const startMs = performance.now();
    let lastMs = startMs;
    for (let turn = 0; lastMs - startMs < forMs; turn += 1) {
      graph.searchKnn(this.#queries[turn % this.#queries.length] ?? [], LIMIT);
      const nowMs = performance.now();
      latencies.add(nowMs - lastMs);
      lastMs = nowMs;
    }
    return {
      kind: 'searched',
      perSecond: (latencies.count / (lastMs - startMs)) * 1000,
      latencies: latencies.summary(),
      answers,
    };
  }

  /** In place: hnswlib takes the known label's links apart and makes new ones. */
  #replaceOne(): void {
    this.#opened().addPoint(this.#nextVector(), this.#random.pick(this.#live));
  }

  #insertOne(): void {
    const graph = this.#opened();
    if (graph.getCurrentCount() >= graph.getMaxElements()) graph.resizeIndex(Math.ceil(graph.getMaxElements() * 1.5));
    const label = this.#nextLabel++;
    graph.addPoint(this.#nextVector(), label);
    this.#live.push(label);
  }

  #removeOne(): void {
    const place = this.#random.integer(0, this.#live.length - 1);
    const label = this.#live[place] as number;
    this.#live[place] = this.#live.at(-1) as number;
    this.#live.pop();
    this.#opened().markDelete(label);
  }

  /** 80 searches, 10 replacements, 5 new points and 5 removals in a hundred. */
  #mixed(ef: number, forMs: number): RawAnswer {
    const graph = this.#opened();
    graph.setEf(ef);
    const startMs = performance.now();
    let operations = 0;
    while (performance.now() - startMs < forMs) {
      const dice = this.#random.integer(0, 99);
      if (dice < 80) graph.searchKnn(this.#queries[operations % this.#queries.length] ?? [], LIMIT);
      else if (dice < 90) this.#replaceOne();
      else if (dice < 95) this.#insertOne();
      else this.#removeOne();
      operations += 1;
    }
    return { kind: 'timed', operations, totalMs: performance.now() - startMs };
  }

  #nextVector(): number[] {
    if (this.#stream === null) throw new Error('nothing was built');
    return plainArray(this.#stream.next());
  }

  #opened(): RawGraph {
    if (this.#graph === null) throw new Error('nothing was built');
    return this.#graph;
  }
}

function timed(operations: number, once: () => void): RawAnswer {
  const startMs = performance.now();
  for (let turn = 0; turn < operations; turn += 1) once();
  return { kind: 'timed', operations, totalMs: performance.now() - startMs };
}

const index = new RawIndex();
process.on('message', (request: RawRequest) => {
  process.send?.(index.answer(request));
});
process.on('disconnect', () => process.exit(0));

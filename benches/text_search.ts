/** Text search in process over documents of Zipf-distributed words: queries of one to three words, the most common among them. The reference
 *  is the same BM25, summed over all documents in plain JavaScript. */

import { Random } from '../tests/support/random.js';
import { atMost, type Bench, type Cell, type Figure, scaled, scaledMs } from './support/bench.js';
import { type BenchEngine, fillEngine, withEngine } from './support/bench-engine.js';
import { ClusterStream } from './support/clusters.js';
import { Latencies } from './support/latencies.js';

const DOCUMENT_WORDS = 60;
const VOCABULARY = 100_000;
const P50_MAX_MS = 1;
const P99_MAX_MS = 15;
const DIMENSION = 8;

/** Word numbers, the smaller the more common: P(n) ∝ 1 / (n + 1). */
class ZipfWords {
  readonly #random: Random;
  readonly #logEnd = Math.log(VOCABULARY + 1);

  constructor(random: Random) {
    this.#random = random;
  }

  next(): string {
    return wordOf(Math.floor(Math.exp(this.#random.unit() * this.#logEnd) - 1));
  }
}

/** Letters only, so that every number is one word that no stemmer shortens to another's. */
function wordOf(number: number): string {
  return `q${[...number.toString(26)].map((digit) => String.fromCharCode(98 + Number.parseInt(digit, 26))).join('')}z`;
}

export const textSearch: Bench = {
  name: 'text_search',
  about: 'BM25 over documents of 60 words, one to three query words',
  async run(progress) {
    const count = scaled(50_000, 2_000);
    const random = new Random(5);
    const words = new ZipfWords(random);
    const texts = Array.from({ length: count }, () => Array.from({ length: DOCUMENT_WORDS }, () => words.next()).join(' '));
    return withEngine(async (engine) => {
      progress(`${count.toLocaleString('en-US')} documents: fill`);
      await engine.create(DIMENSION, { text: { fields: ['text'], language: 'english', stopWords: 'default', k1: 1.2, b: 0.75 } });
      const startMs = performance.now();
      await fillEngine(engine, new ClusterStream(DIMENSION).take(count), (id) => ({ text: texts[id] as string }));
      const perSecond = (count / (performance.now() - startMs)) * 1000;
      const rows: Cell[][] = [];
      const figures: Figure[] = [{ name: 'text, documents a second until all are indexed', value: perSecond, unit: '/s' }];
      const all = new Latencies();
      for (const [name, queries] of Object.entries(queriesOf(random, words))) {
        const latencies = await measure(engine, queries, all);
        const { p50, p99, max } = latencies.summary();
        rows.push([name, latencies.count, p50, p99, max]);
      }
      const { p50, p99 } = all.summary();
      figures.push({ name: 'text, all queries: p50', value: p50, unit: 'ms', bound: atMost(P50_MAX_MS) });
      figures.push({ name: 'text, all queries: p99', value: p99, unit: 'ms', bound: atMost(P99_MAX_MS) });
      const title = `text_search ${count.toLocaleString('en-US')} documents of ${DOCUMENT_WORDS} words, limit 10, one at a time`;
      return { tables: [{ title, columns: ['query', 'searches', 'p50 ms', 'p99 ms', 'max ms'], rows }], figures, notes: [] };
    });
  },
};

function queriesOf(random: Random, words: ZipfWords): Readonly<Record<string, readonly string[]>> {
  const many = (make: () => string): string[] => Array.from({ length: 200 }, make);
  const several = (): string => Array.from({ length: random.integer(1, 3) }, () => words.next()).join(' ');
  return {
    'one to three words as they occur': many(several),
    'one rare word': many(() => wordOf(random.integer(1_000, VOCABULARY - 1))),
    'the most common word': [wordOf(0)],
    'the three most common words': [[0, 1, 2].map(wordOf).join(' ')],
    'the most common and two rare words': many(() =>
      [0, random.integer(1_000, 9_999), random.integer(1_000, 9_999)].map(wordOf).join(' '),
    ),
  };
}

async function measure(engine: BenchEngine, queries: readonly string[], all: Latencies): Promise<Latencies> {
  const latencies = new Latencies();
  for (const text of queries.slice(0, 20)) await engine.ask({ text });
  const startMs = performance.now();
  const forMs = scaledMs(4_000);
  for (let turn = 0; performance.now() - startMs < forMs; turn += 1) {
    const beganMs = performance.now();
    await engine.ask({ text: queries[turn % queries.length] as string });
    const tookMs = performance.now() - beganMs;
    latencies.add(tookMs);
    all.add(tookMs);
  }
  return latencies;
}

/** Writes and what became of them, so that after any fault the server can be held to what it said.
 *
 *  Each write puts one point with one value into two collections in one batch. A point belongs to one writer, so its writes are in order.
 *    acknowledged   its value is the point's value from then on
 *    refused        it never happened
 *    unknown        the connection broke, a Timeout or a WriteConcernTimeout: it may have happened, or may still happen
 *  Must not know: which fault. */

import * as assert from 'uvu/assert';
import type { ServerProcess } from './server-process.js';

/** Whoever answers requests: a server, or a node of a cluster. */
export type Asked = Pick<ServerProcess, 'request'>;

interface Known {
  value: number | null;
  /** Values whose fate is unknown, all younger than `value`. */
  readonly unknown: Set<number>;
}

interface StoredPoint {
  readonly id: number;
  readonly vector: number[];
  readonly payload: { readonly value: number };
}

export interface LedgerOptions {
  readonly ids?: number;
  /** Makes every point this much larger. Default 0. */
  readonly fillBytes?: number;
  readonly wait?: 'indexed' | 'durable';
  /** The write concern; default the server's. */
  readonly w?: string;
  /** Default 4, the least. */
  readonly dimension?: number;
}

const NAMES = ['left', 'right'] as const;
const SEARCHED = 20;
const READ_AT_ONCE = 5_000;
/** What a refusal of this type means for the write is not known. */
const INDETERMINATE: ReadonlySet<string> = new Set(['Timeout', 'WriteConcernTimeout']);

export function vectorOf(value: number, dimension = 4): number[] {
  const rest = Array.from({ length: dimension - 4 }, (_, index) => (value * (index + 2)) % 79);
  return [value % 97, value % 89, value % 83, 1, ...rest];
}

export class WriteLedger {
  readonly #points = new Map<number, Known>();
  readonly #ids: number;
  readonly #fill: string;
  readonly #query: string;
  readonly #dimension: number;
  #nextValue = 1;
  #acknowledged = 0;
  /** Answers that were refusals, by error type. */
  readonly refused = new Map<string, number>();

  constructor({ ids = 400, fillBytes = 0, wait = 'indexed', w, dimension = 4 }: LedgerOptions = {}) {
    this.#ids = ids;
    this.#dimension = dimension;
    this.#fill = 'x'.repeat(fillBytes);
    this.#query = `?wait=${wait}${w === undefined ? '' : `&w=${w}`}`;
  }

  get ids(): number {
    return this.#ids;
  }

  get tried(): number {
    return this.#nextValue - 1;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  async makeCollections(server: Asked): Promise<void> {
    for (const name of NAMES) {
      const { status } = await server.request('PUT', `/v1/collections/${name}`, {
        dimension: this.#dimension,
        distance: 'euclid',
      });
      assert.ok(status === 201 || status === 409, `collection ${name}: ${status}`);
    }
  }

  /** Writes one value. @returns 'acknowledged', 'lost' (no answer), or the type of the refusal */
  async write(server: Asked, id: number): Promise<string> {
    const value = this.#nextValue++;
    const known = this.#points.get(id) ?? { value: null, unknown: new Set() };
    this.#points.set(id, known);
    known.unknown.add(value);
    const points = [{ id, vector: vectorOf(value, this.#dimension), payload: { value, fill: this.#fill } }];
    const operations = NAMES.map((collection) => ({ upsert: { collection, points } }));
    const answer = await server.request('POST', `/v1/batch${this.#query}`, { operations }).catch(() => null);
    if (answer === null) return 'lost';
    if (answer.status === 200) {
      known.value = value;
      known.unknown.clear();
      this.#acknowledged += 1;
      return 'acknowledged';
    }
    const { type } = answer.body.error;
    this.refused.set(type, (this.refused.get(type) ?? 0) + 1);
    if (!INDETERMINATE.has(type)) known.unknown.delete(value);
    return type;
  }

  /** Whether a write of this point that has ended may still happen; it is better not written again before check(). */
  isUncertain(id: number): boolean {
    return (this.#points.get(id)?.unknown.size ?? 0) > 0;
  }

  /** Writers side by side, each until `goOn` says no to its last outcome, or the server is gone. */
  async load(server: Asked, writers: number, goOn: (outcome: string) => boolean = () => true): Promise<void> {
    const run = async (writer: number): Promise<void> => {
      for (let turn = 0; ; turn++) {
        const outcome = await this.write(server, this.#idOf(writer, writers, turn));
        if (outcome === 'lost' || !goOn(outcome)) return;
      }
    };
    await Promise.all(Array.from({ length: writers }, (_, writer) => run(writer)));
  }

  /** Every id of a writer in turn, in an order that jumps. */
  #idOf(writer: number, writers: number, turn: number): number {
    const own = Math.floor(this.#ids / writers);
    return writer + writers * ((turn * 7) % own);
  }

  /** Holds a server on which no write is under way to everything that is known; afterwards nothing is unknown. */
  async check(server: Asked): Promise<void> {
    const left = await this.#read(server, 'left');
    const right = await this.#read(server, 'right');
    assert.equal(sorted(left), sorted(right), 'a batch is there as a whole or not at all');
    for (const [id, known] of this.#points) {
      const value = left.get(id) ?? null;
      const fits = value === known.value || (value !== null && known.unknown.has(value));
      assert.ok(fits, `point ${id} is ${value}, acknowledged ${known.value}, unknown ${[...known.unknown].join(' ')}`);
      known.value = value;
      known.unknown.clear();
    }
    for (const name of NAMES) {
      const { body } = await server.request<{ count: number }>('POST', `/v1/collections/${name}/points/count`, {});
      assert.is(body.count, left.size, `${name} holds what was written and nothing else`);
    }
  }

  async #read(server: Asked, name: string): Promise<Map<number, number>> {
    const ids = [...this.#points.keys()];
    const found = new Map<number, number>();
    for (let at = 0; at < ids.length; at += READ_AT_ONCE) {
      const { status, body } = await server.request<{ points: StoredPoint[] }>('POST', `/v1/collections/${name}/points/get`, {
        ids: ids.slice(at, at + READ_AT_ONCE),
        with_vector: true,
      });
      assert.is(status, 200, JSON.stringify(body).slice(0, 500));
      for (const { id, vector, payload } of body.points) {
        assert.equal(vector, vectorOf(payload.value, this.#dimension), `vector and payload of point ${id} belong together`);
        found.set(id, payload.value);
      }
    }
    return found;
  }

  /** Some points are found by search where they lie; after check(). */
  async checkSearch(server: Asked): Promise<void> {
    const some = [...this.#points].filter(([, { value }]) => value !== null).slice(0, SEARCHED);
    for (const [id, { value }] of some) {
      const request = { vector: vectorOf(value ?? 0, this.#dimension), limit: 50, with_payload: false };
      const { body } = await server.request<{ hits: { id: number; score: number }[]; complete: boolean }>(
        'POST',
        '/v1/collections/left/points/search',
        request,
      );
      assert.ok(body.complete, 'a search is complete');
      assert.is(body.hits.find((hit) => hit.id === id)?.score, 0, `point ${id} is found by search where it lies`);
    }
  }
}

function sorted(values: Map<number, number>): [number, number][] {
  return [...values].sort(([a], [b]) => a - b);
}

/** What users of a search service ask, mixed: searches of every kind on all nodes, reads by id, single writes on the master, and reads on a
 *  replica of what was just written. Seeded, so that two runs ask the same. */

import { Random } from '../../tests/support/random.js';
import { ClusterStream } from './clusters.js';
import type { OpenRequest } from './open-load.js';
import { prepare } from './requests.js';

export interface MixedLoadOptions {
  readonly collection: string;
  readonly dimension: number;
  /** Ids 0 … points − 1 are written again and again, so the data keeps its size. */
  readonly points: number;
  readonly masterPort: number;
  /** All nodes, the master included. */
  readonly ports: readonly number[];
}

const SEED = 5;
const VECTORS = 2_000;
const GROUPS = 50;
const WORDS = [
  'amber',
  'basalt',
  'cedar',
  'delta',
  'ember',
  'fjord',
  'granite',
  'harbour',
  'island',
  'juniper',
  'kelp',
  'lagoon',
];
const TEXT_WORDS = 8;

/** Shares in percent. */
const MIX = [
  ['search', 35],
  ['filtered search', 12],
  ['text search', 8],
  ['hybrid search', 8],
  ['get', 10],
  ['scroll', 2],
  ['count', 2],
  ['upsert', 14],
  ['patch', 4],
  ['delete', 1],
  ['read of own write', 4],
] as const;
type Kind = (typeof MIX)[number][0];

export class MixedLoad {
  readonly #options: MixedLoadOptions;
  readonly #random = new Random(SEED);
  readonly #vectors: readonly number[][];
  #position: string | null = null;
  #turn = 0;

  constructor(options: MixedLoadOptions) {
    this.#options = options;
    const stream = new ClusterStream(options.dimension);
    this.#vectors = Array.from({ length: VECTORS }, () => Array.from(stream.next()));
  }

  /** Of a collection with an index for each field that is asked about. */
  static readonly declared = {
    text_fields: ['body'],
    payload_indexes: [{ path: 'group', type: 'integer' }],
  } as const;

  point(id: number): object {
    const body = Array.from({ length: TEXT_WORDS }, () => this.#word()).join(' ');
    return { id, vector: this.#vector(), payload: { group: id % GROUPS, body } };
  }

  next(): OpenRequest {
    const kind = this.#kind();
    const { collection, masterPort, ports } = this.#options;
    const points = `/v1/collections/${collection}/points`;
    const any = ports[this.#turn++ % ports.length] as number;
    const read = (path: string, body: object): OpenRequest => this.#request(kind, any, 'POST', `${points}${path}`, body);
    const write = (method: string, path: string, body: object): OpenRequest =>
      this.#request(kind, masterPort, method, `${points}${path}`, body);
    const id = this.#below(this.#options.points);
    const filter = { must: [{ key: 'group', match: { value: id % GROUPS } }] };
    switch (kind) {
      case 'search':
        return read('/search', { vector: this.#vector() });
      case 'filtered search':
        return read('/search', { vector: this.#vector(), filter });
      case 'text search':
        return read('/search', { text: `${this.#word()} ${this.#word()}` });
      case 'hybrid search':
        return read('/search', { vector: this.#vector(), text: this.#word() });
      case 'get':
        return read('/get', { ids: [id] });
      case 'scroll':
        return read('/scroll', { limit: 20, cursor: null });
      case 'count':
        return read('/count', { filter });
      case 'upsert':
        return write('PUT', '', { points: [this.point(id)] });
      case 'patch':
        return write('PATCH', '', { points: [{ id, payload: { seen: this.#turn } }] });
      case 'delete':
        return write('POST', '/delete', { ids: [id] });
      case 'read of own write':
        return read('/get', { ids: [id], ...(this.#position === null ? {} : { min_position: this.#position }) });
    }
  }

  #request(kind: Kind, port: number, method: string, path: string, body: object): OpenRequest {
    return {
      kind,
      port,
      request: prepare(method, path, 'json', body),
      check: (status, answer) => {
        // A point that was deleted cannot be patched until it is written again.
        if (status !== 200) return kind === 'patch' && status === 404 ? null : `${status} ${answer.toString('utf8', 0, 200)}`;
        if (method === 'GET') return null;
        const { position, complete, degraded } = JSON.parse(answer.toString('utf8')) as Answer;
        if (position !== undefined && port === this.#options.masterPort && path.endsWith('points')) this.#position = position;
        if (complete === false) return 'fewer hits than there are';
        return degraded === true ? 'degraded' : null;
      },
    };
  }

  #kind(): Kind {
    let left = this.#below(100);
    for (const [kind, share] of MIX) {
      if (left < share) return kind;
      left -= share;
    }
    return 'search';
  }

  #below(count: number): number {
    return this.#random.integer(0, count - 1);
  }

  #vector(): readonly number[] {
    return this.#vectors[this.#below(VECTORS)] as number[];
  }

  #word(): string {
    return WORDS[this.#below(WORDS.length)] as string;
  }
}

interface Answer {
  readonly position?: string;
  readonly complete?: boolean;
  readonly degraded?: boolean;
}

/** One server of a copy: its collections and points as they stand on the wire (docs/HTTP_API.md), passed on as they are.
 *
 *  So a copy carries whatever a point holds, vectors bit for bit, without knowing its fields. Must not know: which side it is. */

import { aliasPath, collectionPath } from '../../model/api-paths.js';
import type { Call, Change, PointInput, SkeinClient } from '../../sdk/index.js';

export type PointId = string | number;
export type PointBody = Readonly<Record<string, unknown>> & { readonly id: PointId };
/** What a collection tells of itself. */
export type InfoBody = Readonly<Record<string, unknown>> & {
  readonly name: string;
  readonly points_count: number;
  readonly created_at: string;
  readonly position: string;
};
export interface AliasBody {
  readonly alias: string;
  readonly collection: string;
}
export interface PageBody {
  readonly points: readonly PointBody[];
  readonly next_cursor: string | null;
}

/** A point whole, or its id alone. */
export type Shown = 'whole' | 'id';

export class Side {
  readonly url: string;
  readonly #client: SkeinClient;
  readonly #signal: AbortSignal;

  constructor(url: string, client: SkeinClient, signal: AbortSignal) {
    this.url = url;
    this.#client = client;
    this.#signal = signal;
  }

  /** The newest position that was seen; null before the first answer. */
  get position(): string | null {
    return this.#client.position;
  }

  /** Whole points, vectors included, in the order of the log, until the signal ends it. */
  changes(from: string): AsyncGenerator<Change, void, undefined> {
    return this.#client.changes({ from, withVector: true, withPayload: true, withLeaves: false }, { signal: this.#signal });
  }

  /** Durable when it resolves. */
  async write(name: string, points: readonly PointInput[]): Promise<void> {
    const options = { wait: 'durable', idempotencyKey: 'not-needed', signal: this.#signal } as const;
    if (points.length > 0) await this.#client.upsert(name, points, options);
  }

  async collections(): Promise<readonly InfoBody[]> {
    return ((await this.#read('list collections', 'GET', '/v1/collections')) as { collections: readonly InfoBody[] }).collections;
  }

  async info(name: string): Promise<InfoBody> {
    return (await this.#read(`collection ${name}`, 'GET', collectionPath(name))) as InfoBody;
  }

  async aliases(): Promise<readonly AliasBody[]> {
    return ((await this.#read('list aliases', 'GET', '/v1/aliases')) as { aliases: readonly AliasBody[] }).aliases;
  }

  async create(name: string, settings: object): Promise<InfoBody> {
    return (await this.#write(`create collection ${name}`, 'PUT', collectionPath(name), settings)) as InfoBody;
  }

  async putAlias({ alias, collection }: AliasBody): Promise<void> {
    await this.#write(`put alias ${alias}`, 'PUT', aliasPath(alias), { collection });
  }

  /** @param cursor null: the first page */
  async page(name: string, cursor: string | null, limit: number, shown: Shown): Promise<PageBody> {
    const whole = shown === 'whole';
    const body = { limit, with_vector: whole, with_payload: whole, ...(cursor === null ? {} : { cursor }) };
    return (await this.#read(`scroll ${name}`, 'POST', collectionPath(name, '/points/scroll'), body)) as PageBody;
  }

  /** Those that exist. */
  async get(name: string, ids: readonly PointId[], shown: Shown): Promise<readonly PointBody[]> {
    const whole = shown === 'whole';
    const body = { ids, with_vector: whole, with_payload: whole };
    return (
      (await this.#read(`points of ${name}`, 'POST', collectionPath(name, '/points/get'), body)) as {
        points: readonly PointBody[];
      }
    ).points;
  }

  async count(name: string): Promise<number> {
    return ((await this.#read(`count ${name}`, 'POST', collectionPath(name, '/points/count'), {})) as { count: number }).count;
  }

  /** Durable when it resolves. Doing it twice is harmless, so the server need not remember a key for it. A point that never goes is said to: what the
   *  collection says is for new ones. */
  async upsert(name: string, points: readonly PointBody[]): Promise<void> {
    const bodies = points.map(({ version: _version, ...point }) => ({ expires_at: 'never' as const, ...point }));
    await this.#write(`upsert into ${name}`, 'PUT', collectionPath(name, '/points'), { points: bodies });
  }

  async remove(name: string, ids: readonly PointId[]): Promise<void> {
    await this.#write(`delete from ${name}`, 'POST', collectionPath(name, '/points/delete'), { ids });
  }

  close(): void {
    this.#client.close();
  }

  #read(what: string, method: Call['method'], path: string, body?: unknown): Promise<unknown> {
    return this.#client.send({
      what,
      method,
      path,
      kind: 'read',
      options: { signal: this.#signal },
      ...(body === undefined ? {} : { body }),
    });
  }

  #write(what: string, method: Call['method'], path: string, body: unknown): Promise<unknown> {
    const options = { wait: 'durable', idempotencyKey: 'not-needed', signal: this.#signal } as const;
    return this.#client.send({ what, method, path, kind: 'write', options, body });
  }
}

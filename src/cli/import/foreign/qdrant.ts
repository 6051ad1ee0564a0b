/** Qdrant as an origin: a collection is scrolled over its HTTP API, in the order of ids.
 *
 *    GET /collections/{name}  ─► settings        POST …/points/scroll {offset: id} ─► points, next_page_offset ─► …
 *
 *  An id is the key of its record: reading goes on behind it, whatever was written or deleted there meanwhile. An id beyond 2^53−1 is refused by
 *  name, and read past. Points written during the import may or may not be among its records. Must not know: our servers. */

import type { Payload } from '../../../model/point.js';
import type { Origin, OriginPlace } from '../origin.js';
import { idOf, type PointFields, RecordProblem, vectorOf, vectorsOf } from '../point-fields.js';
import { FileProblem, type ImportRecord, POINT_OVERHEAD_BYTES, type RecordSource, type SourceKey } from '../record.js';
import { roundedIntegers, roundedNumberIn } from './exact-numbers.js';
import type { ForeignServer } from './foreign-server.js';
import { arrayOf, at, isObject } from './json-shape.js';
import { planOf, type QdrantPlan } from './qdrant-settings.js';

export interface QdrantOptions {
  readonly server: ForeignServer;
  readonly url: string;
  readonly collection: string;
  readonly notePath: string;
  readonly pagePoints: number;
}

/** @throws FileProblem when there is no such collection, or nothing of it can be stored here */
export async function qdrantOrigin(options: QdrantOptions): Promise<Origin> {
  const { server, url, collection, notePath } = options;
  const path = `/collections/${encodeURIComponent(collection)}`;
  const plan = planOf(at(await server.describe(path, 'name the collection with --source-collection'), 'result'));
  return {
    name: `qdrant collection ${collection}`,
    notePath,
    identity: { origin: 'qdrant', source: url, source_collection: collection },
    settings: plan.settings,
    losses: [...plan.losses, ...(await aliasLosses(server, path))],
    open: (place) => Promise.resolve(scrolled(options, path, plan, place)),
    close: () => Promise.resolve(server.close()),
  };
}

async function aliasLosses(server: ForeignServer, path: string): Promise<string[]> {
  const { body } = await server.ask(`${path}/aliases`);
  const names = arrayOf(at(body, 'result', 'aliases') ?? [], 'the aliases of the collection').map((alias) =>
    String(at(alias, 'alias_name')),
  );
  return names.length === 0 ? [] : [`its aliases are not made here: ${names.join(', ')}`];
}

function scrolled({ server, pagePoints }: QdrantOptions, path: string, plan: QdrantPlan, place: OriginPlace): RecordSource {
  let read = place.next;
  return {
    placeWord: 'point',
    readShare: () => Math.min(1, read / Math.max(1, plan.pointsCount)),
    async *records() {
      const pages = new Pages(plan, place);
      read = place.next;
      for (let offset = place.key === undefined ? null : offsetText(place.key); ; ) {
        const from = offset === null ? '' : `"offset":${offset},`;
        const { text, body } = await server.ask(
          `${path}/points/scroll`,
          `{${from}"limit":${pagePoints},"with_payload":true,"with_vector":true}`,
        );
        const group = pages.recordsOf(text, arrayOf(at(body, 'result', 'points'), 'a page of points'));
        read += group.length;
        if (group.length > 0) yield group;
        const next = nextOffset(text, at(body, 'result', 'next_page_offset'));
        if (next === null) return;
        if (next === offset) throw new FileProblem(`it goes on at ${next} again and again`);
        offset = next;
      }
    },
  };
}

/** Records of one page after the other. */
class Pages {
  readonly #plan: QdrantPlan;
  readonly #place: OriginPlace;
  #index: number;
  #key: SourceKey | undefined;

  constructor(plan: QdrantPlan, place: OriginPlace) {
    this.#plan = plan;
    this.#place = place;
    this.#index = place.key === undefined ? 0 : place.next;
    this.#key = place.key;
  }

  recordsOf(text: string, points: readonly unknown[]): readonly ImportRecord[] {
    const rounded = roundedIntegers(text);
    const bytes = Math.ceil(text.length / Math.max(1, points.length)) + POINT_OVERHEAD_BYTES;
    const records: ImportRecord[] = [];
    for (const point of points) {
      const id = at(point, 'id');
      // A page begins with the point that it was asked to begin at: the last of the import that was interrupted.
      if (this.#key !== undefined && id === this.#key) continue;
      if (typeof id === 'string' || Number.isSafeInteger(id)) this.#key = id as SourceKey;
      const index = this.#index++;
      if (index >= this.#place.next) records.push(this.#record(point, index, bytes, rounded));
    }
    return records;
  }

  #record(point: unknown, index: number, bytes: number, rounded: ReadonlySet<number>): ImportRecord {
    const where = { index, place: index + 1, ...(this.#key === undefined ? {} : { key: this.#key }) };
    try {
      const id = qdrantId(at(point, 'id'));
      const payload = at(point, 'payload') ?? {};
      if (!isObject(payload)) throw new RecordProblem('payload is not an object');
      const lost = roundedNumberIn(payload, rounded);
      if (lost !== null)
        throw new RecordProblem(`has an integer near ${lost} in its payload, beyond ±2^53, which JSON numbers cannot hold`);
      return { kind: 'point', ...where, id, ...this.#vectors(at(point, 'vector')), payload: payload as Payload, bytes };
    } catch (error) {
      if (!(error instanceof RecordProblem)) throw error;
      return { kind: 'refused', ...where, problem: `(id ${JSON.stringify(at(point, 'id'))}) ${error.message}` };
    }
  }

  /** A list is the vector without a name; an object has vectors by name, '' for that one. @throws RecordProblem */
  #vectors(value: unknown): Pick<PointFields, 'vector' | 'vectors'> {
    const { names } = this.#plan;
    const given = isObject(value) ? value : value === null ? {} : { '': value };
    const { '': unnamed, ...named } = Object.fromEntries(Object.entries(given).filter(([name]) => names.has(name)));
    const onlyUnnamed = names.size === 1 && names.has('');
    if (onlyUnnamed && unnamed === undefined) throw new RecordProblem('has no vector');
    return {
      ...(unnamed === undefined ? {} : { vector: vectorOf(unnamed, 'vector') }),
      ...(onlyUnnamed ? {} : { vectors: vectorsOf(named) }),
    };
  }
}

/** @throws RecordProblem */
function qdrantId(id: unknown): ReturnType<typeof idOf> {
  if (typeof id === 'number' && !Number.isSafeInteger(id))
    throw new RecordProblem('has an id beyond 2^53-1, which ids here cannot be');
  return idOf(id, 'id');
}

/** As JSON, digits and all. */
function offsetText(key: SourceKey): string {
  return JSON.stringify(key);
}

/** From the text where it is a number: it may be larger than a number holds, and is the last of its name there. */
function nextOffset(text: string, parsed: unknown): string | null {
  if (parsed === null) return null;
  if (typeof parsed === 'string') return JSON.stringify(parsed);
  const digits = [...text.matchAll(/"next_page_offset"\s*:\s*(\d+)/g)].at(-1)?.[1];
  return digits ?? String(parsed);
}

/** The body of /v1/batch: operations over several collections that take effect together.
 *
 *  Read in order; an operation that makes or drops a collection changes what the vectors behind it are held against.
 *  Pure, for both threads, as wire/write-bodies.ts. */

import { checkCollectionName } from '../model/collection.js';
import { DISTANCES } from '../model/distance.js';
import { invalidRequest } from '../model/errors.js';
import type { Operation } from '../model/operation.js';
import type { JsonValue, PointId } from '../model/point.js';
import type { BodyReader } from './body-reader.js';
import { readFields, readList } from './fields.js';
import { PatchRows } from './patch-rows.js';
import { notAvailable, type Place } from './place.js';
import { PointRows } from './point-rows.js';
import { readId } from './scalars.js';
import { UNKNOWN_VECTORS, type VectorRule } from './vector-rule.js';
import type { WriteRules } from './write-bodies.js';

/** create_collection as it stood in the body: its spec is still to be checked against the schema. */
export interface UncheckedCreate {
  readonly kind: 'unchecked_create';
  readonly collection: string;
  readonly spec: Readonly<Record<string, JsonValue>>;
  readonly path: string;
}

const NOT_A_NAME = 'a collection name is a string';

/** `{operations: [{upsert | patch | delete | create_collection | delete_collection | put_alias | delete_alias: {…}}]}` */
export function readBatchBody(reader: BodyReader, rules: WriteRules): (Operation | UncheckedCreate)[] {
  const batch = new BatchRead(reader, rules);
  readFields(
    reader,
    '',
    { operations: () => readList(reader, 'operations', rules.pointsPerRequestMax, (place) => batch.read(place.index)) },
    ['operations'],
  );
  return batch.operations;
}

/** One batch while it is read. Its own operations change what later ones are held against. */
class BatchRead {
  readonly operations: (Operation | UncheckedCreate)[] = [];
  readonly #reader: BodyReader;
  readonly #rules: WriteRules;
  readonly #vectors: Map<string, VectorRule>;
  #pointsLeft: number;

  constructor(reader: BodyReader, rules: WriteRules) {
    this.#reader = reader;
    this.#rules = rules;
    this.#vectors = new Map(Object.entries(rules.vectors));
    this.#pointsLeft = rules.pointsPerRequestMax;
  }

  read(index: number): void {
    const path = `operations[${index}]`;
    const reader = this.#reader;
    const before = this.operations.length;
    const one = (kind: Kind) => (): void => {
      if (this.operations.length > before) throw invalidRequest(path, 'an operation has exactly one kind');
      this.#readKind(kind, `${path}.${kind}`);
    };
    readFields(reader, path, {
      upsert: one('upsert'),
      patch: one('patch'),
      delete: one('delete'),
      create_collection: one('create_collection'),
      delete_collection: one('delete_collection'),
      put_alias: one('put_alias'),
      delete_alias: one('delete_alias'),
    });
    if (this.operations.length === before) throw invalidRequest(path, `an operation is one of ${KINDS.join(', ')}`);
  }

  #readKind(kind: Kind, path: string): void {
    switch (kind) {
      case 'create_collection':
        return this.#create(path);
      case 'delete_collection': {
        const collection = this.#collectionOnly(path);
        this.#vectors.set(collection, UNKNOWN_VECTORS);
        this.operations.push({ kind: 'delete_collection', collection });
        return;
      }
      case 'put_alias':
      case 'delete_alias':
        return this.#alias(kind, path);
      default:
        return this.#points(kind, path);
    }
  }

  #points(kind: 'upsert' | 'patch' | 'delete', path: string): void {
    const reader = this.#reader;
    // The collection may stand behind the points; then its dimension is checked by the writer, which knows it.
    let collection: string | undefined;
    const ids: PointId[] = [];
    let rows: PointRows | PatchRows | null = null;
    const readCollection = (): void => {
      collection = readName(reader, `${path}.collection`);
    };
    if (kind === 'delete') {
      const seen = new Set<PointId>();
      const readIds = (): void =>
        this.#readPoints(`${path}.ids`, (place) => {
          const id = readId(reader, place, '');
          if (seen.has(id))
            throw invalidRequest(`${place.list}[${place.index}]`, `the id ${JSON.stringify(id)} stands twice in one operation`);
          seen.add(id);
          ids.push(id);
        });
      const refuseFilter = (): void => {
        throw notAvailable(`${path}.filter`, 'delete by filter inside a batch');
      };
      readFields(reader, path, { collection: readCollection, ids: readIds, filter: refuseFilter }, ['collection', 'ids']);
      this.operations.push({ kind, collection: collection ?? '', ids });
      this.#pointsLeft -= ids.length;
      return;
    }
    const readPoints = (): void => {
      const rule = (collection === undefined ? undefined : this.#vectors.get(collection)) ?? UNKNOWN_VECTORS;
      const rowRules = { ...rule, payloadBytesMax: this.#rules.payloadBytesMax };
      const fresh = kind === 'upsert' ? new PointRows(rowRules) : new PatchRows(rowRules);
      rows = fresh;
      this.#readPoints(`${path}.points`, (place) => fresh.read(reader, place));
    };
    readFields(reader, path, { collection: readCollection, points: readPoints }, ['collection', 'points']);
    const read = rows as PointRows | PatchRows | null;
    const name = collection ?? '';
    const known = this.#vectors.get(name);
    if (read instanceof PointRows && read.firstWithout >= 0 && known !== undefined && known.named === undefined)
      throw invalidRequest(`${path}.points[${read.firstWithout}].vector`, 'missing');
    if (read instanceof PointRows) this.operations.push({ kind: 'upsert', collection: name, points: read.finish() });
    else if (read !== null) this.operations.push({ kind: 'patch', collection: name, patches: read.finish() });
    this.#pointsLeft -= read?.count ?? 0;
  }

  /** Operations share the bound on points of one request. */
  #readPoints(list: string, row: (place: Place) => void): void {
    readList(this.#reader, list, this.#pointsLeft, row, this.#rules.pointsPerRequestMax);
  }

  #create(path: string): void {
    const value = this.#reader.value();
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidRequest(path, 'must be an object');
    const { collection: name, ...spec } = value as Readonly<Record<string, JsonValue>>;
    if (typeof name !== 'string') throw invalidRequest(`${path}.collection`, name === undefined ? 'missing' : NOT_A_NAME);
    const collection = checkCollectionName(name);
    this.#vectors.set(collection, ruleIn(spec));
    this.operations.push({ kind: 'unchecked_create', collection, spec, path });
  }

  #alias(kind: 'put_alias' | 'delete_alias', path: string): void {
    let alias = '';
    let collection = '';
    const readAlias = (): void => {
      alias = readName(this.#reader, `${path}.alias`);
    };
    const readCollection = (): void => {
      collection = readName(this.#reader, `${path}.collection`);
    };
    if (kind === 'delete_alias') {
      readFields(this.#reader, path, { alias: readAlias }, ['alias']);
      this.#vectors.set(alias, UNKNOWN_VECTORS);
      this.operations.push({ kind, alias });
      return;
    }
    readFields(this.#reader, path, { alias: readAlias, collection: readCollection }, ['alias', 'collection']);
    this.#vectors.set(alias, this.#vectors.get(collection) ?? UNKNOWN_VECTORS);
    this.operations.push({ kind, alias, collection });
  }

  #collectionOnly(path: string): string {
    let collection = '';
    const readCollection = (): void => {
      collection = readName(this.#reader, `${path}.collection`);
    };
    readFields(this.#reader, path, { collection: readCollection }, ['collection']);
    return collection;
  }
}

/** What is known of a collection that the batch itself makes; its spec was not checked yet. */
function ruleIn(spec: Readonly<Record<string, JsonValue>>): VectorRule {
  const dimension = typeof spec['dimension'] === 'number' ? spec['dimension'] : null;
  const distance = DISTANCES.find((one) => one === spec['distance']) ?? null;
  const isPlain = !Object.hasOwn(spec, 'vectors') && !Object.hasOwn(spec, 'sparse_vectors') && dimension !== null;
  // The writer, which is told of all of it, checks what has names.
  return isPlain ? { dimension, distance } : { dimension, distance, named: { hasDefault: null, vectors: null } };
}

const KINDS = ['upsert', 'patch', 'delete', 'create_collection', 'delete_collection', 'put_alias', 'delete_alias'] as const;
type Kind = (typeof KINDS)[number];

function readName(reader: BodyReader, path: string): string {
  if (reader.kind() !== 'string') throw invalidRequest(path, NOT_A_NAME);
  return checkCollectionName(reader.string());
}

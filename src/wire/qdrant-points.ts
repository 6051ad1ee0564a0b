/** Bodies of the Qdrant dialect that carry points: an upsert in both of its forms, new vectors of points, and rows of such operations.
 *  Pure; also in the body thread. Must not know: what a collection holds, but the dimension that is handed in. */

import { invalidRequest } from '../model/errors.js';
import {
  DEFAULT_VECTOR,
  type DenseVector,
  type JsonValue,
  type PointBlock,
  type PointId,
  type PointPatch,
  type SparseVector,
} from '../model/point.js';
import type { BodyReader } from './body-reader.js';
import { readFields, readList } from './fields.js';
import { join, pathOf } from './place.js';
import { DialectRows, type RowVectors, readDialectId, readVector } from './qdrant-rows.js';

export interface DialectRules {
  readonly pointsPerRequestMax: number;
  readonly payloadBytesMax: number;
  readonly operationsMax: number;
  /** Of the collection's default vector; null: it has none. */
  readonly dimension: number | null;
}

/** What stands beside the points. */
export type RestFields = Readonly<Record<string, JsonValue>>;

export interface DialectUpsert {
  readonly points: PointBlock;
  readonly rest: RestFields;
}

export interface DialectVectors {
  readonly patches: readonly PointPatch[];
  readonly rest: RestFields;
}

/** One of a row of operations, and where it stands. */
export type DialectOperation =
  | ({ readonly kind: 'upsert'; readonly path: string } & DialectUpsert)
  | ({ readonly kind: 'update_vectors'; readonly path: string } & DialectVectors)
  | { readonly kind: PlainOperation; readonly path: string; readonly body: JsonValue };

const PLAIN_OPERATIONS = [
  'delete',
  'set_payload',
  'overwrite_payload',
  'delete_payload',
  'clear_payload',
  'delete_vectors',
] as const;
type PlainOperation = (typeof PLAIN_OPERATIONS)[number];

/** `{points: […]}` or `{batch: {ids, vectors, payloads?}}` @throws as DialectRows.read · DimensionMismatch */
export function readDialectUpsert(reader: BodyReader, path: string, rules: DialectRules): DialectUpsert {
  const rows = new DialectRows({ payloadBytesMax: rules.payloadBytesMax, vectorsOnly: false });
  const rest: Record<string, JsonValue> = {};
  const forms: string[] = [];
  readFields(reader, path, {
    points: () => {
      if (readNull(reader)) return;
      forms.push('points');
      readRows(reader, join(path, 'points'), rows, rules);
    },
    batch: () => {
      if (readNull(reader)) return;
      forms.push('batch');
      readColumns(reader, join(path, 'batch'), rows, rules);
    },
    ...restFields(reader, rest, ['shard_key', 'update_filter', 'update_mode']),
  });
  if (forms.length !== 1) throw invalidRequest(path, 'exactly one of points and batch is needed');
  return { points: rows.block(rules.dimension), rest };
}

/** `{points: [{id, vector}, …]}` @throws as DialectRows.read */
export function readDialectVectors(reader: BodyReader, path: string, rules: DialectRules): DialectVectors {
  const rows = new DialectRows({ payloadBytesMax: rules.payloadBytesMax, vectorsOnly: true });
  const rest: Record<string, JsonValue> = {};
  readFields(
    reader,
    path,
    {
      points: () => readRows(reader, join(path, 'points'), rows, rules),
      ...restFields(reader, rest, ['shard_key', 'update_filter']),
    },
    ['points'],
  );
  return { patches: rows.patches(), rest };
}

/** `{operations: [{upsert: …}, …]}` @throws as the readers above */
export function readDialectBatch(reader: BodyReader, rules: DialectRules): readonly DialectOperation[] {
  const operations: DialectOperation[] = [];
  const read = (place: { list: string; index: number }): void => {
    operations.push(readOperation(reader, pathOf(place, ''), rules));
  };
  readFields(reader, '', { operations: () => readList(reader, 'operations', rules.operationsMax, read) }, ['operations']);
  return operations;
}

function readOperation(reader: BodyReader, path: string, rules: DialectRules): DialectOperation {
  const found: DialectOperation[] = [];
  const take = <Kind extends PlainOperation>(kind: Kind): [Kind, () => void] => [
    kind,
    () => found.push({ kind, path: join(path, kind), body: reader.value() }),
  ];
  readFields(reader, path, {
    upsert: () => {
      const inside = join(path, 'upsert');
      found.push({ kind: 'upsert', path: inside, ...readDialectUpsert(reader, inside, rules) });
    },
    update_vectors: () => {
      const inside = join(path, 'update_vectors');
      found.push({ kind: 'update_vectors', path: inside, ...readDialectVectors(reader, inside, rules) });
    },
    ...Object.fromEntries(PLAIN_OPERATIONS.map(take)),
  });
  const [operation, ...others] = found;
  if (operation === undefined || others.length > 0) throw invalidRequest(path, 'must be one operation, such as {"upsert": …}');
  return operation;
}

function restFields(
  reader: BodyReader,
  rest: Record<string, JsonValue>,
  names: readonly string[],
): Readonly<Record<string, () => void>> {
  const read = (name: string) => (): void => {
    const value = reader.value();
    if (value !== null) rest[name] = value;
  };
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

function readNull(reader: BodyReader): boolean {
  if (reader.kind() !== 'null') return false;
  reader.value();
  return true;
}

function readRows(reader: BodyReader, path: string, rows: DialectRows, { pointsPerRequestMax: max }: DialectRules): void {
  readList(reader, path, max, (place) => rows.read(reader, pathOf(place, '')));
}

/** `{ids, vectors, payloads?}` in any order; vectors as a list, or as lists by name. */
function readColumns(reader: BodyReader, path: string, rows: DialectRows, { pointsPerRequestMax: max }: DialectRules): void {
  const ids: PointId[] = [];
  const payloads: { payloadStart: number; payloadEnd: number }[] = [];
  let columns: VectorColumns = { list: [], byName: null };
  readFields(
    reader,
    path,
    {
      ids: () => readList(reader, join(path, 'ids'), max, (place) => ids.push(readDialectId(reader, pathOf(place, '')))),
      vectors: () => {
        columns = readVectorColumns(reader, join(path, 'vectors'), rows, max);
      },
      payloads: () => {
        if (readNull(reader)) return;
        readList(reader, join(path, 'payloads'), max, (place) => {
          const { payloadStart } = rows.ends;
          rows.readPayload(reader, pathOf(place, ''));
          payloads.push({ payloadStart, payloadEnd: rows.ends.payloadStart });
        });
      },
    },
    ['ids', 'vectors'],
  );
  const isShort = (list: readonly unknown[]): boolean => list.length !== ids.length;
  for (const [name, list] of [['vectors', columns.list], ...(columns.byName ?? [])] as const)
    if (isShort(list) && (columns.byName === null || name !== 'vectors')) throw otherCount(path, name, list, ids);
  if (payloads.length > 0 && isShort(payloads)) throw otherCount(path, 'payloads', payloads, ids);
  for (const [i, id] of ids.entries())
    rows.keep(id, { ...rowOf(columns, i), ...(payloads[i] ?? { payloadStart: 0, payloadEnd: 0 }) });
}

type DefaultVector = Pick<RowVectors, 'vectorStart' | 'components'>;

/** Either whole rows, or what stands under each name. */
interface VectorColumns {
  readonly list: readonly RowVectors[];
  readonly byName: ReadonlyMap<string, readonly (DefaultVector | DenseVector | SparseVector)[]> | null;
}

function readVectorColumns(reader: BodyReader, path: string, rows: DialectRows, max: number): VectorColumns {
  if (reader.kind() !== 'object') {
    const list: RowVectors[] = [];
    readList(reader, path, max, (place) => list.push(rows.readVectors(reader, pathOf(place, ''))));
    return { list, byName: null };
  }
  const byName = new Map<string, (DefaultVector | DenseVector | SparseVector)[]>();
  reader.enterObject();
  for (let name = reader.key(); name !== null; name = reader.key()) {
    const column: (DefaultVector | DenseVector | SparseVector)[] = [];
    const isDefault = name === DEFAULT_VECTOR;
    readList(reader, join(path, name), max, (place) => {
      const inside = pathOf(place, '');
      column.push(isDefault ? rows.readDefault(reader, inside) : readVector(reader, inside));
    });
    byName.set(name, column);
  }
  return { list: [], byName };
}

function rowOf({ list, byName }: VectorColumns, i: number): RowVectors {
  if (byName === null) return list[i] ?? { vectorStart: 0, components: 0, named: null };
  const named = new Map<string, DenseVector | SparseVector>();
  let own: DefaultVector = { vectorStart: 0, components: 0 };
  for (const [name, column] of byName) {
    const vector = column[i];
    if (vector === undefined) continue;
    if ('kind' in vector) named.set(name, vector);
    else own = vector;
  }
  return { ...own, named: named.size === 0 ? null : named };
}

function otherCount(path: string, name: string, list: readonly unknown[], ids: readonly PointId[]): Error {
  return invalidRequest(join(path, name), `has ${list.length} entries, and there are ${ids.length} ids`);
}

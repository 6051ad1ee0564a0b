/** A table of PostgreSQL with pgvector as an origin: rows in the order of their ids, page by page, all in one transaction that sees one state.
 *
 *    id column ─► id     vector column ─► vector     every other column ─► payload, as PostgreSQL itself writes it in JSON (null: left out)
 *
 *  An interrupted import goes on behind the last id, in a new transaction, and so in a newer state. Must not know: how the database is reached. */

import type { Payload, PointId } from '../../../model/point.js';
import type { Origin, OriginPlace, OriginSettings } from '../origin.js';
import { idOf, type PointFields, RecordProblem, vectorBytes, vectorOf, vectorsOf } from '../point-fields.js';
import { FileProblem, type ImportRecord, POINT_OVERHEAD_BYTES, type RecordSource } from '../record.js';
import { roundedIntegers, roundedNumberIn } from './exact-numbers.js';
import { isObject } from './json-shape.js';
import { describeTable, type Query, type TableNames, type VectorTable } from './pgvector-table.js';

export interface PgvectorOptions extends TableNames {
  readonly query: Query;
  /** Without a password; for the note. */
  readonly source: string;
  readonly notePath: string;
  readonly pagePoints: number;
  close(): Promise<void>;
}

type Row = Readonly<Record<string, string | null>>;

/** @throws FileProblem when the table cannot be imported */
export async function pgvectorOrigin(options: PgvectorOptions): Promise<Origin> {
  const { query, source, table: tableName, notePath } = options;
  await query('begin isolation level repeatable read read only');
  await query("set local time zone 'UTC'");
  const table = await describeTable(query, options);
  const { idColumn, vectorColumn } = table;
  return {
    name: `table ${tableName}`,
    notePath,
    identity: { origin: 'pgvector', source, source_table: tableName, id_column: idColumn, vector_column: vectorColumn },
    settings: settingsOf(table),
    losses: lossesOf(table, tableName),
    open: (place) => Promise.resolve(rows(options, table, place)),
    close: () => options.close(),
  };
}

/** Sparse vectors have the name of their column: there are none without a name. */
function settingsOf({ vectorKind, vectorColumn, distance, dimension }: VectorTable): OriginSettings {
  if (vectorKind === 'sparse') return { vectors: {}, sparseVectors: { [vectorColumn]: {} }, distanceKnown: true };
  return { distance: distance ?? 'cosine', distanceKnown: distance !== null, ...(dimension === null ? {} : { dimension }) };
}

function lossesOf({ vectorKind, distance }: VectorTable, tableName: string): string[] {
  if (vectorKind === 'sparse') return distance === 'dot' ? [] : ['sparse vectors are compared by their dot product here'];
  return distance === null ? [`no index of table ${tableName} tells the distance of its vectors`] : [];
}

function rows({ query, pagePoints }: PgvectorOptions, table: VectorTable, place: OriginPlace): RecordSource {
  const total = Math.max(1, table.rowsAbout);
  let read = place.next;
  return {
    placeWord: 'row',
    readShare: () => Math.min(1, read / total),
    async *records() {
      let index = place.key === undefined ? 0 : place.next;
      read = index;
      for (let key = place.key === undefined ? null : String(place.key); ; ) {
        const names = [table.idColumn, table.vectorColumn];
        const page = await query(pageSql(table, key !== null, pagePoints), key === null ? names : [...names, key]);
        const group = page.map((row, i) => recordOf(row, index + i, table)).filter(({ index: at }) => at >= place.next);
        if (group.length > 0) yield group;
        index += page.length;
        read = index;
        key = page.at(-1)?.['point_key'] ?? null;
        if (key === null || page.length < pagePoints) return;
      }
    },
  };
}

/** The aliases are no names of columns: in ORDER BY, an alias stands over the column that it hides. Without `.*`, `t` would be a column of that name. */
function pageSql({ sqlName, idSql, idType, vectorSql }: VectorTable, behind: boolean, limit: number): string {
  return `select t.${idSql}::text as point_key, t.${vectorSql}::text as point_vector, (to_jsonb(t.*) - $1::text - $2::text)::text as point_fields
    from ${sqlName} t ${behind ? `where t.${idSql} > $3::${idType}` : ''} order by t.${idSql} limit ${limit}`;
}

function recordOf(
  { point_key: id, point_vector: vector, point_fields: fields }: Row,
  index: number,
  table: VectorTable,
): ImportRecord {
  const key = String(id);
  const where = { index, place: index + 1, key };
  try {
    const payload = payloadOf(String(fields));
    const point = { id: idFrom(key, table), ...vectorsFrom(vector ?? null, table), payload };
    return { kind: 'point', ...where, ...point, bytes: vectorBytes(point) + String(fields).length + POINT_OVERHEAD_BYTES };
  } catch (error) {
    if (!(error instanceof RecordProblem)) throw error;
    return { kind: 'refused', ...where, problem: `(id ${key}) ${error.message}` };
  }
}

/** @throws RecordProblem */
function idFrom(text: string, { idKind }: VectorTable): PointId {
  if (idKind === 'text') return idOf(text, 'id');
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RecordProblem('has an id beyond 2^53-1, which ids here cannot be');
  return idOf(value, 'id');
}

/** `[1,2,3]` of pgvector, `{1,2,3}` of an array, `{1:0.5,3:2}/5` of a sparse vector, whose indices count from 1. @throws RecordProblem */
function vectorsFrom(text: string | null, { vectorColumn, vectorKind }: VectorTable): Pick<PointFields, 'vector' | 'vectors'> {
  if (text === null) throw new RecordProblem(`has no ${vectorColumn}`);
  const [open, end] = vectorKind === 'vector' ? ['[', ']'] : ['{', '}'];
  const list = vectorKind === 'sparse' ? text.replace(/\/\d+$/, '') : text;
  if (!list.startsWith(open) || !list.endsWith(end)) throw new RecordProblem(`${vectorColumn} is not a list of numbers`);
  const parts = list.length === 2 ? [] : list.slice(1, -1).split(',');
  if (vectorKind !== 'sparse') return { vector: vectorOf(parts.map(componentOf), vectorColumn) };
  const pairs = parts.map((part) => part.split(':'));
  const sparse = {
    indices: pairs.map(([index]) => Number(index) - 1),
    values: pairs.map(([, value = '']) => componentOf(value)),
  };
  return { vectors: vectorsOf({ [vectorColumn]: sparse }) };
}

/** A word that is no number (NULL) stays one, and is refused by its place. */
function componentOf(text: string): unknown {
  const word = text.trim();
  return /^-?[\d.]/.test(word) || word === 'NaN' || /^-?Infinity$/.test(word) ? Number(word) : word;
}

/** @throws RecordProblem */
function payloadOf(text: string): Payload {
  const fields: unknown = JSON.parse(text);
  if (!isObject(fields)) throw new FileProblem('a row is no object');
  const payload = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Payload;
  const lost = roundedNumberIn(payload, roundedIntegers(text));
  if (lost !== null) throw new RecordProblem(`has an integer near ${lost}, beyond ±2^53, which JSON numbers cannot hold`);
  return payload;
}

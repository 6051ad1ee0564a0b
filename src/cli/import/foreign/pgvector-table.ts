/** A table with a vector column, as PostgreSQL's catalog describes it: which column is the id, which the vector, and how it is indexed.
 *  The queries are constant; names from outside travel as parameters, and stand in SQL only as the catalog spells them, in quotes. */

import type { Distance } from '../../../sdk/index.js';
import { FileProblem } from '../record.js';

/** Asks the database; rows are objects of texts and nulls. */
export type Query = (sql: string, parameters?: readonly unknown[]) => Promise<readonly Readonly<Record<string, string | null>>[]>;

export interface VectorTable {
  /** Quoted, schema first. */
  readonly sqlName: string;
  readonly idSql: string;
  readonly idColumn: string;
  readonly idKind: 'integer' | 'text';
  /** The type to which a key is cast when reading goes on behind it. */
  readonly idType: string;
  readonly vectorSql: string;
  readonly vectorColumn: string;
  readonly vectorKind: 'vector' | 'array' | 'sparse';
  /** null: the column takes any. */
  readonly dimension: number | null;
  /** That of its index; null: it has none that tells. */
  readonly distance: Distance | null;
  /** About how many rows it has. */
  readonly rowsAbout: number;
}

const RELATION = `select c.oid::text as oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
  greatest(c.reltuples, 0)::bigint::text as rows
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass($1)`;
const COLUMNS = `select attname as name, quote_ident(attname) as sql, format_type(atttypid, atttypmod) as type
  from pg_attribute where attrelid = $1::oid and attnum > 0 and not attisdropped order by attnum`;
const UNIQUE = `select a.attname as name from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  where i.indrelid = $1::oid and i.indisunique and i.indnkeyatts = 1 and i.indpred is null and a.attnotnull`;
const OPERATORS = `select a.attname as name, o.opcname as operators from pg_index i
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0] join pg_opclass o on o.oid = i.indclass[0]
  where i.indrelid = $1::oid`;

const DISTANCE_WORDS: readonly (readonly [RegExp, Distance])[] = [
  [/_cosine_ops$/, 'cosine'],
  [/_ip_ops$/, 'dot'],
  [/_l2_ops$/, 'euclid'],
];

export interface TableNames {
  /** As SQL has it: `items`, `public.items`, `"Odd name"`. */
  readonly table: string;
  readonly idColumn: string;
  readonly vectorColumn: string;
}

/** @throws FileProblem saying what the table lacks */
export async function describeTable(query: Query, { table, idColumn, vectorColumn }: TableNames): Promise<VectorTable> {
  const relation = (await query(RELATION, [table]))[0];
  const oid = relation?.['oid'];
  if (relation === undefined || typeof oid !== 'string')
    throw new FileProblem(`there is no table ${table}; its schema may have to stand before it (--table schema.name)`);
  const columns = await query(COLUMNS, [oid]);
  const column = (name: string, flag: string): { sql: string; type: string } => {
    const found = columns.find((one) => one['name'] === name);
    if (found !== undefined) return { sql: String(found['sql']), type: String(found['type']) };
    throw new FileProblem(
      `table ${table} has no column ${name}: it has ${columns.map((one) => one['name']).join(', ')} (${flag})`,
    );
  };
  const id = column(idColumn, '--id-column');
  const vector = column(vectorColumn, '--vector-column');
  if (!(await query(UNIQUE, [oid])).some(({ name }) => name === idColumn))
    throw new FileProblem(
      `column ${idColumn} of ${table} is not unique by an index of its own, and not null: rows are read in its order (--id-column)`,
    );
  const operators = (await query(OPERATORS, [oid]))
    .filter(({ name }) => name === vectorColumn)
    .map((one) => String(one['operators']));
  return {
    sqlName: String(relation['name']),
    ...{ idSql: id.sql, idColumn, idKind: idKindOf(id.type, idColumn), idType: id.type },
    ...{ vectorSql: vector.sql, vectorColumn, ...vectorKindOf(vector.type, vectorColumn) },
    distance: distanceOf(operators),
    rowsAbout: Number(relation['rows'] ?? 0),
  };
}

/** @throws FileProblem */
function idKindOf(type: string, name: string): VectorTable['idKind'] {
  if (/^(?:smallint|integer|bigint)$/.test(type)) return 'integer';
  if (/^(?:text|uuid|character varying(?:\(\d+\))?)$/.test(type)) return 'text';
  throw new FileProblem(`column ${name} is ${type}: ids are integers, texts or UUIDs (--id-column)`);
}

/** @throws FileProblem */
function vectorKindOf(type: string, name: string): Pick<VectorTable, 'vectorKind' | 'dimension'> {
  const dimension = /\((\d+)\)$/.exec(type)?.[1];
  if (/^(?:[\w"]+\.)?(?:vector|halfvec)(?:\(\d+\))?$/.test(type))
    return { vectorKind: 'vector', dimension: dimension === undefined ? null : Number(dimension) };
  if (/^(?:[\w"]+\.)?sparsevec(?:\(\d+\))?$/.test(type)) return { vectorKind: 'sparse', dimension: null };
  if (/^(?:real|double precision)\[\]$/.test(type)) return { vectorKind: 'array', dimension: null };
  throw new FileProblem(
    `column ${name} is ${type}: vectors are vector, halfvec, sparsevec, real[] or double precision[] (--vector-column)`,
  );
}

function distanceOf(operators: readonly string[]): Distance | null {
  for (const [words, distance] of DISTANCE_WORDS) if (operators.some((name) => words.test(name))) return distance;
  return null;
}

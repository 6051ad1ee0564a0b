/** Parquet: row groups are read one by one. The vector column is a list of floats or doubles.
 *
 *    id       the id column (integers, text); without it, the row's number (from 0) plus the offset
 *    others   payload: times as ISO 8601, nested values as they are; a missing cell (null, NaN) is left out
 *
 *  Memory: one row group, decoded; a group whose vectors are larger than 512 MiB is refused with what to do.
 *  Compression: none, snappy, gzip, brotli, and zstd where this Node has it. */

import { isUtf8 } from 'node:buffer';
import * as zlib from 'node:zlib';
import { asyncBufferFromFile, type Compressors, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { messageOf } from '../../../model/errors.js';
import type { Payload } from '../../../model/point.js';
import { mustBeExact } from '../exact-payload.js';
import { pointFromFields, RecordProblem, vectorBytes } from '../point-fields.js';
import { FileProblem, type ImportRecord, POINT_OVERHEAD_BYTES, type RecordSource, type SourceOptions } from '../record.js';

const GROUP_VECTOR_BYTES_MAX = 512 * 1024 * 1024;
const RECORDS_PER_GROUP = 1_000;

export async function parquetSource(options: SourceOptions): Promise<RecordSource> {
  const file = await asyncBufferFromFile(options.path);
  if (file.byteLength === 0) throw new FileProblem('the file is empty; Parquet was expected');
  const metadata = await readable('its footer', () => parquetMetadataAsync(file));
  const hasIds = checkColumns(metadata, options);
  const rowsTotal = Number(metadata.num_rows);
  let rowsRead = 0;
  return {
    placeWord: 'row',
    readShare: () => (rowsTotal === 0 ? 1 : rowsRead / rowsTotal),
    async *records() {
      let groupStart = 0;
      for (const [number, group] of metadata.row_groups.entries()) {
        const groupEnd = groupStart + Number(group.num_rows);
        const rowStart = Math.max(groupStart, options.fromIndex);
        groupStart = groupEnd;
        rowsRead = groupEnd;
        if (rowStart >= groupEnd) continue;
        checkSize(group, number, options);
        const read = { file, metadata, rowStart, rowEnd: groupEnd, compressors: COMPRESSORS, parsers: PARSERS, utf8: false };
        const rows = await readable(`row group ${number} (rows ${rowStart} to ${groupEnd - 1})`, () => parquetReadObjects(read));
        for (let at = 0; at < rows.length; at += RECORDS_PER_GROUP) {
          const part = rows.slice(at, at + RECORDS_PER_GROUP);
          rowsRead = rowStart + at + part.length;
          yield part.map((row, i) => recordOf(row, rowStart + at + i, hasIds, options));
        }
      }
    },
  };
}

function recordOf(row: Readonly<Record<string, unknown>>, index: number, hasIds: boolean, options: SourceOptions): ImportRecord {
  const where = { index, place: index };
  try {
    const fields: Record<string, unknown> = {};
    for (const [name, cell] of Object.entries(row)) {
      // The vector is checked component by component later; all else becomes plain JSON here.
      const value = name === options.vectorColumn ? cell : name === 'vectors' ? namedCell(cell) : plainCell(cell, name);
      if (value !== null && value !== undefined) Object.defineProperty(fields, name, { value, enumerable: true });
    }
    const point = pointFromFields(fields, options, hasIds ? null : index + options.idOffset);
    return { kind: 'point', ...where, ...point, bytes: vectorBytes(point) + payloadBytes(fields) + POINT_OVERHEAD_BYTES };
  } catch (error) {
    if (error instanceof RecordProblem) return { kind: 'refused', ...where, problem: error.message };
    throw error;
  }
}

/** Vectors under names, as `skein export` writes them: JSON text, which keeps every bit. */
function namedCell(cell: unknown): unknown {
  if (typeof cell !== 'string' || !cell.startsWith('{')) return plainCell(cell, 'vectors');
  try {
    return JSON.parse(cell);
  } catch {
    return cell;
  }
}

/** @returns null for a missing cell */
function plainCell(cell: unknown, name: string): unknown {
  if (cell === null || cell === undefined) return null;
  if (cell instanceof RecordProblem) throw cell;
  if (typeof cell === 'bigint') {
    const value = Number(cell);
    if (!Number.isSafeInteger(value))
      throw new RecordProblem(`column ${name}: ${cell} is beyond ±2^53, which JSON numbers cannot hold`);
    return value;
  }
  if (typeof cell === 'number') return Number.isFinite(cell) ? cell : null;
  if (cell instanceof Date) return cell.toISOString();
  if (cell instanceof Uint8Array) {
    // Some writers leave text unmarked, so that it arrives as bytes.
    if (!isUtf8(cell)) throw new RecordProblem(`column ${name} holds bytes, which a payload cannot`);
    return Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString('utf8');
  }
  if (ArrayBuffer.isView(cell)) return Array.from(cell as unknown as ArrayLike<unknown>, (value) => plainCell(value, name));
  if (Array.isArray(cell)) return cell.map((value) => plainCell(value, name));
  if (typeof cell === 'object')
    return Object.fromEntries(Object.entries(cell).map(([key, value]) => [key, plainCell(value, name)]));
  return cell;
}

/** @returns whether there is an id column */
function checkColumns(metadata: FileMetaData, { idColumn, vectorColumn }: SourceOptions): boolean {
  const names = columnNames(metadata);
  if (!names.includes(vectorColumn))
    throw new FileProblem(`it has no column ${JSON.stringify(vectorColumn)}; its columns are ${names.join(', ')}`);
  const hasIds = names.includes(idColumn);
  if (!hasIds && idColumn !== 'id')
    throw new FileProblem(`it has no column ${JSON.stringify(idColumn)}; its columns are ${names.join(', ')}`);
  return hasIds;
}

/** The schema is a tree written in depth-first order; the top-level names are the children of its root. */
function columnNames({ schema }: FileMetaData): string[] {
  const names: string[] = [];
  let at = 1;
  const skip = (): void => {
    let children = schema[at]?.num_children ?? 0;
    at += 1;
    for (; children > 0; children--) skip();
  };
  while (at < schema.length) {
    names.push(schema[at]?.name ?? '');
    skip();
  }
  return names;
}

function checkSize(group: FileMetaData['row_groups'][0], number: number, { vectorColumn }: SourceOptions): void {
  const vectors = group.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === vectorColumn);
  const bytes = vectors.reduce((sum, { meta_data }) => sum + Number(meta_data?.total_uncompressed_size ?? 0n), 0);
  if (bytes <= GROUP_VECTOR_BYTES_MAX) return;
  const mebibytes = Math.round(bytes / 1024 / 1024);
  throw new FileProblem(
    `row group ${number} holds ${mebibytes} MiB of vectors, more than the 512 MiB that are read at once; write the file with smaller row groups (pyarrow: row_group_size=50_000)`,
  );
}

function payloadBytes(fields: Readonly<Record<string, unknown>>): number {
  let bytes = 0;
  for (const value of Object.values(fields))
    bytes += typeof value === 'string' ? value.length : typeof value === 'object' ? 64 : 8;
  return bytes;
}

async function readable<Value>(what: string, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    throw new FileProblem(`${what} cannot be read as Parquet: ${messageOf(error)}`);
  }
}

/** JSON of a column; what is wrong with it belongs to its row alone. */
function jsonCell(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    const value: unknown = JSON.parse(text);
    mustBeExact(text, { value } as Payload);
    return value;
  } catch (error) {
    return error instanceof RecordProblem ? error : new RecordProblem(`holds what is not JSON: ${messageOf(error)}`);
  }
}

const PARSERS = { jsonFromBytes: jsonCell };

/** Absent before Node 22.15. */
const zstd: unknown = Reflect.get(zlib, 'zstdDecompressSync');

const COMPRESSORS: Compressors = {
  GZIP: (input) => zlib.gunzipSync(input),
  BROTLI: (input) => zlib.brotliDecompressSync(input),
  ...(typeof zstd === 'function' ? { ZSTD: (input: Uint8Array) => zstd(input) as Uint8Array } : {}),
};

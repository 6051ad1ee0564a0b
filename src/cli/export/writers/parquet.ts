/** Parquet: one row group after the other, so that memory holds one of them.
 *
 *    id       INT64 where all ids are integers, text where all are texts, else JSON
 *    vector   a list of FLOAT, every bit kept, not compressed (there is nothing to gain)
 *    vectors  text: JSON of the vectors under names, where the collection has any; then a vector may be missing
 *    payload  JSON, snappy
 *
 *  The kinds of ids are found out before the first row: a column has one type from its beginning. */

import { ByteWriter, ParquetWriter, type Writer } from 'hyparquet-writer';
import type { PointRecord } from '../../../sdk/index.js';
import { vectorsText } from './point-text.js';
import { ExportProblem, type ExportSubject, type IdKinds, type PointWriter } from './point-writer.js';

const GROUP_POINTS_MAX = 20_000;
/** Of vectors and payloads in one row group; what the writer makes of it on the way takes about twenty times that. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

type Schema = ConstructorParameters<typeof ParquetWriter>[0]['schema'];

export function parquetWriter(subject: ExportSubject): PointWriter {
  let mixed = false;
  async function* pieces(points: AsyncIterable<PointRecord>): AsyncGenerator<Uint8Array, void, undefined> {
    const kinds = await subject.idKinds();
    mixed = kinds.integers && kinds.texts;
    const bytes = new ByteWriter() as ByteWriter & Writer;
    const file = new ParquetWriter({ writer: bytes, schema: schemaOf(kinds, subject), createdBy: 'skein' });
    for await (const group of groupsOf(points)) {
      await file.write({ columnData: columnsOf(group, kinds, subject), rowGroupSize: group.length });
      yield taken(bytes);
    }
    await file.finish();
    yield taken(bytes);
  }
  return {
    text: false,
    pieces,
    losses: () => (mixed ? ['some ids are integers and some are texts: the column id holds them as JSON'] : []),
  };
}

async function* groupsOf(points: AsyncIterable<PointRecord>): AsyncGenerator<readonly PointRecord[], void, undefined> {
  let group: PointRecord[] = [];
  let bytes = 0;
  for await (const point of points) {
    group.push(point);
    bytes += (point.vector?.byteLength ?? 0) + JSON.stringify(point.payload ?? {}).length;
    if (group.length < GROUP_POINTS_MAX && bytes < GROUP_BYTES_MAX) continue;
    yield group;
    group = [];
    bytes = 0;
  }
  if (group.length > 0) yield group;
}

function schemaOf({ integers, texts }: IdKinds, { hasNamed }: ExportSubject): Schema {
  const id = { name: 'id', repetition_type: 'REQUIRED' } as const;
  const json = { type: 'BYTE_ARRAY', converted_type: 'JSON' } as const;
  const idType = texts
    ? integers
      ? json
      : ({ type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const)
    : ({ type: 'INT64' } as const);
  return [
    { name: 'root', num_children: hasNamed ? 4 : 3 },
    { ...id, ...idType },
    { name: 'vector', repetition_type: hasNamed ? 'OPTIONAL' : 'REQUIRED', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', type: 'FLOAT' },
    ...(hasNamed ? [{ name: 'vectors', repetition_type: 'REQUIRED', type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const] : []),
    { name: 'payload', repetition_type: 'REQUIRED', ...json },
  ];
}

function columnsOf(
  group: readonly PointRecord[],
  kinds: IdKinds,
  { hasNamed }: ExportSubject,
): Parameters<ParquetWriter['write']>[0]['columnData'] {
  const plain = { encoding: 'PLAIN', statistics: false, offsetIndex: false } as const;
  return [
    { name: 'id', data: group.map(({ id }) => idCell(id, kinds)), ...plain },
    {
      name: 'vector',
      data: group.map(({ vector }) => (vector === undefined ? null : Array.from(vector))),
      ...plain,
      codec: 'UNCOMPRESSED',
    },
    ...(hasNamed ? [{ name: 'vectors', data: group.map(({ vectors }) => vectorsText(vectors ?? {})), ...plain }] : []),
    { name: 'payload', data: group.map(({ payload }) => payload ?? {}), ...plain },
  ];
}

/** @throws ExportProblem when an id is of a kind that was not there before the first row was written */
function idCell(id: PointRecord['id'], { integers, texts }: IdKinds): bigint | string | number {
  if (integers && texts) return id;
  if (typeof id === 'string' ? !texts : texts)
    throw new ExportProblem(
      `the id ${JSON.stringify(id)} was written during the export, and its column was begun for ids of the other kind; export again`,
    );
  return typeof id === 'number' ? BigInt(id) : id;
}

/** What has been written since the last time. */
function taken(bytes: ByteWriter): Uint8Array {
  const piece = bytes.getBytes().slice();
  bytes.index = 0;
  return piece;
}

/** CSV as RFC 4180 has it: a header, then `id,vector,payload`, with `vectors` before the payload where the collection has vectors under names. All but
 *  the id are JSON in their cells, so that numbers, texts and nested values come back as what they were.
 *
 *  A cell cannot tell the integer 7 from the text "7": a collection with such a text id is refused. */

import type { PointRecord } from '../../../sdk/index.js';
import { vectorsText, vectorText } from './point-text.js';
import { ExportProblem, type ExportSubject, inPieces, type PointWriter } from './point-writer.js';

export function csvWriter({ hasNamed }: ExportSubject): PointWriter {
  return { text: true, pieces: (points) => inPieces(rows(points, hasNamed)), losses: () => [] };
}

async function* rows(points: AsyncIterable<PointRecord>, hasNamed: boolean): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(hasNamed ? 'id,vector,vectors,payload\n' : 'id,vector,payload\n');
  for await (const { id, vector, vectors, payload } of points) {
    const cells = [
      idCell(id),
      vector === undefined ? '' : vectorText(vector),
      ...(hasNamed ? [vectorsText(vectors ?? {})] : []),
      payload === undefined ? '' : JSON.stringify(payload),
    ];
    yield Buffer.from(`${cells.map(quoted).join(',')}\n`);
  }
}

/** @throws ExportProblem */
function idCell(id: PointRecord['id']): string {
  if (typeof id === 'string' && /^(?:0|[1-9]\d*)$/.test(id) && Number.isSafeInteger(Number(id)))
    throw new ExportProblem(
      `the id "${id}" is a text of digits, which csv cannot tell from the integer ${id}; export ndjson, json or parquet`,
    );
  return String(id);
}

function quoted(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

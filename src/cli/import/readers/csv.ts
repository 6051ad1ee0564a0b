/** CSV as RFC 4180 has it, with a header line; cells in quotes may hold commas, quotes and line ends.
 *
 *    vector   one column holding a JSON array, or columns v0, v1, … without a gap
 *    id       the id column; digits alone (no leading zero) are an integer, all else is text. Without that column: the row's number
 *    payload  a JSON object, as `skein export` writes it; then there are no others but vectors, an object of vectors under names
 *    others   payload: JSON numbers and true/false by their value, other text as text; an empty cell is left out
 *
 *  Memory: one piece of the file and one record, which is at most 16 MiB. */

import { createReadStream, statSync } from 'node:fs';
import { type CsvError, type Options, Parser } from 'csv-parse';
import type { Payload } from '../../../model/point.js';
import { mustBeExact } from '../exact-payload.js';
import { pointFromFields, RecordProblem, vectorBytes } from '../point-fields.js';
import {
  FileProblem,
  type ImportRecord,
  LINE_BYTES_MAX,
  POINT_OVERHEAD_BYTES,
  READ_BYTES,
  type RecordSource,
  type SourceOptions,
} from '../record.js';

const REPLACEMENT = '\ufffd';

export function csvSource(options: SourceOptions): RecordSource {
  const sizeBytes = Math.max(1, statSync(options.path).size);
  let bytesRead = 0;
  return {
    placeWord: 'line',
    readShare: () => bytesRead / sizeBytes,
    async *records() {
      bytesRead = 0;
      const rows = new CsvRows(options);
      for await (const piece of createReadStream(options.path, { highWaterMark: READ_BYTES })) {
        bytesRead += (piece as Buffer).length;
        const group = await rows.push(piece as Buffer);
        if (group.length > 0) yield group;
      }
      const group = await rows.end();
      if (group.length > 0) yield group;
    },
  };
}

interface Header {
  readonly names: readonly string[];
  /** Where the id stands; null: row numbers are ids. */
  readonly id: number | null;
  /** Where the vector stands: one cell of JSON, or a cell for each component. */
  readonly vector: number | readonly number[];
}

/** The parser with what it has found so far. It calls back while it is written to, so after a write the group is complete. */
class CsvRows {
  readonly #options: SourceOptions;
  readonly #parser: Parser;
  #header: Header | null = null;
  #group: ImportRecord[] = [];
  #index = 0;
  /** Where the last record that could be read ends. */
  #lastLine = 0;
  /** Mistakes since then. A stray quote can swallow the lines behind it, so how far each one reaches is known at the next good record. */
  #mistakes: { readonly line: number; readonly message: string }[] = [];
  /** Carriage returns inside cells so far: the parser counts CR LF in quotes as two lines. */
  #returnsBefore = 0;
  #failure: Error | null = null;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** Bytes that are not UTF-8 came by. The parser makes REPLACEMENT of them. */
  #foreignBytes = false;

  constructor(options: SourceOptions) {
    this.#options = options;
    const settings: Options = {
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      max_record_size: LINE_BYTES_MAX,
      on_record: (cells: string[], { lines }) => this.#onRow(cells, lines),
      on_skip: (error) => this.#onMistake(error),
    };
    this.#parser = new Parser(settings);
    this.#parser.on('error', () => undefined);
  }

  /** @throws FileProblem */
  async push(piece: Buffer): Promise<readonly ImportRecord[]> {
    this.#watchBytes(piece);
    await new Promise<void>((resolve) => {
      this.#parser.write(piece, (error) => {
        this.#failure ??= error ?? null;
        resolve();
      });
    });
    return this.#take();
  }

  /** @throws FileProblem */
  async end(): Promise<readonly ImportRecord[]> {
    this.#watchBytes(null);
    await new Promise<void>((resolve) => {
      this.#parser.on('close', resolve);
      this.#parser.on('end', resolve);
      this.#parser.on('error', (error) => {
        this.#failure ??= error;
        resolve();
      });
      this.#parser.resume();
      this.#parser.end();
    });
    const mistake = this.#mistakes[0];
    if (this.#header === null && mistake !== undefined)
      throw new FileProblem(`no line is a header; line ${mistake.line} breaks the rules of CSV: ${mistake.message}`);
    this.#refuseUpTo(this.#parser.info.lines - this.#returnsBefore - 1);
    const group = this.#take();
    if (this.#header === null) throw new FileProblem('the file is empty; a header line was expected');
    return group;
  }

  /** @param piece null: the end of the file */
  #watchBytes(piece: Buffer | null): void {
    if (this.#foreignBytes) return;
    try {
      this.#decoder.decode(piece ?? undefined, { stream: piece !== null });
    } catch {
      this.#foreignBytes = true;
    }
  }

  #take(): readonly ImportRecord[] {
    const group = this.#group;
    this.#group = [];
    if (this.#failure instanceof FileProblem) throw this.#failure;
    if (this.#failure !== null) throw new FileProblem(`it cannot be read as CSV: ${this.#failure.message}`);
    return group;
  }

  /** Gives nothing back, so that the parser keeps no rows of its own. */
  #onRow(cells: readonly string[], lines: number): null {
    const ends = lineEndsIn(cells);
    const lastLine = lines - this.#returnsBefore - ends.returns;
    const place = lastLine - ends.feeds;
    this.#returnsBefore += ends.returns;
    this.#refuseUpTo(place - 1);
    this.#lastLine = lastLine;
    if (this.#header === null) {
      if (this.#isForeign(cells)) throw new FileProblem('its header is not UTF-8; save it as UTF-8');
      this.#header = headerOf(cells, this.#options);
      return null;
    }
    const index = this.#index++;
    if (index >= this.#options.fromIndex) this.#group.push(this.#record(this.#header, cells, { index, place }));
    return null;
  }

  #onMistake(error: CsvError | undefined): undefined {
    const lines = error !== undefined && typeof error['lines'] === 'number' ? error['lines'] : 0;
    const line = this.#mistakes.length === 0 ? this.#lastLine + 1 : lines - this.#returnsBefore;
    const message = error?.message.split(' at line ')[0] ?? 'unknown mistake';
    if (line > (this.#mistakes.at(-1)?.line ?? 0)) this.#mistakes.push({ line, message });
    return undefined;
  }

  /** @param lastLine the last one that belongs to the mistakes */
  #refuseUpTo(lastLine: number): void {
    for (const [i, { line, message }] of this.#mistakes.entries()) {
      const end = (this.#mistakes[i + 1]?.line ?? lastLine + 1) - 1;
      const index = this.#index++;
      const span = end > line ? `, and takes the lines up to ${end} with it` : '';
      const problem = `breaks the rules of CSV: ${message}${span}`;
      if (index >= this.#options.fromIndex) this.#group.push({ kind: 'refused', index, place: line, problem });
    }
    this.#mistakes = [];
  }

  #isForeign(cells: readonly string[]): boolean {
    return this.#foreignBytes && cells.some((cell) => cell.includes(REPLACEMENT));
  }

  #record(header: Header, cells: readonly string[], where: { index: number; place: number }): ImportRecord {
    try {
      if (cells.length !== header.names.length) {
        throw new RecordProblem(`has ${cells.length} cells; the header has ${header.names.length}`);
      }
      if (this.#isForeign(cells)) throw new RecordProblem('is not UTF-8');
      const rowId = header.id === null ? where.index + this.#options.idOffset : null;
      const point = pointFromFields(fieldsOf(header, cells, this.#options), this.#options, rowId);
      const bytes = vectorBytes(point) + cells.reduce((sum, cell) => sum + cell.length, 0) + POINT_OVERHEAD_BYTES;
      return { kind: 'point', ...where, ...point, bytes };
    } catch (error) {
      if (error instanceof RecordProblem) return { kind: 'refused', ...where, problem: error.message };
      throw error;
    }
  }
}

function headerOf(names: readonly string[], { idColumn, vectorColumn }: SourceOptions): Header {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new FileProblem(`the header has the column ${JSON.stringify(twice)} twice`);
  const id = names.includes(idColumn) ? names.indexOf(idColumn) : null;
  if (id === null && idColumn !== 'id')
    throw new FileProblem(`the header has no column ${JSON.stringify(idColumn)}: ${names.join(', ')}`);
  if (names.includes(vectorColumn)) return { names, id, vector: names.indexOf(vectorColumn) };
  const components: number[] = [];
  for (let at = names.indexOf('v0'); at >= 0; at = names.indexOf(`v${components.length}`)) components.push(at);
  const stray = names.find((name) => /^v\d+$/.test(name) && Number(name.slice(1)) >= components.length);
  if (components.length === 0 || stray !== undefined) {
    const gap =
      components.length === 0
        ? `no column ${JSON.stringify(vectorColumn)} and no columns v0, v1, …`
        : `${stray} but no v${components.length}`;
    throw new FileProblem(`the header has ${gap}: ${names.join(', ').slice(0, 500)}`);
  }
  return { names, id, vector: components };
}

function fieldsOf(
  { names, id, vector }: Header,
  cells: readonly string[],
  { idColumn, vectorColumn }: SourceOptions,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const components = typeof vector === 'number' ? null : new Set(vector);
  names.forEach((name, i) => {
    const cell = cells[i] ?? '';
    if (i === id) fields[idColumn] = idCell(cell);
    else if (i === vector) {
      if (cell !== '') fields[vectorColumn] = vectorCell(cell, vectorColumn);
    } else if (components === null || !components.has(i)) {
      if (cell !== '') Object.defineProperty(fields, name, { value: payloadCell(name, cell), enumerable: true });
    }
  });
  if (typeof vector !== 'number') fields[vectorColumn] = vector.map((at, i) => componentCell(cells[at] ?? '', i));
  return fields;
}

function idCell(cell: string): string | number {
  return /^(?:0|[1-9]\d{0,15})$/.test(cell) && Number.isSafeInteger(Number(cell)) ? Number(cell) : cell;
}

function vectorCell(cell: string, name: string): unknown {
  try {
    return JSON.parse(cell);
  } catch {
    throw new RecordProblem(`${name} is not a JSON array of numbers`);
  }
}

function payloadCell(name: string, cell: string): unknown {
  if (name === 'expires_at') return cell;
  if ((name !== 'payload' && name !== 'vectors') || !cell.startsWith('{')) return plainCell(cell);
  let value: Payload;
  try {
    value = JSON.parse(cell) as Payload;
  } catch {
    throw new RecordProblem(`${name} is not a JSON object`);
  }
  if (name === 'payload') mustBeExact(cell, value);
  return value;
}

function componentCell(cell: string, i: number): number {
  const value = cell.trim() === '' ? Number.NaN : Number(cell);
  if (Number.isNaN(value)) throw new RecordProblem(`v${i} is not a number (${JSON.stringify(cell.slice(0, 40))})`);
  return value;
}

function plainCell(cell: string): string | number | boolean {
  if (cell === 'true') return true;
  if (cell === 'false') return false;
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(cell)) return cell;
  const value = Number(cell);
  const exact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  return exact ? value : cell;
}

function lineEndsIn(cells: readonly string[]): { returns: number; feeds: number } {
  let returns = 0;
  let feeds = 0;
  for (const cell of cells) {
    if (!cell.includes('\n') && !cell.includes('\r')) continue;
    returns += cell.split('\r').length - 1;
    feeds += cell.split('\n').length - 1;
  }
  return { returns, feeds };
}

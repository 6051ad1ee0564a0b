/** Which reader reads a file: by the format that was asked for, else by the end of the file's name. */

import { accessSync, constants, statSync } from 'node:fs';
import { extname } from 'node:path';
import { messageOf } from '../../../model/errors.js';
import { FileProblem, type RecordSource, type SourceOptions } from '../record.js';
import { csvSource } from './csv.js';
import { jsonArraySource } from './json-array.js';
import { ndjsonSource } from './ndjson.js';
import { parquetSource } from './parquet.js';
import { vectorFileSource } from './vector-file.js';

export type ImportFormat = 'ndjson' | 'json' | 'fvecs' | 'bvecs' | 'csv' | 'parquet';

const FORMATS_BY_ENDING: Readonly<Record<string, ImportFormat>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'json',
  '.fvecs': 'fvecs',
  '.bvecs': 'bvecs',
  '.csv': 'csv',
  '.parquet': 'parquet',
};

/** @returns null when the name does not tell */
export function formatOf(path: string): ImportFormat | null {
  return FORMATS_BY_ENDING[extname(path).toLowerCase()] ?? null;
}

/** @throws FileProblem when the file is not there, or not what its format says at first sight */
export async function openSource(format: ImportFormat, options: SourceOptions): Promise<RecordSource> {
  try {
    accessSync(options.path, constants.R_OK);
    const stats = statSync(options.path);
    if (stats.isDirectory()) throw new Error('it is a folder');
    if (!stats.isFile()) throw new Error('it is a pipe or a device, and a file is read more than once; put it into a file first');
  } catch (error) {
    throw new FileProblem(`it cannot be read: ${messageOf(error)}`);
  }
  switch (format) {
    case 'ndjson':
      return ndjsonSource(options);
    case 'json':
      return jsonArraySource(options);
    case 'fvecs':
    case 'bvecs':
      return vectorFileSource(format, options);
    case 'csv':
      return csvSource(options);
    case 'parquet':
      return await parquetSource(options);
  }
}

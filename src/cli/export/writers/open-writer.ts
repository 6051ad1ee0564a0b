/** Which writer makes a file: by the format that was asked for, else by the end of the file's name. */

import { extname } from 'node:path';
import { UsageError } from '../../failure.js';
import { csvWriter } from './csv.js';
import { jsonArrayWriter, ndjsonWriter } from './json.js';
import type { ExportSubject, PointWriter } from './point-writer.js';
import { vectorFileWriter } from './vector-file.js';

export type ExportFormat = 'ndjson' | 'json' | 'csv' | 'fvecs' | 'parquet';

const FORMATS_BY_ENDING: Readonly<Record<string, ExportFormat>> = {
  '.json': 'json',
  '.csv': 'csv',
  '.fvecs': 'fvecs',
  '.parquet': 'parquet',
};

/** Names that say what no export is: a file would not hold what its name says. */
const OTHERS_BY_ENDING: Readonly<Record<string, string>> = {
  '.bvecs': 'bvecs files are read, not written: export fvecs',
  '.gz': 'an export is not packed: write to standard output (-) and through gzip',
};

/** ndjson where the name says nothing else. @throws UsageError */
export function exportFormatOf(path: string): ExportFormat {
  const other = OTHERS_BY_ENDING[extname(path).toLowerCase()];
  if (other !== undefined) throw new UsageError(`${other}; --format says what to write under this name all the same`);
  return FORMATS_BY_ENDING[extname(path).toLowerCase()] ?? 'ndjson';
}

export async function openWriter(format: ExportFormat, subject: ExportSubject): Promise<PointWriter> {
  switch (format) {
    case 'ndjson':
      return ndjsonWriter();
    case 'json':
      return jsonArrayWriter();
    case 'csv':
      return csvWriter(subject);
    case 'fvecs':
      return vectorFileWriter(subject);
    case 'parquet': {
      const { parquetWriter } = await import('./parquet.js');
      return parquetWriter(subject);
    }
  }
}

/** Which writer makes a file: by the format that was asked for, else by the end of the file's name. */

import { extname } from 'node:path';
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

/** ndjson where the name says nothing else. */
export function exportFormatOf(path: string): ExportFormat {
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

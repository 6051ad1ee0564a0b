/** Reads a whole file through its reader, for tests: records as small plain values, and how the reading ended. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImportFormat, openSource } from '../../../../src/cli/import/readers/open-source.js';
import { FileProblem, type ImportRecord, placeText, type SourceOptions } from '../../../../src/cli/import/record.js';

export interface Reading {
  readonly records: readonly ImportRecord[];
  /** `line 3: has no id`, for every refused record. */
  readonly refused: readonly string[];
  readonly points: readonly { id: unknown; vector: number[]; payload?: unknown; expiresAt?: string }[];
  /** Why the reading ended early, or null. */
  readonly problem: string | null;
}

export async function readAll(format: ImportFormat, path: string, options: Partial<SourceOptions> = {}): Promise<Reading> {
  const records: ImportRecord[] = [];
  let problem: string | null = null;
  let placeWord = '';
  try {
    const source = await openSource(format, {
      path,
      fromIndex: 0,
      idOffset: 0,
      idColumn: 'id',
      vectorColumn: 'vector',
      ...options,
    });
    placeWord = source.placeWord;
    // An import looks at the first records before it reads them all.
    for await (const group of source.records()) if (group.length > 0) break;
    for await (const group of source.records()) records.push(...group);
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    problem = error.message;
  }
  return {
    records,
    problem,
    refused: records.flatMap((record) =>
      record.kind === 'refused' ? [`${placeText(placeWord, record)}: ${record.problem}`] : [],
    ),
    points: records.flatMap((record) => {
      if (record.kind === 'refused') return [];
      const { id, vector, payload, expiresAt } = record;
      return [
        {
          id,
          vector: [...(vector ?? [])],
          ...(payload === undefined ? {} : { payload }),
          ...(expiresAt === undefined ? {} : { expiresAt }),
        },
      ];
    }),
  };
}

export function fileOf(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Every index from `from` on, once and in order. */
export function indexesAreDense(records: readonly ImportRecord[], from = 0): boolean {
  return records.every(({ index }, i) => index === from + i);
}

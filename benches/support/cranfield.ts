/** The Cranfield collection below SKEIN_BENCH_DATA: abstracts, queries, judgements and LSI vectors, and what a ranking is worth on it.
 *
 *  Judgements number the queries by their place in the file. A code of 1 is a complete answer, 4 of minimum interest, −1 counts as 1:
 *  gain = 5 − |code|. nDCG@10 with 2^gain − 1 over log2(rank + 1), the ideal over all judged documents; MAP over the first hundred, every
 *  judged document relevant. Documents without any text have no vector either, and are left out: they can match nothing. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rowOf, type VectorRows } from './clusters.js';
import { readFloatVectors } from './vector-files.js';

const FOLDER = 'cranfield';
const CUT = 10;

export interface CranfieldDocument {
  /** From 1, as in the judgements. */
  readonly id: number;
  readonly title: string;
  readonly text: string;
  readonly vector: Float32Array;
}

export interface CranfieldQuery {
  readonly text: string;
  readonly vector: Float32Array;
  /** Document → gain. */
  readonly gains: ReadonlyMap<number, number>;
}

export function readCranfield(folder: string): { readonly documents: CranfieldDocument[]; readonly queries: CranfieldQuery[] } {
  const vectors = readFloatVectors(folder, FOLDER, 'lsi128_docs.fvecs');
  const queryVectors = readFloatVectors(folder, FOLDER, 'lsi128_queries.fvecs');
  const gains = readGains(join(folder, FOLDER, 'cranqrel'));
  const documents = readRecords(join(folder, FOLDER, 'cran.all.1400')).map((record, row) => ({
    id: row + 1,
    title: record['T'] ?? '',
    text: record['W'] ?? '',
    vector: ownRow(vectors, row),
  }));
  const queries = readRecords(join(folder, FOLDER, 'cran.qry')).map((record, row) => ({
    text: record['W'] ?? '',
    vector: ownRow(queryVectors, row),
    gains: gains.get(row + 1) ?? new Map<number, number>(),
  }));
  return { documents: documents.filter(({ vector }) => vector.some((value) => value !== 0)), queries };
}

function ownRow(rows: VectorRows, row: number): Float32Array {
  return rowOf(rows, row).slice();
}

/** Records begin with `.I number`; a line of a dot and a letter begins a field. */
function readRecords(path: string): Readonly<Record<string, string>>[] {
  return readFileSync(path, 'latin1')
    .split(/^\.I .*$/m)
    .slice(1)
    .map((record) => {
      const fields: Record<string, string> = {};
      for (const part of record.split(/^\./m).slice(1)) fields[part.charAt(0)] = part.slice(1).trim();
      return fields;
    });
}

function readGains(path: string): Map<number, Map<number, number>> {
  const gains = new Map<number, Map<number, number>>();
  for (const line of readFileSync(path, 'latin1').split('\n')) {
    const [query, document, code] = line.trim().split(/\s+/).map(Number);
    if (query === undefined || document === undefined || code === undefined) continue;
    const known = gains.get(query) ?? new Map<number, number>();
    gains.set(query, known.set(document, 5 - Math.abs(code)));
  }
  return gains;
}

/** @param ranked documents, best first */
export function ndcg(ranked: readonly number[], gains: CranfieldQuery['gains']): number {
  const sum = (values: readonly number[]): number =>
    values.slice(0, CUT).reduce((total, gain, rank) => total + (2 ** gain - 1) / Math.log2(rank + 2), 0);
  const ideal = sum([...gains.values()].sort((a, b) => b - a));
  return ideal === 0 ? 0 : sum(ranked.map((document) => gains.get(document) ?? 0)) / ideal;
}

/** Mean precision at each relevant document among the first hundred. */
export function averagePrecision(ranked: readonly number[], gains: CranfieldQuery['gains']): number {
  let found = 0;
  let sum = 0;
  for (const [rank, document] of ranked.slice(0, 100).entries()) {
    if (!gains.has(document)) continue;
    found += 1;
    sum += found / (rank + 1);
  }
  return gains.size === 0 ? 0 : sum / gains.size;
}

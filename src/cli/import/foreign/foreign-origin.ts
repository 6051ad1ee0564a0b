/** Which foreign store is meant, and how it is reached. A key or password never comes from the command line, which other users can read. */

import { readKeyLines } from '../../../config/api-key.js';
import type { ImportValues } from '../../../config/import-fields.js';
import { UsageError } from '../../failure.js';
import { print, type TextStream } from '../../surroundings.js';
import type { Origin } from '../origin.js';
import { chromaOrigin } from './chroma.js';
import { ForeignServer } from './foreign-server.js';
import { pgvectorOrigin } from './pgvector.js';
import { qdrantOrigin } from './qdrant.js';

export type ForeignStore = NonNullable<ImportValues['from']>;

export interface ForeignOptions {
  readonly store: ForeignStore;
  /** Ours; the name there is the same unless another was given. */
  readonly collection: string;
  readonly values: ImportValues;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly notePath: string;
  readonly signal: AbortSignal;
  readonly errors: TextStream;
}

/** Points asked for at once, whatever a batch is. */
const PAGE_POINTS_MAX = 1_000;

/** @throws UsageError, FileProblem, ForeignProblem */
export async function foreignOrigin(options: ForeignOptions): Promise<Origin> {
  const { store, values, flags } = options;
  checkFlags(store, flags);
  const source = sourceOf(store, values.source, flags['source'] !== undefined);
  const key = keyOf(values.sourceKeyFile, options.errors);
  if (store === 'pgvector') return openPgvector(options, source, key);
  const headers: Readonly<Record<string, string>> =
    key === null ? {} : store === 'qdrant' ? { 'api-key': key } : { 'x-chroma-token': key, authorization: `Bearer ${key}` };
  const { timeoutMs, tenant, database } = values;
  const server = new ForeignServer({ url: source, headers, timeoutMs, signal: options.signal });
  const collection = values.sourceCollection ?? options.collection;
  const common = {
    server,
    url: source,
    collection,
    notePath: options.notePath,
    pagePoints: Math.min(values.batch, PAGE_POINTS_MAX),
  };
  try {
    return await (store === 'qdrant' ? qdrantOrigin(common) : chromaOrigin({ ...common, tenant, database }));
  } catch (error) {
    server.close();
    throw error;
  }
}

async function openPgvector(
  { collection, values, notePath }: ForeignOptions,
  source: string,
  password: string | null,
): Promise<Origin> {
  const { connectToPostgres } = await import('./pgvector-connection.js');
  const { timeoutMs, idColumn, vectorColumn, batch } = values;
  const connection = await connectToPostgres({ url: source, password, timeoutMs });
  try {
    const names = { table: values.table ?? collection, idColumn, vectorColumn };
    const shown = new URL(source);
    shown.password = '';
    return await pgvectorOrigin({
      ...{ ...connection, ...names, notePath },
      source: shown.href,
      pagePoints: Math.min(batch, PAGE_POINTS_MAX),
    });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** @throws UsageError for flags of another store, or of files */
function checkFlags(store: ForeignStore, flags: Readonly<Record<string, unknown>>): void {
  const others = {
    qdrant: ['table', 'tenant', 'database', 'idColumn', 'vectorColumn'],
    chroma: ['table', 'idColumn', 'vectorColumn'],
    pgvector: ['sourceCollection', 'tenant', 'database'],
  }[store];
  const stray = [...others, 'format', 'idOffset'].find((key) => flags[key] !== undefined);
  if (stray === undefined) return;
  throw new UsageError(`--${stray.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} is not for --from ${store}`);
}

/** @throws UsageError */
function sourceOf(store: ForeignStore, source: string | null, isFlag: boolean): string {
  const [schemes, example] =
    store === 'pgvector'
      ? [['postgres:', 'postgresql:'], 'postgres://user@127.0.0.1/database']
      : [['http:', 'https:'], store === 'qdrant' ? 'http://127.0.0.1:6333' : 'http://127.0.0.1:8000'];
  if (source === null) throw new UsageError(`--from ${store} needs --source with its address, such as ${example}`);
  const url = URL.canParse(source) ? new URL(source) : null;
  if (url === null || !schemes.includes(url.protocol)) throw new UsageError(`--source is no address such as ${example}`);
  if (isFlag && (url.password !== '' || url.searchParams.has('password')))
    throw new UsageError(
      '--source holds a password, which other users of this machine can read: put it into the file of --source-key-file',
    );
  return source;
}

/** @throws Error when the file cannot be read, or is empty */
function keyOf(path: string | null, errors: TextStream): string | null {
  if (path === null) return null;
  const { lines, warnings } = readKeyLines(path);
  for (const warning of warnings) print(errors, `skein: ${warning}`);
  const key = lines[0] ?? '';
  if (key === '') throw new Error(`the first line of the key file ${path} is empty`);
  return key;
}

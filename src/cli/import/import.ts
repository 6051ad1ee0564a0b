/** `skein import COLLECTION FILE` and `skein import COLLECTION --from STORE`: which origin is meant, and by which clients its points travel.
 *  Must not know: formats, foreign stores, HTTP, the process. */

import { basename, join, resolve } from 'node:path';
import type { ImportValues } from '../../config/import-fields.js';
import { UsageError } from '../failure.js';
import { connectTo } from '../server-connection.js';
import type { ExitCode, Surroundings } from '../surroundings.js';
import { fileOrigin } from './file-origin.js';
import { ImportRun } from './import-run.js';
import type { Origin } from './origin.js';
import { formatOf } from './readers/open-source.js';
import { FileProblem } from './record.js';

/** An import is patient: a server that is overloaded or restarting gets about two minutes to come back. */
const PATIENCE = { attempts: 30, firstDelayMs: 100, delayMsMax: 5_000 };
const REQUEST_TIMEOUT_MS = 180_000;

/** Flags that are for foreign stores alone. */
const FOREIGN_FLAGS = ['source', 'sourceCollection', 'sourceKeyFile', 'table', 'tenant', 'database'] as const;

export interface ImportRequest {
  readonly collection: string;
  /** undefined with --from */
  readonly file: string | undefined;
  readonly values: ImportValues;
  /** What was given as a flag, and so is seen by other users of the machine. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** @throws UsageError, ConfigError */
export async function importPoints(request: ImportRequest, surroundings: Surroundings): Promise<ExitCode> {
  const { collection, values } = request;
  const origin = await originOf(request, surroundings);
  const client = connectTo({ ...values, timeoutMs: Math.max(values.timeoutMs, REQUEST_TIMEOUT_MS) }, { retries: PATIENCE });
  const greeter = connectTo(values);
  try {
    return await new ImportRun({ collection, origin, values, surroundings, client, greeter }).run();
  } finally {
    client.close();
    greeter.close();
    await origin.close();
  }
}

async function originOf({ collection, file, values, flags }: ImportRequest, surroundings: Surroundings): Promise<Origin> {
  const { workingDir, stopping, errors } = surroundings;
  const { from: store } = values;
  if (store !== null) {
    if (file !== undefined) throw new UsageError('import takes a file, or --from a store, not both');
    const { foreignOrigin } = await import('./foreign/foreign-origin.js');
    const notePath = join(workingDir, `${collection}.from-${store}`);
    return naming(`${store} ${values.table ?? values.sourceCollection ?? collection}`, () =>
      foreignOrigin({ ...{ collection, values, flags, notePath, signal: stopping, errors }, store }),
    );
  }
  const stray = FOREIGN_FLAGS.find((flag) => flags[flag] !== undefined);
  if (file === undefined || stray !== undefined)
    throw new UsageError('import needs a file, or --from qdrant, chroma or pgvector with --source ADDRESS');
  if (file === '-')
    throw new UsageError('import reads a file more than once, so not from standard input: put it into a file first');
  const path = resolve(workingDir, file);
  const format = values.format ?? formatOf(path);
  if (format === null) throw new UsageError(`the name ${basename(path)} does not tell the format: give --format`);
  const { idOffset, idColumn, vectorColumn } = values;
  return naming(basename(path), () => fileOrigin({ path, format, idOffset, idColumn, vectorColumn }));
}

/** What is wrong with an origin names it. */
async function naming(name: string, make: () => Origin | Promise<Origin>): Promise<Origin> {
  try {
    return await make();
  } catch (error) {
    throw error instanceof FileProblem ? new Error(`${name}: ${error.message}`) : error;
  }
}

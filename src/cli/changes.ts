/** `skein changes`: follows what happens to the data, one JSON object per line, until Ctrl-C. The token of the last line is where another call goes on.
 *  Must not know: how changes travel. */

import { floatsOf } from '../codec/msgpack.js';
import type { ChangesValues } from '../config/look-command-fields.js';
import type { Change } from '../sdk/index.js';
import { UsageError } from './failure.js';
import { connectTo } from './server-connection.js';
import { EXIT, type ExitCode, print, printPatiently, type Surroundings } from './surroundings.js';

/** @throws UsageError */
export async function showChanges(values: ChangesValues, { output, errors, stopping }: Surroundings): Promise<ExitCode> {
  const { from, collection, filter, withPayload, withVector, withLeaves, limit, failuresMax } = values;
  if (filter !== null && !isJson(filter)) throw new UsageError('--filter is not JSON');
  const client = connectTo(values);
  const request = {
    ...{ from, withPayload, withVector, withLeaves },
    ...(collection === null ? {} : { collection }),
    ...(filter === null ? {} : { filter }),
  };
  const onFailure = (error: unknown): void =>
    print(errors, `skein: ${error instanceof Error ? error.message : String(error)}; trying again`);
  const options = { signal: stopping, onFailure, ...(failuresMax === null ? {} : { failuresMax }) };
  let count = 0;
  try {
    for await (const change of client.changes(request, options)) {
      // What it is comes first, for people.
      await printPatiently(output, `${JSON.stringify({ type: change.type, ...shown(change) })}\n`);
      count += 1;
      if (count === limit) break;
    }
    return EXIT.done;
  } catch (error) {
    // Being ended is how it ends.
    if (stopping.aborted && error === stopping.reason) return EXIT.done;
    throw error;
  } finally {
    client.close();
  }
}

/** As on the wire (docs/CHANGES.md). */
function shown(change: Change): object {
  const { time, snapshot, ...rest } = change;
  const told = { ...rest, ...(time === null ? {} : { time }), ...(snapshot ? { snapshot } : {}) };
  if (rest.type !== 'upsert') return told;
  const { version: _version, expiresAt, vector, vectors, ...own } = rest;
  return {
    ...own,
    ...(time === null ? {} : { time }),
    ...(snapshot ? { snapshot } : {}),
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
    ...(vector === undefined ? {} : { vector: [...vector] }),
    ...(vectors === undefined
      ? {}
      : { vectors: Object.fromEntries(Object.entries(vectors).map(([name, one]) => [name, numbersOf(one)])) }),
  };
}

function numbersOf(vector: unknown): unknown {
  if (vector instanceof Float32Array) return [...vector];
  if (vector instanceof Uint8Array) return [...floatsOf(vector)];
  const { indices, values } = vector as { readonly indices: Iterable<number>; readonly values: Iterable<number> };
  return { indices: [...indices], values: [...values] };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
